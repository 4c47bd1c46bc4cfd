import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { findProgram } from '../cluster/debian';
import { placeProgram } from '../cluster/standins/place';
import { type StartedContainer, startContainer } from './engineContainer';
import { runCommand } from './runCommand';
import { Shop } from './shop';

interface Told {
  readonly images: readonly { readonly ref: string; readonly digest: string; readonly built: boolean; readonly delivered: boolean }[];
}

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly { readonly name: string }[];
}

// Where the cluster publishes no registry, images are copied into its nodes. These are containers of the engine with a containerd, as
// those of kind and k3d are, and the same cluster goes by a name that kind or k3d would give it.
describe('into the nodes of a local cluster', () => {
  const shop = new Shop();
  const started: StartedContainer[] = [];
  const cluster = `e2e-${randomUUID().slice(0, 8)}`;
  let nodeImage: string;

  beforeAll(async () => {
    await shop.open();
    for (const name of ['containerd', 'ctr', 'containerd-shim-runc-v2', 'runc']) {
      const program = findProgram(name);
      if (program === undefined) throw new Error(`there is no ${name} on this machine, which a node runs`);
      await placeProgram(program, shop.path('apps/knot'), `usr/bin/${name}`);
    }
    shop.write('apps/knot/package.json', '{"name": "knot", "version": "1.0.0", "private": true}');
    shop.write('apps/knot/Dockerfile', 'FROM busybox:1.36\nCOPY . /\nVOLUME /var/lib/containerd\nCMD ["containerd"]\n');
    const { stdout } = await shop.slipway(['build', 'knot', '--json', ...shop.where]);
    nodeImage = (JSON.parse(stdout) as Told).images[0]?.ref ?? '';
    shop.write('slipway.yaml', `version: 1\nallowContexts: [kind-${cluster}, k3d-${cluster}]\n`);
    // Whatever earlier runs have built is not this image.
    shop.edit('libs/greeting/src/index.js', 'Welcome', randomUUID());
  });
  afterAll(async () => {
    await Promise.all(started.map((container) => container.remove()));
    await shop.close();
  });

  const startNode = async (labels: Readonly<Record<string, string>>): Promise<StartedContainer> => {
    // What a privileged one may do, less what this machine does not have to give.
    const options = ['--cap-add=SYS_ADMIN', '--security-opt=seccomp=unconfined', '--security-opt=apparmor=unconfined'];
    const node = await startContainer({ image: nodeImage, labels, options });
    started.push(node);
    return node;
  };
  const ctr = async (node: StartedContainer, ...args: readonly string[]): Promise<string> =>
    (await runCommand({ command: 'docker', args: ['exec', node.name, 'ctr', '--namespace=k8s.io', ...args], cwd: '.' })).stdout;
  /** The cluster's kubeconfig, with its context under another name. */
  const asContextOf = (tool: string): string => {
    const context = `${tool}-${cluster}`;
    const config = parse(readFileSync(process.env['KUBECONFIG'] ?? '', 'utf8')) as Kubeconfig;
    const current = config.contexts.find(({ name }) => name === config['current-context']);
    shop.write(`${context}.yaml`, JSON.stringify({ ...config, contexts: [{ ...current, name: context }] }));
    return context;
  };
  const build = async (context: string): Promise<{ readonly image: Told['images'][number]; readonly lines: string }> => {
    const env = { KUBECONFIG: shop.path(`${context}.yaml`) };
    const args = ['build', 'worker', '--no-push', `--context=${context}`, '--json', '--verbosity=debug'];
    const { stdout, stderr } = await shop.slipway(args, { env });
    const image = (JSON.parse(stdout) as Told).images[0];
    if (!image) throw new Error(`no image is told of: ${stdout}`);
    return { image, lines: stderr };
  };

  it.each<[string, readonly (readonly [string, string])[]]>([
    [
      'kind',
      [
        ['io.x-k8s.kind.cluster', cluster],
        ['io.x-k8s.kind.role', 'control-plane'],
      ],
    ],
    [
      'k3d',
      [
        ['k3d.cluster', cluster],
        ['k3d.role', 'server'],
      ],
    ],
  ])('of %s goes what each of them lacks, and nothing a second time', async (tool, labels) => {
    const context = asContextOf(tool);
    const one = await startNode(Object.fromEntries(labels));
    const first = await build(context);
    expect(await ctr(one, 'images', 'ls', '--quiet')).toContain(`docker.io/library/${first.image.ref}`);
    const again = await build(context);
    expect(again.image).toMatchObject({ ref: first.image.ref, built: false });
    expect(again.lines).not.toContain('copying');

    // A file changes one layer, and another node lacks them all.
    const two = await startNode(Object.fromEntries(labels));
    shop.edit('apps/worker/src/server.js', "'use strict'", `'use strict'; // ${randomUUID()}\n`);
    const changed = await build(context);
    const copied = (node: StartedContainer) =>
      new RegExp(`${node.name}: copying (\\d+) of (\\d+) layers`).exec(changed.lines)?.slice(1).map(Number);
    const [moved = 0, all = 0] = copied(one) ?? [];
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(all);
    expect(copied(two)).toEqual([all, all]);
    for (const node of [one, two]) {
      const checked = await ctr(node, 'images', 'check');
      expect(checked.split('\n').find((line) => line.includes(changed.image.ref))).toMatch(/complete.*true/);
    }
  });
});
