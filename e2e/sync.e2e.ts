import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { StatusDocument } from '../dev';
import { CuttableApi } from './cuttableApi';
import { valueOf } from './localRegistry';
import { runCommand } from './runCommand';
import { Shop } from './shop';
import { until } from './until';

describe('sync, onto what runs already', () => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    await shop.slipway(['deploy', 'worker', ...shop.where]);
  });
  afterAll(() => shop.close());

  const server = '/app/src/server.js';
  const held = (pod: string) => shop.inside('worker', pod, ['cat', server]);

  it('brings edits once, and proves it: no image, no apply, the same container', async () => {
    const before = await shop.onlyOne('worker');
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `note: '${randomUUID()}', total: formatPrice`);
    const { stdout } = await shop.nx(['run', 'worker:k8s-sync', '--once', '--verify', ...shop.where]);
    expect(stdout).toContain('holds what it should');
    expect(await held(before.pod)).toBe(shop.read('apps/worker/src/server.js'));
    expect(await shop.onlyOne('worker')).toMatchObject({ containerId: before.containerId });
  });

  it('finds what somebody changed in the container, and changes nothing there while it only looks', async () => {
    const { pod } = await shop.onlyOne('worker');
    await shop.inside('worker', pod, ['sh', '-c', `echo '// theirs' >> ${server}`]);
    const theirs = await held(pod);
    const { stdout } = await shop.slipway(['sync', 'worker', '--verify', ...shop.where], { exitCode: 1 });
    expect(stdout).toContain(`${server} has other content`);
    expect(await held(pod)).toBe(theirs);
  });

  it('says of an edit that needs an image that it does, and builds none', async () => {
    const before = await shop.onlyOne('worker');
    const undo = shop.edit('apps/worker/Dockerfile', 'EXPOSE 3000', 'EXPOSE 3000\nENV EDITED=1');
    const { stderr } = await shop.slipway(['sync', 'worker', '--once', ...shop.where], { exitCode: 1 });
    undo();
    expect(stderr).toContain('worker needs a new image');
    expect(await shop.onlyOne('worker')).toMatchObject({ containerId: before.containerId });
  });

  describe('with a folder and a pod that no project describes', () => {
    const inPod = '/tmp/site';
    const labels = { app: 'site' };
    const serve = ['sh', '-c', `mkdir -p ${inPod}; trap exit TERM; while true; do sleep 1; done`];
    const image = async () => {
      const pods = valueOf(
        await shop.kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: shop.namespace, labelSelector: 'app=worker' }),
      );
      return (pods[0]?.['spec'] as { readonly containers: readonly [{ readonly image: string }] }).containers[0].image;
    };
    const apply = async (object: Parameters<typeof shop.kube.apply>[0]) => void valueOf(await shop.kube.apply(object));
    const run = async () => {
      const spec = { terminationGracePeriodSeconds: 1, containers: [{ name: 'site', image: await image(), command: serve }] };
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `site-${randomUUID().slice(0, 8)}`, namespace: shop.namespace, labels },
        spec,
      });
      return until('a pod of the site runs', async () => (await shop.running('site'))[0]);
    };
    const where = ['--selector=app=site', '--local-path=site', `--remote-path=${inPod}`, '--exclude=*.log'];
    const wanted = () => shop.listing({ [inPod]: 'site' }).filter((line) => !/\.log$|\/\.slipway(\/|$)/.test(line));
    const holds = (pod: string) => shop.listingInside('site', pod, inPod);
    const becomesEqual = (pod: string) =>
      until('the pod holds the folder', async () => (JSON.stringify(await holds(pod)) === JSON.stringify(wanted()) ? true : undefined));

    it('names the selector and the namespace where no pod is found', async () => {
      shop.write('site/index.html', 'one');
      const { stderr } = await shop.slipway(['sync', ...where, '--once', ...shop.where], { exitCode: 1 });
      expect(stderr).toContain(`no pod in namespace ${shop.namespace} has the labels app=site`);
    });

    it('waits for a pod, follows the folder, leaves alone what is not its own, and brings a new pod everything', async () => {
      shop.write('site/sub/a.txt', 'a');
      shop.write('site/noise.log', 'noise');
      const sync = shop.sync(...where, '--wait', '--pull=made/*.lock');
      await sync.until('notice', ({ message }) => message.startsWith('waiting: no pod'));
      const { pod } = await run();
      await sync.until('ready');
      const said = sync.since(0, 'notice').map(({ message }) => message);
      expect(said).toContainEqual(expect.stringMatching(new RegExp(`namespace ${shop.namespace}: .*/site → ${inPod} in `)));
      expect(said).toContain('left out: .git, node_modules, .nx, .slipway, *.log');
      await becomesEqual(pod);

      await shop.inside('site', pod, ['sh', '-c', `echo theirs > ${inPod}/sub/their.own`]);
      shop.write('site/index.html', 'two');
      shop.write('site/new/deep.txt', 'deep');
      shop.write('site/more.log', 'noise');
      const theirs = (line: string) => !line.endsWith('their.own');
      await until('the edits are there', async () =>
        JSON.stringify((await holds(pod)).filter(theirs)) === JSON.stringify(wanted()) ? true : undefined,
      );
      expect((await holds(pod)).filter((line) => !theirs(line))).toHaveLength(1);
      await shop.inside('site', pod, ['sh', '-c', `mkdir ${inPod}/made; echo watched >${inPod}/made/while.lock`]);
      await sync.until('pulled', ({ paths }) => paths.includes('made/while.lock'));
      expect(shop.read('site/made/while.lock')).toBe('watched\n');

      valueOf(await shop.kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: shop.namespace, name: pod }));
      await until('the pod is gone', async () => ((await shop.running('site')).length === 0 ? true : undefined));
      const second = await run();
      await becomesEqual(second.pod);

      // From any terminal. A process that has only just started may get its files twice, and is not in step before.
      const own = await until('status tells of the session, and that the new pod is in step', async () => {
        const { stdout } = await shop.slipway(['status', '--json'], { cwd: tmpdir() });
        const { sessions } = JSON.parse(stdout) as StatusDocument;
        return sessions.find(
          ({ namespace, remotePath, containers: [first, ...others] }) =>
            namespace === shop.namespace &&
            remotePath === inPod &&
            others.length === 0 &&
            first?.pod === second.pod &&
            first.inSync === true,
        );
      });
      const stopped = await shop.slipway(['sync', `--stop=${own.name}`], { cwd: tmpdir() });
      expect(stopped.stdout).toContain(`stopped ${own.name}`);
      expect(await sync.ends()).toBe(0);

      const look = (...flags: readonly string[]) => shop.slipway(['sync', ...where, ...flags, '--verify', ...shop.where]);
      expect((await look()).stdout).toContain('holds what it should');
      // What happened while nobody watched. What they alone have goes only where it is asked for, and never what is left out.
      await shop.inside('site', second.pod, ['sh', '-c', `cd ${inPod}; echo 1 >sub/their.own; echo 1 >their.log; echo made >made/a.lock`]);
      expect((await look('--once', '--pull=made/*.lock')).stdout).toContain('holds what it should');
      expect(shop.read('site/made/a.lock')).toBe('made\n');
      await shop.inside('site', second.pod, ['sh', '-c', `cd ${inPod}; echo theirs >made/a.lock; echo 1 >made/b.lock; echo 1 >made/c`]);
      await look('--once', '--mirror', '--pull=made/*.lock');
      expect([shop.read('site/made/a.lock'), shop.read('site/made/b.lock')]).toEqual(['theirs\n', '1\n']);
      const left = await shop.inside('site', second.pod, ['sh', '-c', `cd ${inPod}; ls sub their.log made`]);
      expect(left.split(/\s+/).sort().join(' ').trim()).toBe('a.lock a.txt b.lock made: sub: their.log while.lock');
      await shop.inside('site', second.pod, ['rm', `${inPod}/their.log`]);
      shop.write('site/sub/later.txt', 'later');
      shop.remove('site/sub/a.txt');
      await shop.inside('site', second.pod, ['rm', `${inPod}/index.html`]);
      expect((await look('--once')).stdout).toContain('holds what it should');
      expect(await holds(second.pod)).toEqual(wanted());
    });

    it('brings an init container that runs what it waits for', async () => {
      const volumeMounts = [{ name: 'site', mountPath: inPod }];
      const waits = ['sh', '-c', `until [ -f ${inPod}/go ]; do sleep 0.1; done`];
      const shows = ['sh', '-c', `cat ${inPod}/go; exec sleep 1000`];
      const spec = {
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'site', emptyDir: {} }],
        initContainers: [{ name: 'first', image: await image(), command: waits, volumeMounts }],
        containers: [{ name: 'begun', image: await image(), command: shows, volumeMounts }],
      };
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'begun', namespace: shop.namespace, labels: { app: 'begun' } },
        spec,
      });
      shop.write('begun/go', 'go');
      const sync = shop.sync('--selector=app=begun', '--container=first', '--local-path=begun', `--remote-path=${inPod}`, '--wait');
      await until(
        'the container after it has the file',
        async () => ((await shop.inside('begun', 'begun', ['cat', `${inPod}/go`]).catch(() => '')) === 'go' ? true : undefined),
        () => sync.told(),
      );
      expect(await sync.interrupt()).toBe(0);
    });

    it('tells a full disk with what to do, and brings what has room', async () => {
      const [app, place] = ['small', '/small'];
      const volumes = [{ name: app, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }];
      const containers = [{ name: app, image: await image(), command: serve, volumeMounts: [{ name: app, mountPath: place }] }];
      const metadata = { name: app, namespace: shop.namespace, labels: { app } };
      await apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { terminationGracePeriodSeconds: 1, containers, volumes } });
      const pod = await until('the pod runs', async () => (await shop.running(app))[0]?.pod);
      shop.write(`${app}/small.txt`, 'small');
      shop.write(`${app}/large.txt`, 'large'.repeat(500_000));
      const flags = [`--selector=app=${app}`, `--local-path=${app}`, `--remote-path=${place}`];
      const { stdout } = await shop.slipway(['sync', '--once', ...flags, ...shop.where], { exitCode: 1 });
      expect(stdout).toMatch(/\/small\/large\.txt cannot be changed in .*: no space is left on its file system/);
      expect(stdout).toContain('Make room there');
      expect(await shop.inside(app, pod, ['cat', `${place}/small.txt`])).toBe('small');
    });

    it('goes on when its connections lead nowhere, and brings everything to the pod that comes after one that was evicted', async () => {
      const api = await CuttableApi.open();
      const app = { app: 'moved' };
      const template = {
        metadata: { labels: app },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'moved', image: await image(), command: serve }] },
      };
      const metadata = { name: 'moved', namespace: shop.namespace };
      await apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { selector: { matchLabels: app }, template } });
      shop.write('moved/sub/a', 'a');
      const flags = ['--selector=app=moved', '--local-path=moved', `--remote-path=${inPod}`, '--wait'];
      const sync = shop.sync(...flags, `--kubeconfig=${api.kubeconfig}`);
      const holdsAll = (pod: string) =>
        until(
          `${pod} holds the folder`,
          async () => {
            const held = await shop.listingInside('moved', pod, inPod).catch(() => []);
            return held.join() === shop.listing({ [inPod]: 'moved' }).join() ? true : undefined;
          },
          () => sync.told(),
        );
      await sync.until('ready');
      const first = await shop.onlyOne('moved');
      await holdsAll(first.pod);
      api.strand();
      shop.write('moved/sub/b', 'b');
      await holdsAll(first.pod);
      await evict(first.pod);
      const next = await until('another pod runs', async () => (await shop.running('moved')).find(({ pod }) => pod !== first.pod));
      await holdsAll(next.pod);
      expect(await sync.interrupt()).toBe(0);
      await api.close();
    });

    const evict = async (pod: string) => {
      const path = `/api/v1/namespaces/${shop.namespace}/pods/${pod}/eviction`;
      const metadata = { name: pod, namespace: shop.namespace };
      shop.write('eviction.json', JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata }));
      await runCommand({ command: 'kubectl', args: ['create', `--raw=${path}`, '-f', 'eviction.json'], cwd: shop.root });
    };
  });
});
