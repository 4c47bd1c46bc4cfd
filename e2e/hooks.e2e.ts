import { randomUUID } from 'node:crypto';
import { Shop } from './shop';

const config = `version: 1
sync:
  before:
    - {run: [sh, -c, 'echo asked in $(hostname); test ! -e /tmp/hold'], when: ['src/**']}
    - {run: [sh, ./note.sh, never], where: host, when: ['nothing/**']}
    - {run: [sh, ./note.sh, looked], where: host, when: ['src/*.js']}
  after:
    - {run: [sh, -c, 'echo compiled in $(hostname); test ! -e /tmp/fail'], when: ['src/**']}
    - {run: [sh, -c, 'echo never'], when: ['nothing/**']}
hooks:
  render:
    before: [{run: 'sh ./note.sh rendering'}]
    after: [{run: 'cat > ../rendered.yaml; sh ./note.sh rendered', dir: tools/..}]
  build:
    before: [{run: sh ./note.sh building}]
    after: [{run: [sh, ./note.sh, built]}]
  sync:
    before: [{run: 'sh ./note.sh "copying \$SLIPWAY_FILES"'}]
    after: [{run: 'echo copied into $(hostname)', container: worker}]
  deploy:
    before:
      - {run: 'sh ./note.sh deploying', env: {WORD: 7}}
      - {run: exit 1, os: [windows]}
    after: [{run: 'echo deployed \$SLIPWAY_PROJECT in \$(hostname)', container: worker}, {run: sh ./note.sh deployed}]
`;

describe('hooks', () => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    shop.write('apps/worker/slipway.yaml', config);
    shop.write('apps/worker/tools/x', '');
    shop.write(
      'apps/worker/note.sh',
      'echo "$SLIPWAY_HOOK: $1 $SLIPWAY_PROJECT $SLIPWAY_NAMESPACE $WORD ${IMAGE##*/}" | tee -a ../hooks.log\n',
    );
    shop.edit('apps/worker/Dockerfile', 'EXPOSE 3000', `ENV WORD=${randomUUID()}\nEXPOSE 3000`);
    const failing = `version: 1\nhooks:\n  deploy:\n    before:\n      - run: |\n          echo no licence\n          exit 3\n`;
    shop.write('infra/cache/slipway.yaml', failing);
    shop.write('infra/slow/project.json', '{"name": "slow"}');
    shop.write('infra/slow/k8s/slow.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: slow}\n');
    shop.write('infra/slow/slipway.yaml', 'version: 1\nhooks: {deploy: {before: [{run: sleep 60, timeout: 1}]}}\n');
  });
  afterAll(() => shop.close());

  it('run around each stage on the machine and in containers, with what they stand around; one that fails stops its own project alone', async () => {
    const { stdout, stderr } = await shop.slipway(['deploy', 'worker', 'cache', 'slow', ...shop.where], { exitCode: 1 });
    const printed = `${stdout}${stderr}`;
    const notes = shop.read('apps/hooks.log').trimEnd().split('\n');
    expect(notes).toEqual([
      expect.stringMatching(new RegExp(`^before build: building worker ${shop.namespace}  worker:[0-9a-f]+$`)),
      expect.stringMatching(/^after build: built worker/),
      expect.stringMatching(new RegExp(`^before render: rendering worker ${shop.namespace}  worker:[0-9a-f]+@sha256:[0-9a-f]{64}$`)),
      expect.stringMatching(/^after render: rendered worker/),
      expect.stringMatching(/^before deploy: deploying worker \S+ 7 worker:/),
      expect.stringMatching(/^after deploy: deployed worker/),
    ]);
    expect(shop.read('apps/rendered.yaml')).toContain('kind: Deployment');
    expect(printed).toMatch(/deployed worker in worker-/);
    expect(printed).toMatch(/the hook before deploy, echo no licence, ended with exit code 3/);
    expect(printed).toMatch(/at infra\/cache\/slipway\.yaml:5/);
    expect(printed).toMatch(/the hook before deploy, sleep 60, did not end within 1 s/);
    expect(await shop.onlyOne('worker')).toMatchObject({ ready: true });
    expect(await shop.running('cache')).toEqual([]);
    expect((await shop.objects()).filter((name) => /cache|slow/.test(name))).toEqual([]);
  });

  it('keep an image from being used when one after its build fails: the next build makes it again', async () => {
    shop.write('apps/web/site/new.txt', randomUUID());
    shop.write('apps/web/check.sh', 'echo "$SLIPWAY_HOOK ${IMAGE##*/}" >> ../checked.log; test -e ../licensed\n');
    shop.write('apps/web/slipway.yaml', 'version: 1\nhooks: {build: {after: [{run: sh ./check.sh}]}}\n');
    for (const command of ['build', 'deploy']) {
      const failed = await shop.slipway([command, 'web', ...shop.where], { exitCode: 1 });
      expect(`${failed.stdout}${failed.stderr}`).toMatch(/the hook after build, sh \.\/check\.sh, ended with exit code 1/);
    }
    expect(await shop.running('web')).toEqual([]);
    shop.write('apps/licensed', '');
    await shop.slipway(['build', 'web', ...shop.where]);
    await shop.slipway(['deploy', 'web', ...shop.where]);
    expect(await shop.onlyOne('web')).toMatchObject({ ready: true });
    const checked = expect.stringMatching(/^after build web:[0-9a-f]{24}@sha256:[0-9a-f]{64}$/) as string;
    expect(shop.read('apps/checked.log').trimEnd().split('\n')).toEqual([checked, checked, checked]);
  });

  it('run around a sync, in the container too', async () => {
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `word: 'copied', total: formatPrice`);
    const { stdout, stderr } = await shop.slipway(['sync', 'worker', '--once', ...shop.where]);
    expect(`${stdout}${stderr}`).toMatch(/asked in worker-[^]*copied into worker-[^]*compiled in worker-/);
    const notes = shop.read('apps/hooks.log');
    expect(notes).toMatch(/^before sync: copying 1 worker[^]*^before sync: looked worker/m);
    expect(notes).not.toMatch(/never/);
  });

  it('leave what was copied when one after it fails, and say how', async () => {
    const { pod } = await shop.onlyOne('worker');
    await shop.inside('worker', pod, ['touch', '/tmp/fail']);
    shop.edit('apps/worker/src/server.js', `'copied'`, `'stays'`);
    const failed = await shop.slipway(['sync', 'worker', '--once', ...shop.where], { exitCode: 1 });
    expect(`${failed.stdout}${failed.stderr}`).toMatch(
      /test ! -e \/tmp\/fail ended with exit code 1 in the container[^]*compiled in worker-/,
    );
    expect(await shop.inside('worker', pod, ['cat', 'src/server.js'])).toContain(`'stays'`);
    await shop.inside('worker', pod, ['rm', '/tmp/fail']);
    shop.edit('apps/worker/src/server.js', `'stays'`, `'copied'`);
    await shop.slipway(['sync', 'worker', '--once', ...shop.where]);
    expect(await shop.inside('worker', pod, ['cat', 'src/server.js'])).toContain(`'copied'`);
  });

  it('hold what is to be copied while one before it fails, and say why', async () => {
    const { pod } = await shop.onlyOne('worker');
    await shop.inside('worker', pod, ['touch', '/tmp/hold']);
    shop.edit('apps/worker/src/server.js', `'copied'`, `'held'`);
    const held = await shop.slipway(['sync', 'worker', '--once', ...shop.where], { exitCode: 1 });
    expect(`${held.stdout}${held.stderr}`).toMatch(
      /test ! -e \/tmp\/hold ended with exit code 1 in the container, so what is to be copied after it waits/,
    );
    const server = ['sh', '-c', 'cat src/server.js'];
    expect(await shop.inside('worker', pod, server)).toContain(`'copied'`);
    await shop.inside('worker', pod, ['rm', '/tmp/hold']);
    await shop.slipway(['sync', 'worker', '--once', ...shop.where]);
    expect(await shop.inside('worker', pod, server)).toContain(`'held'`);
  });
});
