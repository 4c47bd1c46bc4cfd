import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { findProgram } from '../cluster/debian';
import { placeProgram } from '../cluster/standins/place';
import { buildkitPrograms, firstBuildMs } from './buildkitDaemon';
import { builtPrograms } from './deployTools';
import { imagesOfIndex, localRegistry, valueOf } from './localRegistry';
import { Shop } from './shop';
import { until } from './until';

interface BuilderPod {
  readonly spec?: object;
  readonly status?: { readonly containerStatuses?: readonly { readonly ready: boolean }[] };
}

describe('images that are made in the cluster', () => {
  const shop = new Shop();
  let registry: string;

  /** Images that the cluster can pull: one of buildkitd, and one to stand on, both of them made by Slipway from a Dockerfile. */
  beforeAll(async () => {
    await shop.open();
    registry = await localRegistry(shop.kube);
    for (const { name, path } of await builtPrograms(buildkitPrograms, shop.path('out/go')))
      cpSync(path, shop.path(`apps/daemon/usr/bin/${name}`));
    const runc = findProgram('runc');
    if (runc === undefined) throw new Error('there is no runc on this machine, which buildkitd runs commands with');
    await placeProgram(runc, shop.path('apps/daemon'), 'usr/bin/runc');
    shop.write('apps/daemon/package.json', '{"name": "daemon", "version": "1.0.0", "private": true}');
    shop.write('apps/daemon/Dockerfile', 'FROM busybox:1.36\nCOPY . /\nENTRYPOINT ["buildkitd"]\n');
    shop.write('apps/ground/package.json', '{"name": "ground", "version": "1.0.0", "private": true}');
    shop.write('apps/ground/Dockerfile', 'FROM node:20-slim\n');
    const { stdout } = await shop.slipway(['build', 'daemon', '--json', ...shop.where]);
    const { images } = JSON.parse(stdout) as { readonly images: readonly { readonly ref: string }[] };
    shop.write(
      'slipway.yaml',
      `version: 1
build:
  buildkit:
    namespace: ${shop.namespace}
    image: ${images[0]?.ref ?? ''}
    cacheRepo: ${registry}/${shop.namespace}
    serviceAccount: builder
    pullSecret: pull
    nodeSelector: {kubernetes.io/os: linux}
    tolerations: [{key: builders, operator: Exists}]
    resources: {requests: {cpu: 50m, memory: 64Mi}}
`,
    );
    valueOf(await shop.kube.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace: shop.namespace } }));
    shop.edit('apps/worker/Dockerfile', 'FROM node:20-slim', 'FROM ground');
    shop.edit(
      'apps/worker/Dockerfile',
      'RUN chown',
      `ARG RUN_OF=${shop.namespace}\nRUN --mount=type=secret,id=token grep -q sesame /run/secrets/token && chown`,
    );
    shop.write('token.txt', 'sesame');
    shop.write(
      'apps/worker/slipway.yaml',
      'version: 1\nimage: {builder: buildkit, docker: {secrets: [{id: token, src: ../../token.txt}]}}\n',
    );
  }, firstBuildMs);
  afterAll(() => shop.close());

  const builderPods = async () => {
    const pods = valueOf(
      await shop.kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: shop.namespace, labelSelector: 'slipway.dev/builder-pod' }),
    );
    return pods.map((pod) => {
      const { spec, status } = pod as BuilderPod;
      return { spec, isReady: (status?.containerStatuses ?? []).some(({ ready }) => ready) };
    });
  };
  const noneIsLeft = () => until('no pod of a builder is left', async () => ((await builderPods()).length === 0 ? true : undefined));

  it('stand on images of the workspace, are deployed like any other, and use the steps of the build before again, in a pod of their own', async () => {
    shop.edit('libs/greeting/src/index.js', 'Welcome', randomUUID());
    const { stdout } = await shop.slipway(['deploy', 'worker', ...shop.where]);
    expect(stdout).toMatch(/worker .*built .*\/worker:\w+ with buildkit/);
    await shop.onlyOne('worker');
    await noneIsLeft();

    shop.edit('libs/money/src/index.js', 'export', `// ${randomUUID()}\nexport`);
    const again = await shop.slipway(['build', 'worker', '--verbosity=debug', ...shop.where]);
    expect(again.stdout).toMatch(/RUN --mount=type=secret.* \(cached\)/);
    await noneIsLeft();
  });

  it('for several platforms are an index, with what each of them takes', async () => {
    const word = randomUUID();
    shop.write('apps/many/package.json', '{"name": "many", "version": "1.0.0", "private": true}');
    shop.write('apps/many/slipway.yaml', 'version: 1\nimage: {builder: buildkit, platforms: [linux/arm64, linux/amd64]}\n');
    shop.write(
      'apps/many/Dockerfile',
      'FROM --platform=$BUILDPLATFORM ground AS make\nARG TARGETARCH\nRUN echo $TARGETARCH > /arch\n' +
        'FROM scratch\nARG TARGETARCH\nCOPY --from=make /arch /arch\nCOPY word-${TARGETARCH} /word\n',
    );
    for (const platform of ['amd64', 'arm64']) shop.write(`apps/many/word-${platform}`, `${word} of ${platform}`);
    const { stdout } = await shop.slipway(['build', 'many', '--json', ...shop.where]);
    const { images } = JSON.parse(stdout) as { readonly images: readonly { readonly ref: string }[] };
    const made = await imagesOfIndex(images[0]?.ref ?? '');
    expect(made.map(({ platform }) => platform.architecture).sort()).toEqual(['amd64', 'arm64']);
    expect(new Set(made.map(({ digest }) => digest)).size).toBe(2);
    await noneIsLeft();
  });

  it('that fail are told with the line of the Dockerfile, and leave nothing behind', async () => {
    const undo = shop.edit('apps/worker/Dockerfile', 'USER node', 'RUN echo out of luck && exit 3\nUSER node');
    const { stdout } = await shop.slipway(['build', 'worker', ...shop.where], { exitCode: 1 });
    expect(stdout).toMatch(/· out of luck\n[^]*the build failed at RUN echo out of luck .*exit code 3[^]*apps\/worker\/Dockerfile:7/);
    undo();
    await noneIsLeft();
  });

  it('that are cancelled leave nothing behind, in a pod that is as the config says', async () => {
    const undo = shop.edit('apps/worker/Dockerfile', 'USER node', 'RUN sleep 600\nUSER node');
    const cancelled = shop.dev('worker');
    const pod = await until(
      'buildkitd is ready',
      async () => (await builderPods()).find(({ isReady }) => isReady),
      () => cancelled.told(),
    );
    expect(pod.spec).toMatchObject({
      serviceAccountName: 'builder',
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: expect.arrayContaining([expect.objectContaining({ key: 'builders' })]) as unknown,
      containers: [expect.objectContaining({ resources: { requests: { cpu: '50m', memory: '64Mi' } } })],
    });
    await cancelled.interrupt();
    undo();
    await noneIsLeft();
  });

  it('whose command is killed are taken up by the next, which removes the pod that was left', async () => {
    const undo = shop.edit('apps/worker/Dockerfile', 'USER node', 'RUN sleep 600\nUSER node');
    const killed = shop.dev('worker');
    await until(
      'buildkitd is ready',
      async () => (await builderPods()).find(({ isReady }) => isReady),
      () => killed.told(),
    );
    await killed.kill9();
    undo();
    expect(await builderPods()).toHaveLength(1);
    shop.edit('libs/money/src/index.js', 'export', `// ${randomUUID()}\nexport`);
    await shop.slipway(['build', 'worker', ...shop.where]);
    await noneIsLeft();
  });
});
