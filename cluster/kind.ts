import { mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { registryHosting } from './config';
import { Engine, hostEngineSocket } from './engine';
import { findProgram } from './debian';
import type { Environment } from './environment';
import { IMAGES_IN_MANIFESTS, PROBE_MS } from './images';
import { ClusterProblem } from './problem';
import type { Progress } from './progress';
import { run } from './run';

/*
 * The cluster that kind makes, with a registry beside it as kind's own page on local registries has it:
 * https://kind.sigs.k8s.io/docs/user/local-registry/
 */
const CLUSTER = 'slipway';
const CONTEXT = 'kind-slipway';
const REGISTRY_CONTAINER = 'slipway-registry';
const REGISTRY_PORT = 5001;
const REGISTRY_HOST = `localhost:${REGISTRY_PORT}`;

/** Whether kind and a Docker engine of this machine are there. */
export async function kindIsHere(env: NodeJS.ProcessEnv): Promise<boolean> {
  if (findProgram('kind') === undefined || findProgram('docker') === undefined) return false;
  const socket = hostEngineSocket(env);
  // An engine elsewhere is kind's to judge; ours, in a network without the host's, is not one to put nodes into.
  if (socket === undefined) return (await run(['docker', 'version'], { env, timeoutMs: 5_000 })).status === 0;
  return (await new Engine(socket).ping()) === 'theirs';
}

export async function kindIsUp(env: NodeJS.ProcessEnv): Promise<boolean> {
  if (findProgram('kind') === undefined) return false;
  const { stdout } = await run(['kind', 'get', 'clusters'], { env, timeoutMs: 20_000 });
  return stdout.split('\n').includes(CLUSTER);
}

export function describeKind(env: NodeJS.ProcessEnv): Environment {
  return { kind: 'kind', kubeconfig: kubeconfigOf(env), context: CONTEXT, dockerHost: undefined, registry: REGISTRY_HOST };
}

// A file of its own: the user's kubeconfig is never written to.
function kubeconfigOf(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local/state'), 'slipway/kind.kubeconfig');
}

/** Makes the cluster and its registry, or what of them is missing. */
export async function kindUp(env: NodeJS.ProcessEnv, progress: Progress): Promise<Environment> {
  const must = mustRunIn(env);
  const kubeconfig = kubeconfigOf(env);
  mkdirSync(dirname(kubeconfig), { recursive: true });
  await progress.step({ doing: 'starting the registry', done: () => `registry at ${REGISTRY_HOST}` }, async () => {
    const state = await run(['docker', 'inspect', '-f', '{{.State.Running}}', REGISTRY_CONTAINER], { env });
    if (state.status !== 0)
      await must([
        'docker',
        'run',
        '-d',
        '--restart=always',
        '-p',
        `127.0.0.1:${REGISTRY_PORT}:5000`,
        '-e',
        'REGISTRY_STORAGE_DELETE_ENABLED=true',
        '--network',
        'bridge',
        '--name',
        REGISTRY_CONTAINER,
        'registry:2',
      ]);
    else if (state.stdout.trim() !== 'true') await must(['docker', 'start', REGISTRY_CONTAINER]);
  });
  await progress.step({ doing: 'making the kind cluster', done: () => `kind cluster ${CLUSTER} is up` }, async () => {
    if (await kindIsUp(env)) await must(['kind', 'export', 'kubeconfig', '--name', CLUSTER, '--kubeconfig', kubeconfig]);
    else
      await must(
        ['kind', 'create', 'cluster', '--name', CLUSTER, '--kubeconfig', kubeconfig, '--wait', '180s', '--config', '-'],
        KIND_CONFIG,
      );
  });
  await progress.step({ doing: 'joining the registry to the cluster', done: () => undefined }, async () => {
    const nodes = (await must(['kind', 'get', 'nodes', '--name', CLUSTER])).split('\n').filter(Boolean);
    const folder = `/etc/containerd/certs.d/${REGISTRY_HOST}`;
    for (const node of nodes) {
      await must(['docker', 'exec', node, 'mkdir', '-p', folder]);
      await must(
        ['docker', 'exec', '-i', node, 'cp', '/dev/stdin', `${folder}/hosts.toml`],
        `[host."http://${REGISTRY_CONTAINER}:5000"]\n`,
      );
    }
    const networks = await must(['docker', 'inspect', '-f', '{{json .NetworkSettings.Networks.kind}}', REGISTRY_CONTAINER]);
    if (networks.trim() === 'null') await must(['docker', 'network', 'connect', 'kind', REGISTRY_CONTAINER]);
    const kubectl = ['docker', 'exec', '-i', nodes[0] ?? '', 'kubectl', '--kubeconfig=/etc/kubernetes/admin.conf'] as const;
    await must(
      [...kubectl, 'apply', '--server-side', '--force-conflicts', '--field-manager=slipway-cluster', '-f', '-'],
      JSON.stringify(registryHosting(REGISTRY_HOST)),
    );
  });
  await provideInNodes(env, progress);
  return describeKind(env);
}

/** Images that manifests name are pulled by the nodes themselves; where no registry is in reach, those that the engine has are handed to them. */
async function provideInNodes(env: NodeJS.ProcessEnv, progress: Progress): Promise<void> {
  const socket = hostEngineSocket(env);
  if (socket === undefined) return;
  const engine = new Engine(socket);
  for (const name of IMAGES_IN_MANIFESTS) {
    if (!(await engine.hasImage(name)) || (await engine.reachesRegistryOf(name, PROBE_MS))) continue;
    await progress.step({ doing: `loading ${name} into the nodes`, done: () => `${name} loaded into the nodes` }, () =>
      mustRunIn(env)(['kind', 'load', 'docker-image', name, '--name', CLUSTER]),
    );
  }
}

export async function kindDown(env: NodeJS.ProcessEnv, progress: Progress): Promise<void> {
  const must = mustRunIn(env);
  await progress.step({ doing: 'removing the kind cluster', done: () => `kind cluster ${CLUSTER} and its registry are gone` }, async () => {
    await must(['kind', 'delete', 'cluster', '--name', CLUSTER, '--kubeconfig', kubeconfigOf(env)]);
    await run(['docker', 'rm', '-f', '-v', REGISTRY_CONTAINER], { env });
    rmSync(kubeconfigOf(env), { force: true });
  });
}

const KIND_CONFIG = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
containerdConfigPatches:
  - |-
    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = "/etc/containerd/certs.d"
kubeadmConfigPatches:
  - |
    kind: KubeletConfiguration
    maxPods: 150
    serializeImagePulls: false
`;

function mustRunIn(env: NodeJS.ProcessEnv): (command: readonly [string, ...string[]], input?: string) => Promise<string> {
  return async (command, input) => {
    const { status, stdout, stderr } = await run(command, { env, ...(input === undefined ? {} : { input }) });
    if (status !== 0)
      throw new ClusterProblem(
        `\`${command.slice(0, 3).join(' ')} …\` failed: ${stderr.trim().split('\n').slice(-3).join(' · ')}`,
        'See `kind export logs --name slipway`.',
      );
    return stdout;
  };
}
