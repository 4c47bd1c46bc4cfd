import { randomUUID } from 'node:crypto';
import type { Ended } from './runCommand';
import { Shop } from './shop';

// The documents that other programs read: every field of the contract, and no other at its top.
describe('one command after another', () => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    shop.edit('libs/greeting/src/index.js', 'Welcome', randomUUID());
  });
  afterAll(() => shop.close());

  const aCount = expect.any(Number) as number;
  const aString = expect.any(String) as string;
  const aDigest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string;
  const anImage = (project: string, built: boolean) => ({
    project,
    artifact: project,
    image: project,
    tag: aString,
    digest: aDigest,
    ref: expect.stringMatching(new RegExp(`/${project}:[^@]+@sha256:[0-9a-f]{64}$`)) as string,
    inputs: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    built,
    delivered: built,
    because: aString,
  });
  const documentOf = ({ stdout }: Ended): unknown => JSON.parse(stdout);
  /** Of a command that writes its events too: the last line. */
  const endOf = (ended: Ended): unknown => documentOf({ ...ended, stdout: ended.stdout.trimEnd().split('\n').at(-1) ?? '' });

  it('`build --json` says of each image where it is and whether it was built, and builds it once', async () => {
    const build = async () => documentOf(await shop.slipway(['build', 'worker', '--json', ...shop.where]));
    const first = await build();
    expect(first).toEqual({ images: [anImage('worker', true)] });
    expect(await build()).toEqual({
      images: [{ ...(first as { images: [object] }).images[0], built: false, delivered: false, because: aString }],
    });
  });

  it('`deploy --json` says the same, and what was applied', async () => {
    expect(endOf(await shop.slipway(['deploy', 'worker', '--json', ...shop.where]))).toMatchObject({
      exitCode: 0,
      document: {
        images: [anImage('worker', false)],
        releases: [
          {
            release: 'worker',
            namespace: shop.namespace,
            state: 'ready',
            objects: ['configmap/worker', 'deployment/worker', 'service/worker'],
          },
        ],
      },
    });
    expect(await shop.onlyOne('worker')).toMatchObject({ ready: true });
  });

  it('`status --json` says of each container whether it is in step with the files', async () => {
    const dev = shop.dev('worker', '--keep');
    await dev.until('ready');
    const edit = (to: string) => shop.edit('apps/worker/src/server.js', 'total: formatPrice', `note: '${to}', total: formatPrice`);
    edit('in step');
    await dev.answer('worker', '/', 'in step');
    await dev.interrupt();

    const status = async () => documentOf(await shop.slipway(['status', 'worker', '--json', ...shop.where]));
    const { pod } = await shop.onlyOne('worker');
    const container = {
      artifact: 'worker',
      pod,
      container: 'worker',
      agent: 'node',
      files: aCount,
      treeHash: aString,
      running: true,
      restarts: 0,
    };
    const releases = [{ release: 'worker', namespace: shop.namespace, state: 'ready', message: '', current: true }];
    // Whoever else uses this machine may have some.
    const sessions = expect.any(Array) as unknown[];
    expect(await status()).toEqual({ containers: [{ ...container, inSync: true }], releases, sessions });
    edit('not sent');
    expect(await status()).toEqual({ containers: [{ ...container, inSync: false }], releases, sessions });
  });

  it('`explain FILE --json` says what an edit of a file would do, and why', async () => {
    const files = ['libs/greeting/src/index.js', 'apps/worker/Dockerfile', 'apps/worker/k8s/worker.yaml', 'README.md'];
    const one = (name: string, action: string, containerPaths: readonly string[] = []) => ({
      name,
      action,
      containerPaths,
      because: aString,
    });
    expect(documentOf(await shop.slipway(['explain', ...files, '--json']))).toEqual({
      files: [
        { path: files[0], projects: ['greeting'], artifacts: [one('worker', 'sync', ['/app/node_modules/@shop/greeting/src/index.js'])] },
        { path: files[1], projects: ['worker'], artifacts: [one('worker', 'rebuild')] },
        { path: files[2], projects: ['worker'], artifacts: [one('worker', 'redeploy')] },
        { path: files[3], projects: [], artifacts: [] },
      ],
    });
  });

  it('`inputs PROJECT --json` says which files an image takes, and where they land', async () => {
    const ended = await shop.slipway(['inputs', 'worker', '--json']);
    const { files, ...rest } = documentOf(ended) as { readonly files: readonly { readonly path: string }[] };
    expect(rest).toEqual({
      project: 'worker',
      artifact: 'worker',
      image: 'worker',
      target: 'dev',
      dockerfile: 'apps/worker/Dockerfile',
      context: '',
      contextBytes: aCount,
    });
    expect(files.map(({ path }) => path)).toEqual([
      '.dockerignore',
      'apps/worker/Dockerfile',
      'apps/worker/package.json',
      'apps/worker/src/basket.js',
      'apps/worker/src/server.js',
      'libs/greeting/package.json',
      'libs/greeting/src/index.js',
      'libs/money/package.json',
      'libs/money/src/index.js',
    ]);
    expect(files).toContainEqual({
      path: 'libs/greeting/src/index.js',
      containerPaths: ['/app/node_modules/@shop/greeting/src/index.js'],
      onChange: expect.stringMatching(/^(sync|rebuild)$/) as string,
      because: expect.stringContaining('apps/worker/Dockerfile:7') as string,
    });
    expect(ended.stderr).toBe('');
  });
});
