import { randomUUID } from 'node:crypto';
import { connectKube, openRegistry, processes } from '../clients';
import { imagesOfIndex, localRegistry, valueOf } from './localRegistry';
import { Shop } from './shop';

interface BuiltImage {
  readonly project: string;
  readonly artifact: string;
  readonly tag: string;
  readonly digest: string;
  readonly ref: string;
  readonly built: boolean;
}

describe('the names of images', () => {
  const shop = new Shop();
  let registry: string;
  beforeAll(async () => {
    await shop.open();
    registry = await localRegistry(valueOf(await connectKube()));
    shop.edit('libs/greeting/src/index.js', 'Welcome', randomUUID());
  });
  afterAll(() => shop.close());

  const git = async (...args: readonly string[]): Promise<string> => {
    const identity = ['-c', 'user.name=e2e', '-c', 'user.email=e2e@example.test'];
    const ran = valueOf(await processes.run({ command: 'git', args: [...identity, ...args], cwd: shop.root }));
    if (ran.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr}`);
    return ran.stdout;
  };
  const commit = async (): Promise<string> => {
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message', 'e2e');
    return git('rev-parse', 'HEAD');
  };
  const build = async (...args: readonly string[]): Promise<readonly BuiltImage[]> => {
    const { stdout } = await shop.slipway(['build', '--json', ...shop.where, ...args]);
    return (JSON.parse(stdout) as { readonly images: readonly BuiltImage[] }).images;
  };
  const imageOf = async (app: string): Promise<string | undefined> => {
    const pods = valueOf(
      await shop.kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: shop.namespace, labelSelector: `app=${app}` }),
    );
    // Those of the rollout before may still be ending.
    const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
    const spec = pod?.['spec'] as { readonly containers: readonly { readonly image: string }[] } | undefined;
    return spec?.containers[0]?.image;
  };

  it('a pod’s image has the commit as its tag, and a commit that changes nothing of it builds nothing and leaves the pod alone', async () => {
    shop.write('slipway.yaml', 'version: 1\nimage: {tag: {gitCommit: {variant: CommitSha}}}\n');
    shop.write('.gitignore', 'node_modules\n.nx\n.slipway\n');
    await git('init', '--quiet');
    const first = await commit();
    await shop.slipway(['deploy', 'worker', ...shop.where]);
    const image = await imageOf('worker');
    expect(image).toMatch(new RegExp(`^${registry}/worker:${first}@sha256:[0-9a-f]{64}$`));
    const before = await shop.onlyOne('worker');

    const second = await commit();
    const { stdout } = await shop.slipway(['deploy', 'worker', ...shop.where]);
    expect(stdout).not.toContain('building');
    expect(await shop.onlyOne('worker')).toEqual(before);
    expect(await imageOf('worker')).toBe(image);
    // The image has the new commit's tag all the same, for whoever looks for it.
    expect(await openRegistry().digest(`${registry}/worker:${second}`)).toEqual({ ok: true, value: image?.replace(/^.*@/, '') });
  });

  it('a file that is not committed makes the image of those that take it dirty, and no other', async () => {
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `note: '${randomUUID()}', total: formatPrice`);
    const head = (await git('rev-parse', 'HEAD')).trim();
    const tags = (await build()).map(({ project, tag }) => `${project}:${tag.replace(head, 'HEAD')}`);
    expect(tags.filter((tag) => tag.endsWith('-dirty'))).toEqual(['worker:HEAD-dirty']);
    expect(tags).toContain('web:HEAD');
  });

  it('a deployment with the images that an earlier build wrote down builds nothing, whatever the files are by then', async () => {
    await shop.slipway(['build', 'worker', '--file-output', 'out/images.json', ...shop.where]);
    const { images } = JSON.parse(shop.read('out/images.json')) as { readonly images: readonly BuiltImage[] };
    const undo = shop.edit('apps/worker/src/server.js', 'total: formatPrice', `later: '${randomUUID()}', total: formatPrice`);
    const [planned] = await build('worker', '--dry-run');
    expect(planned).toMatchObject({ built: true, digest: '' });
    await shop.slipway(['deploy', 'worker', '--build-artifacts', 'out/images.json', ...shop.where]);
    expect(await imageOf('worker')).toContain(`@${images[0]?.digest ?? ''}`);
    expect(await build('worker', '--dry-run')).toEqual([planned]);
    undo();
  });

  it('images go under defaultRepo, by a name of one level where nothing else is said', async () => {
    const repo = `${registry}/${shop.namespace}`;
    const [nested] = await build('worker', `--default-repo=${repo}`);
    expect(nested?.ref).toMatch(new RegExp(`^${repo}/worker:`));
    const undo = shop.edit('apps/worker/k8s/worker.yaml', 'image: worker', 'image: shop/worker');
    shop.write('apps/worker/slipway.yaml', 'version: 1\nimage: {name: shop/worker}\n');
    const [flat] = await build('worker', `--default-repo=${repo}`);
    expect(flat?.ref).toMatch(new RegExp(`^${repo}/shop_worker:`));
    shop.write('apps/worker/slipway.yaml', 'version: 1\n');
    undo();
  });

  it('an image that another one stands on is built first, and its change rebuilds both', async () => {
    const word = randomUUID();
    shop.write('slipway.yaml', 'version: 1\n');
    shop.write('apps/platform/package.json', '{"name": "platform", "version": "1.0.0", "private": true}');
    shop.write('apps/platform/Dockerfile', 'FROM busybox:1.36\nCOPY word /word\nONBUILD COPY own.txt /own.txt\n');
    shop.write('apps/platform/word', word);
    shop.write('apps/found/package.json', '{"name": "found", "version": "1.0.0", "private": true}');
    shop.write('apps/found/Dockerfile', 'FROM platform\nRUN cp /word /found\n');
    shop.write('apps/named/package.json', '{"name": "named", "version": "1.0.0", "private": true}');
    shop.write('apps/named/Dockerfile', 'ARG BASE\nFROM ${BASE}\nRUN cp /word /named\n');
    shop.write('apps/named/slipway.yaml', 'version: 1\nimage: {requires: [{project: platform, arg: BASE}]}\n');
    for (const name of ['found', 'named']) shop.write(`apps/${name}/own.txt`, word);
    const both = async () =>
      Object.fromEntries((await build('found', 'named')).map(({ project, built, digest }) => [project, { built, digest }]));
    const first = await both();
    expect(first).toMatchObject({ found: { built: true }, named: { built: true } });
    expect(await both()).toMatchObject({ found: { built: false }, named: { built: false } });
    shop.write('apps/platform/word', `${word} again`);
    const second = await both();
    expect(second).toMatchObject({ found: { built: true }, named: { built: true } });
    expect(second['found']?.digest).not.toBe(first['found']?.digest);
    // What the base copies with ONBUILD.
    shop.write('apps/found/own.txt', `${word} again`);
    expect(await both()).toMatchObject({ found: { built: true }, named: { built: false } });
  });

  it('several images of one project are built, tagged and deployed together, and an edit of a file reaches the container of its own image alone', async () => {
    const word = randomUUID();
    shop.write('apps/pair/package.json', '{"name": "pair", "version": "1.0.0", "private": true}');
    const [cache, migrate] = ['{context: cache, docker: {file: cache/Dockerfile}}', '{docker: {target: migrate}}'];
    shop.write(
      'apps/pair/slipway.yaml',
      `version: 1\nimages:\n  pair: {docker: {target: site}}\n  cache: ${cache}\n  migrate: ${migrate}\n`,
    );
    for (const [folder, file, port] of [
      ['site', 'Dockerfile', 8080],
      ['cache/store', 'cache/Dockerfile', 8081],
    ] as const) {
      shop.write(`apps/pair/${folder}/word.txt`, word);
      const copied = folder.replace(/^cache\//, '');
      shop.write(`apps/pair/${file}`, `FROM busybox:1.36 AS site\nWORKDIR /www\nCOPY ${copied} .\nCMD ["httpd", "-f", "-p", "${port}"]\n`);
    }
    const container = (name: string) => `{name: ${name}, image: ${name}}`;
    const labels = '{app: pair}';
    shop.write(
      'apps/pair/k8s/pair.yaml',
      `apiVersion: apps/v1
kind: Deployment
metadata: {name: pair}
spec:
  selector: {matchLabels: ${labels}}
  template:
    metadata: {labels: ${labels}}
    spec: {terminationGracePeriodSeconds: 0, containers: [${container('pair')}, ${container('pair-cache')}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: pair-migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: pair-migrate}]}
`,
    );
    const dockerfile = shop.read('apps/pair/Dockerfile');
    shop.write('apps/pair/Dockerfile', `${dockerfile}FROM busybox:1.36 AS migrate\nCOPY migration /migration\nCMD ["cat", "/migration"]\n`);
    shop.write('apps/pair/migration', `first ${word}`);
    const one = await build('pair', '--artifact', 'cache');
    expect(one).toMatchObject([{ project: 'pair', artifact: 'pair/cache', image: 'pair-cache', built: true }]);
    const all = await build('pair');
    expect(all.map(({ artifact, built }) => [artifact, built])).toEqual([
      ['pair', true],
      ['pair/cache', false],
      ['pair/migrate', true],
    ]);
    const dev = shop.dev('pair');
    await dev.until('ready');
    for (const name of ['pair', 'pair/cache']) await dev.until('connected', ({ artifact }) => artifact === name);
    const before = await shop.running('pair');
    const mark = dev.mark();
    shop.write('apps/pair/site/word.txt', `${word} of the site`);
    await dev.until('synced', ({ artifact }) => artifact === 'pair', mark);
    shop.write('apps/pair/cache/store/word.txt', `${word} of the cache`);
    await dev.until('synced', ({ artifact }) => artifact === 'pair/cache', mark);
    expect(dev.since(mark, 'synced').map(({ artifact, container: at, paths }) => [artifact, at, paths])).toEqual([
      ['pair', 'pair', ['/www/word.txt']],
      ['pair/cache', 'pair-cache', ['/www/word.txt']],
    ]);
    expect(await shop.running('pair')).toEqual(before);
    const { pod = '' } = before[0] ?? {};
    const held = await Promise.all(['pair', 'pair-cache'].map((at) => shop.inside(at, pod, ['cat', '/www/word.txt'])));
    expect(held).toEqual([`${word} of the site`, `${word} of the cache`]);
    shop.write('apps/pair/migration', `second ${word}`);
    await dev.prints('what the second migration says', (printed) => printed.includes(`second ${word}`));
    expect(await shop.running('pair')).toEqual(before);
    expect(await dev.interrupt()).toBe(0);
  });

  it('an image for several platforms is an index, made without an engine, that another one stands on platform by platform', async () => {
    const word = randomUUID();
    const platforms = 'version: 1\nimage: {platforms: [linux/arm64, linux/amd64]}\n';
    for (const [name, base] of [
      ['under', 'scratch'],
      ['above', 'under'],
    ] as const) {
      shop.write(`apps/${name}/package.json`, `{"name": "${name}", "version": "1.0.0", "private": true}`);
      shop.write(`apps/${name}/slipway.yaml`, platforms);
      shop.write(`apps/${name}/Dockerfile`, `FROM ${base}\nARG TARGETARCH\nCOPY ${name}-\${TARGETARCH} /${name}\n`);
      for (const platform of ['amd64', 'arm64']) shop.write(`apps/${name}/${name}-${platform}`, `${word} of ${platform}`);
    }
    const [above] = await build('above');
    const manifests = await imagesOfIndex(above?.ref ?? '');
    expect(manifests.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
    const layersOf = async (digest: string): Promise<readonly string[]> => {
      const manifest = valueOf(await openRegistry().manifest(`${registry}/above@${digest}`));
      return (JSON.parse(manifest?.content.toString() ?? '') as { readonly layers: readonly { readonly digest: string }[] }).layers.map(
        (layer) => layer.digest,
      );
    };
    const [one = [], other = []] = await Promise.all(manifests.map(({ digest }) => layersOf(digest)));
    expect([one.length, other.length, one.filter((layer) => other.includes(layer))]).toEqual([2, 2, []]);
  });
});
