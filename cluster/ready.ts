import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Api } from './api';
import { apiUrl, dnsRole, dnsRoleBinding, kubeconfig, nodeRegistry, registryHost, registryHosting } from './config';
import { Engine } from './engine';
import { BASE_IMAGES, IMAGES_IN_MANIFESTS, nameOf, provideBaseImages, type BaseImagesFound } from './images';
import { NODE_NAME, type Layout } from './layout';
import type { Plan } from './plan';
import { get } from './probe';
import { ClusterProblem } from './problem';
import { findFirstProcesses } from './process';
import { listed, type Progress } from './progress';
import { run, until } from './run';
import { writeAtomically } from './state';

const READY_MS = 120_000;
const MEND_MS = 60_000;

/** Waits until all of a cluster that came up before answers; false when it does not. */
export async function waitUntilWhole(plan: Plan): Promise<boolean> {
  const api = apiOf(plan);
  try {
    return (await until(() => isWhole(api, plan), { timeoutMs: MEND_MS, everyMs: 500 })) === true;
  } finally {
    api.close();
  }
}

/** Node, registry, DNS and engine, all of them. */
async function isWhole(api: Api, plan: Plan): Promise<true | undefined> {
  const answers = await Promise.all([isNodeReady(api), registryAnswers(plan), dnsAnswers(plan), engineOf(plan).ping()]);
  return answers[0] && answers[1] && answers[2] && answers[3] !== 'silent' ? true : undefined;
}

/** Whether base images are gone from an engine, or were never there. */
export async function lacksImages(plan: Plan): Promise<boolean> {
  const engine = engineOf(plan);
  return (await Promise.all(BASE_IMAGES.map((base) => engine.hasImage(nameOf(base))))).includes(false);
}

/** Sees to it that the engine has all base images, and the cluster those that manifests name. */
export async function provideImages(plan: Plan, cacheFolder: string, progress: Progress): Promise<BaseImagesFound> {
  const { layout } = plan;
  const engine = engineOf(plan);
  const holds = whileItRuns(layout);
  const found = await progress.step({ doing: 'waiting for the engine and its base images', done: imagesLine }, async () => {
    const answered = await until(async () => holds((await engine.ping()) !== 'silent'), { timeoutMs: READY_MS });
    if (answered === undefined) throw new ClusterProblem('the Docker engine does not answer', undefined, { log: 'dockerd' });
    const images = await provideBaseImages(engine, { scratch: join(layout.state, 'tmp'), cache: cacheFolder });
    const there = [...images.had, ...images.pulled, ...images.made];
    await provideInContainerd(
      layout,
      engine,
      IMAGES_IN_MANIFESTS.filter((name) => there.includes(name)),
    );
    return images;
  });
  for (const each of found.missing) progress.note(`note: not made, ${each}`);
  return found;
}

function imagesLine({ had, pulled, made }: BaseImagesFound): string {
  const parts = [
    had.length > 0 ? `${listed(had)} there already` : '',
    pulled.length > 0 ? `${listed(pulled)} pulled` : '',
    made.length > 0 ? `${listed(made)} made from this machine` : '',
  ];
  return `engine answers; ${parts.filter(Boolean).join(', ')}`;
}

/** Images go from the engine into the cluster's own store, whichever way the engine came by them. */
async function provideInContainerd(layout: Layout, engine: Engine, names: readonly string[]): Promise<void> {
  const [pid = 0] = findFirstProcesses(layout).first;
  // Its socket is in a folder that only the cluster's processes see.
  const ctr = (...args: string[]) =>
    run(['nsenter', `--target=${pid}`, '--mount', '--', 'ctr', '--address=/run/containerd/containerd.sock', '--namespace=k8s.io', ...args]);
  const answered = await until(async () => ((await ctr('version')).status === 0 ? true : undefined), { timeoutMs: READY_MS });
  if (answered === undefined) throw new ClusterProblem('containerd does not answer', undefined, { log: 'containerd' });
  for (const name of names) {
    const { stdout } = await ctr('images', 'list', '--quiet', `name==docker.io/library/${name}`);
    if (stdout.trim() !== '') continue;
    const file = join(layout.state, 'tmp', `${name.replace(':', '-')}.tar`);
    await engine.save(name, file);
    const { status, stderr } = await ctr('images', 'import', file);
    rmSync(file, { force: true });
    if (status !== 0)
      throw new ClusterProblem(`containerd did not take the image ${name}: ${stderr.trim()}`, undefined, { log: 'containerd' });
  }
}

export async function waitForNode(plan: Plan, progress: Progress): Promise<void> {
  const { layout } = plan;
  const certificate = join(layout.pki, 'apiserver.crt');
  const holds = whileItRuns(layout);
  const api = await progress.step(
    { doing: 'waiting for the API server', done: () => `API server answers at ${apiUrl(plan)}` },
    async () => {
      const ready = await until(
        async () => {
          holds(false);
          if (!existsSync(join(layout.pki, 'apiserver.key')) || statSync(certificate).size === 0) return undefined;
          const candidate = apiOf(plan);
          if (await candidate.answers('/readyz')) return candidate;
          candidate.close();
          return undefined;
        },
        { timeoutMs: READY_MS, everyMs: 100 },
      );
      if (ready === undefined) throw new ClusterProblem('the API server does not answer', undefined, { log: 'kube-apiserver' });
      return ready;
    },
  );
  try {
    writeAtomically(layout.kubeconfig, kubeconfig(plan, 'admin', { pem: readFileSync(certificate, 'utf8') }));
    await progress.step({ doing: 'waiting for the node to be Ready', done: () => 'node is Ready, registry and DNS answer' }, async () => {
      // The API server makes this namespace itself, a moment after it is ready.
      const namespace = await until(() => api.get<object>('/api/v1/namespaces/kube-public'), { timeoutMs: READY_MS, everyMs: 100 });
      if (namespace === undefined) throw new ClusterProblem('the namespace kube-public was not made', undefined, { log: 'kube-apiserver' });
      await Promise.all([
        api.apply('/api/v1/namespaces/kube-public/configmaps/local-registry-hosting', registryHosting(registryHost(plan))),
        api.apply('/apis/rbac.authorization.k8s.io/v1/clusterroles/slipway:dns', dnsRole),
        api.apply('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/slipway:dns', dnsRoleBinding),
      ]);
      const waits: [words: string, log: string, isSo: () => Promise<boolean>][] = [
        ['the node did not become Ready', 'kubelet', () => isNodeReady(api)],
        ['the registry does not answer', 'registry', () => registryAnswers(plan)],
        ['the DNS server does not answer', 'coredns', () => dnsAnswers(plan)],
        ['no service account was made', 'kube-controller-manager', () => api.answers('/api/v1/namespaces/default/serviceaccounts/default')],
      ];
      await Promise.all(
        waits.map(async ([words, log, isSo]) => {
          const became = await until(async () => holds(await isSo()), { timeoutMs: READY_MS, everyMs: 100 });
          if (became === undefined) throw new ClusterProblem(words, undefined, { log });
        }),
      );
    });
  } finally {
    api.close();
  }
}

/** Turns an answer into what `until` waits for, and ends the wait when nobody is left to bring it about. */
function whileItRuns(layout: Layout): (answer: boolean) => true | undefined {
  const pid = findFirstProcesses(layout).first[0] ?? 0;
  return (answer) => {
    if (!existsSync(`/proc/${pid}`))
      throw new ClusterProblem('the first process of the namespaces ended', undefined, { log: 'first-process' });
    return answer ? true : undefined;
  };
}

interface Node {
  readonly spec: { readonly taints?: readonly { readonly key: string }[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Ready, and open to pods: the taint of a node that was not ready goes a moment later. */
async function isNodeReady(api: Api): Promise<boolean> {
  const node = await api.get<Node>(`/api/v1/nodes/${NODE_NAME}`);
  // The conditions are old news: a kubelet that just died has not been missed yet.
  const kubelet = await api.answers(`/api/v1/nodes/${NODE_NAME}/proxy/healthz`);
  return (
    kubelet &&
    (node?.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True') &&
    (node?.spec.taints ?? []).length === 0
  );
}

async function registryAnswers(plan: Plan): Promise<boolean> {
  return (
    (await get(`http://${nodeRegistry(plan)}/v2/`)) === 200 &&
    (plan.engine.kind === 'own' || (await get(`http://127.0.0.1:${plan.engine.registryPort}/v2/`)) === 200)
  );
}

async function dnsAnswers(plan: Plan): Promise<boolean> {
  return (await get(`http://${plan.networks.nodeAddress}:8181/ready`)) === 200;
}

/** The engine that goes with a cluster, its own or the machine's. */
export function engineOf({ engine, layout }: Plan): Engine {
  return new Engine(engine.kind === 'own' ? layout.dockerSocket : engine.socket);
}

function apiOf(plan: Plan): Api {
  return new Api(apiUrl(plan), plan.tokens.admin, readFileSync(join(plan.layout.pki, 'apiserver.crt'), 'utf8'));
}
