import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Action } from '../model';
import { deployTools, pathWithDeployTools } from './deployTools';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';

interface Kind {
  readonly what: string;
  readonly file: string;
  readonly change: readonly [from: string, to: string];
  /** Absent: nothing is to be done. */
  readonly decides?: readonly [app: string, action: Action];
  /** What answers differently in the end. Absent: nothing does. */
  readonly answers?: readonly [app: string, path: string, wanted: string];
}

const kinds: readonly Kind[] = [
  {
    what: 'the source of an app',
    file: 'apps/worker/src/server.js',
    change: ['total: formatPrice', `note: 'edited', total: formatPrice`],
    decides: ['worker', 'sync'],
    answers: ['worker', '/', '"note":"edited"'],
  },
  {
    what: 'a library',
    file: 'libs/greeting/src/index.js',
    change: ['Welcome', 'Ahoy'],
    decides: ['worker', 'sync'],
    answers: ['worker', '/', 'Ahoy'],
  },
  {
    what: 'a static file',
    file: 'apps/web/site/index.html',
    change: ['<title>', '<title>Edited: '],
    decides: ['web', 'sync'],
    answers: ['web', '/', 'Edited: '],
  },
  {
    what: 'a config file that is read after a signal',
    file: 'apps/web/conf/httpd.conf',
    change: ['I:index.html', 'I:other.html'],
    decides: ['web', 'sync'],
    answers: ['web', '/', 'the other page'],
  },
  {
    what: 'a Dockerfile',
    file: 'apps/web/Dockerfile',
    change: ['EXPOSE', 'COPY --chown=1000:1000 apps/web/site/other.html /www/copy.html\nEXPOSE'],
    decides: ['web', 'rebuild'],
    answers: ['web', '/copy.html', 'the other page'],
  },
  {
    what: 'a lock file',
    file: 'apps/worker/package-lock.json',
    change: ['"of before"', '"of after"'],
    decides: ['worker', 'rebuild'],
    answers: ['worker', '/', 'of after'],
  },
  {
    what: 'a manifest',
    file: 'apps/worker/deploy/worker.yaml',
    change: ['the harbour shop', 'the quay shop'],
    decides: ['worker', 'redeploy'],
    answers: ['worker', '/', 'the quay shop'],
  },
  {
    what: 'a file of values',
    file: 'apps/web/values.dev.yaml',
    change: ['of values', 'of other values'],
    decides: ['web', 'redeploy'],
    answers: ['web', '/notes/values', 'of other values'],
  },
  {
    what: 'an env file',
    file: 'apps/worker/deploy/prices.env',
    change: ['CURRENCY=EUR', 'CURRENCY=GBP'],
    decides: ['worker', 'redeploy'],
    answers: ['worker', '/', '£'],
  },
  { what: 'a file that nothing uses', file: 'apps/web/README.md', change: ['Notes', 'Other notes'] },
];

/** Lines of a manifest put before another one, as often as that is there at most once. */
function before(text: string, line: string, more: string): string {
  const at = text.indexOf(line);
  if (at < 0) throw new Error(`no ${line} in ${text}`);
  return `${text.slice(0, at)}${more}\n${text.slice(at)}`;
}

describe('while `slipway dev worker web` runs', () => {
  const shop = new Shop();
  let dev: RunningDev;
  beforeAll(async () => {
    await shop.open();
    process.env['PATH'] = await pathWithDeployTools(shop.path('.tools'), [deployTools.helm, deployTools.kustomize]);

    // worker: an overlay with an env file, and a lock file that a step of its image reads.
    const worker = shop.read('apps/worker/k8s/worker.yaml');
    rmSync(shop.path('apps/worker/k8s'), { recursive: true });
    shop.write('apps/worker/deploy/worker.yaml', before(worker, '          readinessProbe:', '            - configMapRef: {name: prices}'));
    shop.write('apps/worker/deploy/prices.env', 'CURRENCY=EUR\n');
    shop.write(
      'apps/worker/deploy/kustomization.yaml',
      'resources: [worker.yaml]\nconfigMapGenerator: [{name: prices, envs: [prices.env]}]\n',
    );
    shop.write('apps/worker/slipway.yaml', 'version: 1\nkustomize: {paths: [deploy]}\n');
    shop.write('apps/worker/package-lock.json', '{"name": "of before"}\n');
    const install = 'COPY apps/worker/package-lock.json /tmp/lock/\nRUN cp /tmp/lock/package-lock.json /tmp/installed.json';
    shop.edit('apps/worker/Dockerfile', 'USER node', `${install}\nUSER node`);
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `lock: require('/tmp/installed.json').name, total: formatPrice`);

    // web: a chart with values of a file and of the config, and a server that reads its config again when it is told to.
    const web = before(shop.read('apps/web/k8s/web.yaml'), '      containers:', '      volumes: [{name: notes, configMap: {name: notes}}]');
    rmSync(shop.path('apps/web/k8s'), { recursive: true });
    const notes = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\ndata: {{ .Values.notes | toJson }}\n---\n';
    const mounted = before(web, '          ports:', '          volumeMounts: [{name: notes, mountPath: /www/notes}]');
    shop.write('apps/web/chart/Chart.yaml', 'apiVersion: v2\nname: web\nversion: 0.1.0\n');
    shop.write('apps/web/chart/templates/web.yaml', `${notes}${mounted}`);
    shop.write('apps/web/values.dev.yaml', 'notes: {values: of values}\n');
    shop.write('apps/web/conf/httpd.conf', 'I:index.html\n');
    shop.write('apps/web/site/other.html', 'the other page\n');
    shop.write('apps/web/README.md', 'Notes\n');
    shop.edit('apps/web/Dockerfile', 'USER', 'COPY --chown=1000:1000 apps/web/conf /conf\nUSER');
    shop.edit('apps/web/Dockerfile', '"-h", "/www"', '"-h", "/www", "-c", "/conf/httpd.conf"');
    const release = '{name: web, chartPath: chart, valuesFiles: [values.dev.yaml], setValues: {notes.config: of config}}';
    shop.write(
      'apps/web/slipway.yaml',
      `version: 1\nhelm: {releases: [${release}]}\nsync: {after: [{run: [kill, -HUP, '1'], when: ['**/httpd.conf']}]}\nportForward: [{resource: service/web, port: 80}]\n`,
    );

    dev = shop.dev('worker', 'web');
    await dev.until('ready');
    for (const app of ['worker', 'web']) await dev.until('connected', ({ artifact }) => artifact === app);
  });
  afterAll(() => shop.close());

  it.each(kinds)('an edit of $what does what `explain` said, and its answer is there', async ({ file, change, decides, answers }) => {
    const { stdout } = await shop.slipway(['explain', file, '--json']);
    const [explained] = (JSON.parse(stdout) as { readonly files: readonly { readonly artifacts: readonly object[] }[] }).files;
    const mark = dev.mark();
    shop.edit(file, ...change);
    if (answers) await dev.answer(...answers);
    if (decides) {
      const [artifact, action] = decides;
      const { because, containerPaths } = await dev.until('decision', ({ files }) => files.includes(file), mark);
      expect(explained?.artifacts).toEqual([{ name: artifact, action, containerPaths, because }]);
      expect(dev.since(mark, 'decision')).toMatchObject([{ artifact, action, files: [file] }]);
    } else {
      expect(explained?.artifacts).toEqual([]);
      expect(dev.since(mark, 'decision')).toEqual([]);
    }
  });

  it('an edit of a slipway.yaml does what follows from what it says now, and `explain` said that it would be read', async () => {
    const file = 'apps/web/slipway.yaml';
    const { stdout } = await shop.slipway(['explain', file, '--json']);
    expect(JSON.parse(stdout)).toEqual({ files: [{ path: file, projects: ['web'], artifacts: [], isConfig: true }] });

    const deployed = dev.mark();
    shop.edit(file, 'of config', 'of another config');
    await dev.answer('web', '/notes/config', 'of another config');
    expect(dev.since(deployed, 'decision')).toMatchObject([{ artifact: 'web', action: 'redeploy', files: [file] }]);
    expect(dev.since(deployed, 'built')).toEqual([]);

    // What only the loop goes by makes neither an image nor a pod.
    await dev.until('ready', undefined, deployed);
    const before = await shop.onlyOne('web');
    const forwarded = dev.mark();
    shop.edit(file, 'port: 80}', 'port: 80, localPort: 9480}');
    await dev.until('notice', ({ message }) => message.startsWith(`${file} is read anew`), forwarded);
    await dev.until('forwarded', ({ release, localPort }) => release === 'web' && localPort >= 9480, forwarded);

    const built = dev.mark();
    // One that no registry has from a run before.
    shop.edit(file, 'version: 1', `version: 1\nimage: { docker: { labels: { edited: "${randomUUID()}" } } }`);
    await dev.until('built', ({ artifact }) => artifact === 'web', built);
    await dev.until('ready', undefined, built);
    expect(dev.since(forwarded, 'decision')).toMatchObject([{ artifact: 'web', action: 'rebuild', files: [file] }]);
    expect(dev.since(forwarded, 'built')).toHaveLength(1);
    expect(await shop.onlyOne('web')).not.toEqual(before);
  });
});
