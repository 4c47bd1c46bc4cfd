import { Shop } from './shop';
import { until } from './until';

const serve = 'trap exit TERM; while true; do sleep 1 & wait $!; done';
const labels = { app: 'kinds' };
const container = (more: object = {}) => ({ name: 'kinds', image: 'kinds', ...more });
const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container()] } };
const selector = { matchLabels: labels };

/** One of each kind that pods come from, all with the same image. */
const objects: readonly object[] = [
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'kinds' }, spec: { clusterIP: 'None', selector: labels, ports: [{ port: 80 }] } },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'set' },
    spec: { replicas: 2, serviceName: 'kinds', selector, template },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'daemon' },
    spec: {
      selector: { matchLabels: { ...labels, of: 'daemon' } },
      template: { ...template, metadata: { labels: { ...labels, of: 'daemon' } } },
    },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'job' },
    spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
  },
  { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', labels }, spec: template.spec },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'volume' },
    spec: {
      selector: { matchLabels: { ...labels, of: 'volume' } },
      template: {
        metadata: { labels: { ...labels, of: 'volume' } },
        spec: {
          ...template.spec,
          // It has ended when files are copied; the one beside has its files in its image.
          initContainers: [{ name: 'first', image: 'kinds', command: ['true'] }],
          containers: [container({ volumeMounts: [{ name: 'files', mountPath: '/srv/files' }] }), { name: 'beside', image: 'kinds' }],
          volumes: [{ name: 'files', emptyDir: {} }],
        },
      },
    },
  },
];

describe('pods of every kind', () => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    shop.write('apps/kinds/project.json', '{"name": "kinds"}');
    shop.write('apps/kinds/Dockerfile', `FROM busybox:1.36\nWORKDIR /srv\nCOPY files files\nCMD ["sh", "-c", "${serve}"]\n`);
    shop.write('apps/kinds/slipway.yaml', 'version: 1\nreload: hot\n');
    shop.write('apps/kinds/k8s/all.yaml', objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    shop.write('apps/kinds/files/kept', 'kept');
    shop.write('apps/kinds/files/edited', 'first');
  });
  afterAll(() => shop.close());

  const pods = async (): Promise<readonly string[]> => [...new Set((await shop.running('kinds')).map(({ pod }) => pod))];
  const held = async (): Promise<Readonly<Record<string, string>>> => {
    const script = 'cd /srv/files; for each in *; do echo "$each: $(cat $each)"; done';
    const all = await Promise.all(
      (await pods()).map(async (pod) => {
        const text = await shop.inside('kinds', pod, ['sh', '-c', script]).catch(String);
        return [pod, text.trim().split('\n').join(', ')] as const;
      }),
    );
    return Object.fromEntries(all);
  };
  const untilAllHold = async (expected: string, tell: () => string): Promise<void> => {
    let last: Readonly<Record<string, string>> = {};
    await until(
      `six pods hold ${expected}`,
      async () => {
        last = await held();
        return Object.keys(last).length === 6 && Object.values(last).every((each) => each === expected) ? true : undefined;
      },
      () => `${JSON.stringify(last, undefined, 1)}\n${tell()}`,
    );
  };

  it('are kept in step: of a StatefulSet, a DaemonSet, a Job, by itself, and with a volume where the files are', async () => {
    const dev = shop.dev('kinds');
    await dev.until('ready');
    await untilAllHold('edited: first, kept: kept', () => dev.told());
    shop.write('apps/kinds/files/edited', 'second');
    await untilAllHold('edited: second, kept: kept', () => dev.told());
    // A container that is started again has lost what was copied into it, but not what is on a volume.
    const [volume = ''] = (await pods()).filter((pod) => pod.startsWith('volume-'));
    await shop.endInside('kinds', volume);
    await until('it was started again', async () =>
      (await shop.running('kinds')).some(({ pod, restarts }) => pod === volume && restarts > 0) ? true : undefined,
    );
    shop.remove('apps/kinds/files/kept');
    await untilAllHold('edited: second', () => dev.told());
    expect(await dev.interrupt()).toBe(0);
  });
});
