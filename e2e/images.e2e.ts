import { randomUUID } from 'node:crypto';
import { connectKube, openRegistry, processes } from '../clients';
import { localRegistry, valueOf } from './localRegistry';
import { Shop } from './shop';

interface BuiltImage {
  readonly project: string;
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
    shop.write('apps/platform/Dockerfile', 'FROM busybox:1.36\nCOPY word /word\n');
    shop.write('apps/platform/word', word);
    shop.write('apps/found/package.json', '{"name": "found", "version": "1.0.0", "private": true}');
    shop.write('apps/found/Dockerfile', 'FROM platform\nRUN cp /word /found\n');
    shop.write('apps/named/package.json', '{"name": "named", "version": "1.0.0", "private": true}');
    shop.write('apps/named/Dockerfile', 'ARG BASE\nFROM ${BASE}\nRUN cp /word /named\n');
    shop.write('apps/named/slipway.yaml', 'version: 1\nimage: {requires: [{project: platform, arg: BASE}]}\n');
    const both = async () =>
      Object.fromEntries((await build('found', 'named')).map(({ project, built, digest }) => [project, { built, digest }]));
    const first = await both();
    expect(first).toMatchObject({ found: { built: true }, named: { built: true } });
    expect(await both()).toMatchObject({ found: { built: false }, named: { built: false } });
    shop.write('apps/platform/word', `${word} again`);
    const second = await both();
    expect(second).toMatchObject({ found: { built: true }, named: { built: true } });
    expect(second['found']?.digest).not.toBe(first['found']?.digest);
  });
});
