import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { makeCgroups } from './cgroup';
import { registryHost } from './config';
import { findCniFolder, installPackages, missingPackages } from './debian';
import { Engine, hostEngineSocket } from './engine';
import type { Environment } from './environment';
import { build, findGo, KUBERNETES_VERSION, PROGRAMS, type Go } from './gobuild';
import type { BaseImagesFound } from './images';
import { CONTEXT_NAME, type Layout } from './layout';
import { freeNetworks, makeLink } from './link';
import { withLock } from './lock';
import { withLog } from './logs';
import type { Networks } from './network';
import type { EnginePlan, Plan, Tools } from './plan';
import { ClusterProblem } from './problem';
import { endFirstProcess, findFirstProcesses, startFirstProcess } from './process';
import { listed, type Progress } from './progress';
import { lacksImages, provideImages, waitForNode, waitUntilWhole } from './ready';
import { anythingLeft, mustBeOurs, removeAll } from './remove';
import { makeSecrets, readPlan, writeAtomically, writeState, type Programs } from './state';

export interface EmbeddedOptions {
  readonly layout: Layout;
  /** The folder with a Go main package for each program. */
  readonly sourceFolder: string;
  readonly cacheFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  /** Leaves what a failed `up` made, to look at. */
  readonly keepFailed: boolean;
  /** Ends the call: what it made until then is cleared away. */
  readonly signal: AbortSignal | undefined;
}

/** Why this machine cannot have an embedded cluster, if so. */
export function refusalOfMachine(): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root, for namespaces and mounts';
  return undefined;
}

/** The cluster of a layout, as far as its state folder tells; nothing when none came up. */
export function describeEmbedded(layout: Layout): Environment | undefined {
  if (!existsSync(layout.readyFile) || findFirstProcesses(layout).first.length === 0) return undefined;
  return environmentOf(readPlan(layout));
}

function environmentOf(plan: Plan): Environment {
  return {
    kind: 'embedded',
    kubeconfig: plan.layout.kubeconfig,
    context: CONTEXT_NAME,
    dockerHost: plan.engine.kind === 'own' ? `unix://${plan.layout.dockerSocket}` : undefined,
    registry: registryHost(plan),
  };
}

/** Brings the cluster up; one that runs is left as it is, and what a killed call left half made is cleared away first. */
export function embeddedUp(options: EmbeddedOptions): Promise<Environment> {
  const { layout, progress } = options;
  return withLock(
    layout,
    () => progress.note('another call is at work on this cluster; waiting for it'),
    async () => {
      mustBeOurs(layout);
      if (existsSync(layout.readyFile) && findFirstProcesses(layout).first.length > 0) return reuse(options, readPlan(layout));
      if (await anythingLeft(layout)) {
        progress.note(
          existsSync(layout.readyFile)
            ? 'the last cluster ended without `down`; clearing away what is left of it'
            : 'clearing away what an earlier call left half made',
        );
        await removeAll(layout);
      }
      try {
        return await unlessAborted(options.signal, create(options));
      } catch (thrown) {
        const told = withLog(thrown, layout.log);
        if (options.keepFailed) progress.note(`left as it is, with logs in ${layout.log}`);
        else await removeAll(layout);
        throw told;
      }
    },
  );
}

function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = () =>
      reject(new ClusterProblem('stopped before the cluster was up; what it had made is gone', undefined, { exitCode: 130 }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, aborted]);
}

/** Waits for both, also when one fails: nothing goes on in the back of whoever clears away after a failure. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

function tellStandIns({ engine }: Plan, { made }: BaseImagesFound, progress: Progress): void {
  if (engine.kind === 'host' && made.length > 0)
    progress.note(`note: ${listed(made)} in your engine are stand-ins made from this machine (label dev.slipway.made-by=cluster)`);
}

async function reuse(options: EmbeddedOptions, plan: Plan): Promise<Environment> {
  const { layout, progress, cacheFolder } = options;
  const startedAt = Date.now();
  if (!(await waitUntilWhole(plan))) {
    throw new ClusterProblem(
      'the cluster runs, but not all of it answers',
      `Look into ${layout.log}, or start anew with cluster:down and cluster:up.`,
    );
  }
  progress.note(Date.now() - startedAt > 1_000 ? 'the cluster runs already, and answers again' : 'the cluster runs already');
  // An engine's images can be deleted while it runs, and an earlier version of this made fewer.
  if (await lacksImages(plan)) {
    await installMissing(options, plan.engine);
    tellStandIns(plan, await provideImages(plan, cacheFolder, progress), progress);
  }
  return environmentOf(plan);
}

async function create(options: EmbeddedOptions): Promise<Environment> {
  const { layout, progress, env } = options;
  const go = await findGo();
  mkdirSync(layout.state, { recursive: true, mode: 0o700 });
  writeFileSync(layout.markerFile, '');
  mkdirSync(layout.log, { recursive: true, mode: 0o700 });
  const engine = await chooseEngine(layout, env, progress);
  const [programs] = await both(buildPrograms(options, go), installMissing(options, engine));
  const tools: Tools = {
    kubernetes: join(layout.state, 'bin/kubernetes'),
    coredns: join(layout.state, 'bin/coredns'),
    cniFolder: findCniFolder() ?? '',
  };
  const secrets = makeSecrets();
  const planWith = (networks: Networks): Plan => ({
    layout,
    networks,
    engine,
    tools,
    tokens: secrets.tokens,
    outside: existsSync('/dev/net/tun'),
  });
  const plan = await progress.step(
    { doing: 'starting the namespaces', done: ({ networks }) => `namespaces started, the node is ${networks.nodeAddress}` },
    () => startNamespaces(options, planWith, (made) => writeState(made, secrets, programs)),
  );
  const [images] = await both(provideImages(plan, options.cacheFolder, progress), waitForNode(plan, progress));
  tellStandIns(plan, images, progress);
  writeAtomically(layout.readyFile, '');
  return environmentOf(plan);
}

async function chooseEngine(layout: Layout, env: NodeJS.ProcessEnv, progress: Progress): Promise<EnginePlan> {
  const socket = hostEngineSocket(env);
  if (socket === undefined) {
    progress.note(`DOCKER_HOST=${env['DOCKER_HOST'] ?? ''} is not an engine of this machine; starting one of our own`);
    return { kind: 'own' };
  }
  if (!existsSync(socket) || (await new Engine(socket).ping()) !== 'theirs') return { kind: 'own' };
  const registryPort = await freeLoopbackPort();
  progress.note(`using the Docker engine at ${socket}, which stays as it is`);
  return { kind: 'host', socket, registryPort };
}

/** Ports that people's own registries seldom have, in the order in which they are tried. */
async function freeLoopbackPort(): Promise<number> {
  for (let port = 5051; port < 5151; port++) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.on('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new ClusterProblem('no port from 5051 to 5150 is free on this machine for the registry');
}

async function buildPrograms({ sourceFolder, cacheFolder, layout, progress }: EmbeddedOptions, go: Go): Promise<Programs> {
  const paths: Partial<Programs> = {};
  // One after another: Go keeps all processors busy with one.
  for (const program of Object.values(PROGRAMS)) {
    const words = program.name === 'kubernetes' ? `Kubernetes ${KUBERNETES_VERSION}` : program.name;
    const { path } = await progress.step(
      {
        doing: `building ${words} (first time, ${program.firstTime})`,
        done: ({ fromCache }) => (fromCache ? undefined : `${words} built`),
      },
      () => build(program, { go, sourceFolder, cacheFolder, logFile: join(layout.log, `build-${program.name}.log`) }),
    );
    paths[program.name] = path;
  }
  return paths as Programs;
}

async function installMissing({ layout, progress }: EmbeddedOptions, engine: EnginePlan): Promise<void> {
  const missing = missingPackages(engine.kind === 'own');
  if (missing.length === 0) return;
  await progress.step(
    { doing: `installing the Debian packages ${missing.join(', ')}`, done: () => `Debian packages installed: ${missing.join(', ')}` },
    () => installPackages(missing, join(layout.log, 'packages.log')),
  );
  const still = missingPackages(engine.kind === 'own');
  if (still.length > 0) throw new ClusterProblem(`the packages ${still.join(', ')} were installed and do not bring what they should`);
}

const BLOCKS_TRIED = 4;

/** Starts the first process with a block of addresses that nobody has. */
async function startNamespaces(
  { layout, signal }: EmbeddedOptions,
  planWith: (networks: Networks) => Plan,
  write: (plan: Plan) => Promise<void>,
): Promise<Plan> {
  for (const networks of (await freeNetworks()).slice(0, BLOCKS_TRIED)) {
    const plan = planWith(networks);
    await write(plan);
    // Whoever stopped the call clears away behind it; nothing may start after that.
    signal?.throwIfAborted();
    const pid = await startFirstProcess(layout, makeCgroups(layout.cgroup));
    if (pid === undefined) {
      throw new ClusterProblem(
        'the first process of the namespaces did not start',
        'The kernel may forbid new namespaces here, as in a container without privileges.',
        {
          log: 'first-process',
        },
      );
    }
    if ((await makeLink(layout, networks, pid)) === 'made') return plan;
    await endFirstProcess(layout);
  }
  throw new ClusterProblem(
    'every block of addresses that the cluster could use is taken on this machine',
    'Bring down a cluster that is not needed.',
  );
}

/** Ends the cluster. Nothing to end is not an error. */
export function embeddedDown({ layout, progress }: Pick<EmbeddedOptions, 'layout' | 'progress'>): Promise<void> {
  return withLock(
    layout,
    () => progress.note('another call is at work on this cluster; waiting for it'),
    async () => {
      mustBeOurs(layout);
      const removed = await progress.step(
        { doing: 'ending the cluster', done: (what) => (what.length === 0 ? 'no cluster runs here' : `gone: ${what.join('; ')}`) },
        () => removeAll(layout),
      );
      if (removed.length === 0) return;
      if (await anythingLeft(layout)) throw new ClusterProblem('something of the cluster is still there', 'Run cluster:down again.');
      progress.note('checked: no process, mount, interface, control group or file of it is left');
    },
  );
}
