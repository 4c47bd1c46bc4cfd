import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { pack } from 'tar-stream';
import { type Kube, type KubeObject, connectEngine, connectKube, openRegistry, processes } from '../clients';
import { engineSuite } from '../testkit/engineSuite';
import { kubeSuite } from '../testkit/kubeSuite';
import { processesSuite } from '../testkit/processesSuite';
import { registrySuite } from '../testkit/registrySuite';
import { startContainer } from './engineContainer';
import { localRegistry, valueOf } from './localRegistry';

// The real clients keep what the fakes promise: on the cluster, engine and registry that the environment names.
const run = `e2e-${randomUUID().slice(0, 8)}`;
const engine = connectEngine();

kubeSuite('a real cluster', async () => {
  const kube = valueOf(await connectKube());
  const image = `${await localRegistry(kube)}/${run}/base:1`;
  valueOf(await engine.tag('busybox:1.36', image));
  valueOf(await engine.push({ ref: image, signal: new AbortController().signal, onLine: () => undefined }));
  valueOf(await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: run } }));
  const start = async (name: string, script: string, more: object = {}): Promise<void> => {
    const container = { name: 'main', image, command: ['sh', '-c', script], ...more };
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
    valueOf(await kube.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: run, labels: { own: name } }, spec }));
    await untilReady(kube, name);
  };
  return {
    kube,
    namespace: run,
    startPod: start,
    startWebPod: (name, port, page) =>
      start(name, `mkdir -p /www && echo '${page}' > /www/index.html && exec httpd -f -p ${port} -h /www`, {
        readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
      }),
    async close() {
      valueOf(await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: run }));
      valueOf(await engine.remove(image));
    },
  };
});

engineSuite('a real engine', async () => {
  const repository = `${await localRegistry(valueOf(await connectKube()))}/${run}`;
  const container = await startContainer({ image: 'busybox:1.36', command: ['sleep', '3600'], labels: { 'slipway.dev/test': run } });
  return {
    engine,
    repository,
    base: 'busybox:1.36',
    container,
    async close() {
      await container.remove();
      for (const { refs } of valueOf(await engine.list({ name: 'slipway.dev/test' })))
        for (const ref of refs) valueOf(await engine.remove(ref));
      for (const name of ['target', 'pushed', 'named']) valueOf(await engine.remove(`${repository}/${name}:1`));
    },
  };
});

registrySuite('a real registry', async () => ({
  registry: openRegistry(),
  repository: `${await localRegistry(valueOf(await connectKube()))}/${run}`,
  async put(ref, content) {
    const entries = pack();
    entries.entry({ name: 'Dockerfile' }, 'FROM scratch\nCOPY content /\n');
    entries.entry({ name: 'content' }, content);
    entries.finalize();
    const context = new PassThrough();
    entries.pipe(context);
    const { signal } = new AbortController();
    valueOf(await engine.build({ context, dockerfile: 'Dockerfile', args: {}, labels: {}, tags: [ref], signal, onLine: () => undefined }));
    const { digest } = valueOf(await engine.push({ ref, signal, onLine: () => undefined }));
    valueOf(await engine.remove(ref));
    return digest;
  },
  close: () => Promise.resolve(),
}));

processesSuite('this machine', {
  processes,
  talks: ['node', '-e', 'console.log("one\\ntwo"); console.error("oops"); process.exitCode = 3'],
  echoes: ['node', '-e', 'process.stdin.pipe(process.stdout)'],
  hangs: ['node', '-e', 'console.log("started"); setInterval(() => {}, 1000)'],
});

function untilReady(kube: Kube, pod: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (object: KubeObject): void => {
      const status = object['status'] as { readonly containerStatuses?: readonly { readonly ready: boolean }[] } | undefined;
      if (!status?.containerStatuses?.every((each) => each.ready)) return;
      watch.stop();
      resolve();
    };
    const watch = kube.watch(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace: run, labelSelector: `own=${pod}` },
      { onList: (objects) => objects.forEach(look), onChange: (_change, object) => look(object), onTrouble: () => undefined },
    );
  });
}
