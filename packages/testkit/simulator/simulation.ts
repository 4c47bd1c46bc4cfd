import {
  emptyDir,
  entryAt,
  leavesOf,
  type DirEntry,
  type Entry,
  type Fact,
  type Goal,
  type Outcome,
  type Problem,
  type Retry,
  type Snapshot,
  type Step,
  type SyncChange,
  type World,
} from '../../model';
import { emptyWorld, snapshotOf, stopAsked } from '../../plan';
import { inputDigestTag } from '../../tag';
import { Clock } from './clock';
import { seenContainers, type LedgerLine, type SimImage, type SimPod, type SimRelease } from './cluster';
import { entryOf, filesBelow, treeOf, type Files } from './disk';
import { Random } from './random';
import type { Rules } from './rules';
import { shopArtifacts, shopBase, shopTarget, shopWorkspace, type ShopArtifact } from './shop';

/** The reference that an image is found by. */
export function contentRef(artifact: string, inputsHash: string): string {
  return `${artifact}:${inputDigestTag(inputsHash)}`;
}

const syncTiming = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };

function problem(code: string, retry: Retry): Problem {
  return { code, message: code, retry, exitCode: 1 };
}

function isCompiled(artifact: string, path: string): boolean {
  const shop = shopArtifacts.find(({ name }) => name === artifact);
  return shop?.copies.some(([from, to]) => shop.compiled?.includes(from) === true && path.startsWith(`${to}/`)) === true;
}

function compiledFiles(artifact: string, files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...files].filter(([path]) => isCompiled(artifact, path)));
}

/** The files of a tree as text; this disk knows no empty directories, the loop does. */
function filesText(tree: Entry): string {
  return [...leavesOf(tree)].flatMap(([path, entry]) => (entry.kind === 'dir' ? [] : [`${path} ${entry.hash}`])).join(',');
}

/**
 * A workspace, an engine, a registry, a cluster and a loop, in virtual time, with everything that goes wrong in real ones:
 * facts late, lost and doubled, steps that fail half-way, containers that restart in place, files that change after they
 * were hashed. The loop can be killed and started again; disk, registry and cluster stay.
 */
export class Simulation {
  readonly clock = new Clock();
  readonly random: Random;
  readonly disk: Files = new Map();
  readonly releases = new Map<string, SimRelease>();
  world: World = emptyWorld;
  /** What must never happen on the way, and did. */
  readonly violations: string[] = [];
  /** Things only go wrong while this is true. */
  faults = true;

  private readonly workspace = shopWorkspace();
  private readonly goal: Goal = {
    kind: 'live',
    artifacts: new Set(shopArtifacts.map(({ name }) => name)),
    releases: new Set(shopArtifacts.map(({ name }) => name)),
  };
  private readonly engine = new Map<string, SimImage>();
  private readonly registry = new Map<string, SimImage>();
  private readonly records = new Map<string, Snapshot>();
  private incarnation = 0;
  private counter = 0;
  private revision = 0;
  private reported = new Map<string, string>();
  private lastDelivery = 0;
  private readonly stopping = new Set<string>();
  private readonly connections = new Map<string, string>();
  private readonly touchedAt = new Map<string, number>();
  private readonly streams = new Map<string, number>();

  constructor(
    seed: number,
    private readonly rules: Rules,
  ) {
    this.random = new Random(seed);
    for (const { name } of shopArtifacts)
      this.releases.set(name, { fingerprint: '', appliedAt: 0, images: {}, pods: [], config: '', rollout: { state: 'ready' } });
  }

  // ---- the loop -------------------------------------------------------------------------------------------------

  /** Starts a loop that knows nothing; one that ran before is killed without a word. */
  startLoop(): void {
    this.incarnation += 1;
    // A known limit: what a loop wrote into a container that had just started, and then died itself, is taken to be taken up.
    for (const pod of [...this.releases.values()].flatMap((release) => release.pods)) {
      if (shopArtifacts.some(({ name, reload }) => name === pod.artifact && reload === 'hot')) pod.loaded = new Map(pod.files);
    }
    this.world = emptyWorld;
    this.connections.clear();
    this.stopping.clear();
    this.reported = new Map();
    this.lastDelivery = this.clock.now;
    this.take({ kind: 'goalSet', goal: this.goal });
    this.take({ kind: 'workspaceSeen', workspace: this.workspace });
    this.take({ kind: 'clockTicked', now: this.clock.now });
    this.look([...this.disk.keys()], true);
    for (const name of this.releases.keys()) this.tell(name);
    const mine = this.incarnation;
    const sweep = (): void => {
      if (mine !== this.incarnation) return;
      this.look([...new Set([...this.disk.keys(), ...this.reported.keys()])], false);
      this.clock.after(2000, sweep);
    };
    this.clock.after(2000, sweep);
  }

  /** A person presses a key: a new image of an artifact, or another look at what a container holds. */
  ask(artifact: string, what: 'rebuild' | 'resync'): void {
    if (what === 'rebuild') return this.take({ kind: 'rebuildAsked', artifact });
    for (const { seen, files } of this.world.containers.values()) {
      if (seen.artifact !== artifact || !files) continue;
      const paths = [...leavesOf(files)].flatMap(([path, { kind }]) => (kind === 'file' ? [`/${path}`] : []));
      this.take({ kind: 'contentDoubted', container: seen.id, paths: paths.slice(0, 2) });
    }
  }

  private take(fact: Fact): void {
    this.world = this.rules.record(this.world, { kind: 'clockTicked', now: this.clock.now });
    this.world = this.rules.record(this.world, fact);
    this.turn();
  }

  private turn(): void {
    for (let round = 0; round < 20; round += 1) {
      const plan = this.rules.plan(this.world);
      for (const id of plan.stop) {
        this.world = stopAsked(this.world, id);
        this.stopping.add(id);
      }
      for (const step of plan.start) this.launch(step);
      if (plan.start.length > 0) continue;
      if (plan.wakeAt !== undefined) {
        const mine = this.incarnation;
        this.clock.after(Math.max(1, plan.wakeAt - this.clock.now), () => {
          if (mine === this.incarnation && this.clock.now > this.world.now) this.take({ kind: 'clockTicked', now: this.clock.now });
        });
      }
      return;
    }
  }

  private launch(step: Step): void {
    this.counter += 1;
    const id = `s${String(this.counter)}`;
    this.world = this.rules.record(this.world, { kind: 'stepStarted', id, step, at: this.clock.now });
    const mine = this.incarnation;
    this.run(id, step, (outcome) => {
      const end = (): void => {
        if (mine === this.incarnation) this.take({ kind: 'stepEnded', id, outcome, at: this.clock.now });
      };
      this.clock.after(this.random.between(0, 5), end);
      if (this.fails(0.1)) this.clock.after(this.random.between(5, 2000), end);
    });
  }

  private fails(probability: number): boolean {
    return this.faults && this.random.chance(probability);
  }

  // ---- the disk and its watcher ---------------------------------------------------------------------------------

  edit(path: string, content: string | undefined): void {
    if (content === undefined) this.disk.delete(path);
    else this.disk.set(path, content);
    this.touchedAt.set(path, this.clock.now);
    // Some events are lost: the sweep finds those.
    if (!this.fails(0.1)) {
      const mine = this.incarnation;
      this.clock.after(this.random.between(1, 60), () => {
        if (mine === this.incarnation) this.look([path], false);
      });
    }
  }

  /** Reads paths now; what is new is told a little later, in order, so the disk may have changed again by then. */
  private look(paths: readonly string[], scanned: boolean): void {
    const entries: (readonly [string, Entry | undefined])[] = [];
    for (const path of paths) {
      const content = this.disk.get(path);
      if (this.reported.get(path) === content) continue;
      if (content === undefined) this.reported.delete(path);
      else this.reported.set(path, content);
      entries.push([path, content === undefined ? undefined : entryOf(content)]);
    }
    if (entries.length === 0 && !scanned) return;
    this.lastDelivery = Math.max(this.lastDelivery, this.clock.now + this.random.between(0, 40));
    const mine = this.incarnation;
    const deliver = (): void => {
      if (mine === this.incarnation) this.take({ kind: 'filesSeen', entries, scanned, at: this.clock.now });
    };
    this.clock.after(this.lastDelivery - this.clock.now, deliver);
  }

  // ---- the cluster ----------------------------------------------------------------------------------------------

  /** Tells the loop of a release, perhaps late, twice, or not at all; what was lost comes with the next relist. */
  private tell(name: string): void {
    const release = this.releases.get(name);
    if (!release) return;
    this.revision += 1;
    const fact: Fact = {
      kind: 'releaseSeen',
      release: name,
      revision: this.revision,
      live:
        release.fingerprint === ''
          ? { state: 'absent' }
          : {
              state: 'found',
              value: {
                fingerprint: release.fingerprint,
                appliedAt: release.appliedAt,
                images: this.withRecords(release),
                rollout: release.rollout,
              },
            },
      containers: seenContainers(release, this.records),
    };
    const mine = this.incarnation;
    const deliver = (): void => {
      if (mine === this.incarnation) this.take(fact);
    };
    if (this.fails(0.1)) {
      this.clock.after(this.random.between(500, 2000), () => {
        if (mine === this.incarnation) this.tell(name);
      });
    } else {
      this.clock.after(this.random.between(1, 120), deliver);
    }
    if (this.fails(0.1)) this.clock.after(this.random.between(1, 1500), deliver);
  }

  private withRecords(release: SimRelease): SimRelease['images'] {
    return Object.fromEntries(
      Object.entries(release.images).map(([artifact, image]) => [artifact, { ...image, snapshot: this.records.get(image.inputsHash) }]),
    );
  }

  private newContainerId(): string {
    this.counter += 1;
    return `c${String(this.counter)}`;
  }

  private startPod(release: SimRelease, artifact: string, image: SimImage): SimPod {
    this.counter += 1;
    const pod: SimPod = {
      name: `${artifact}-${String(this.counter)}`,
      artifact,
      image,
      fingerprint: release.fingerprint,
      containerId: this.newContainerId(),
      running: true,
      restarts: 0,
      files: new Map(image.files),
      ledger: new Map(),
      binary: compiledFiles(artifact, image.files),
      loaded: new Map(image.files),
      watchesFrom: 0,
    };
    release.pods.push(pod);
    this.startProcess(pod);
    return pod;
  }

  private rollOut(name: string): void {
    const release = this.releases.get(name);
    const shop = shopArtifacts.find((artifact) => artifact.name === name);
    const image = release?.images[name];
    const content = image && this.registry.get(contentRef(name, image.inputsHash));
    if (!release || !shop || !content) return;
    const { fingerprint } = release;
    release.rollout = { state: 'progressing', message: '' };
    this.clock.after(this.random.between(50, 800), () => {
      if (release.fingerprint !== fingerprint) return;
      const kept = release.pods.filter((pod) => pod.image.inputsHash === content.inputsHash);
      while (kept.length < shop.replicas) kept.push(this.startPod(release, name, content));
      this.tell(name);
      this.clock.after(this.random.between(20, 300), () => {
        if (release.fingerprint !== fingerprint) return;
        for (const pod of release.pods.filter((old) => !kept.includes(old) && old.image.inputsHash !== content.inputsHash))
          this.removePod(release, pod);
        release.rollout = { state: 'ready' };
        this.tell(name);
      });
    });
    this.tell(name);
  }

  /** A process reads its files somewhat after its start, and watches them somewhat after that. */
  private startProcess(pod: SimPod): void {
    const id = pod.containerId;
    pod.binary = compiledFiles(pod.artifact, pod.files);
    pod.loaded = new Map(pod.files);
    const readMs = this.random.between(0, 700);
    pod.watchesFrom = this.clock.now + readMs + this.random.between(0, 800);
    this.clock.after(readMs, () => {
      if (pod.containerId === id) this.readFiles(pod);
    });
  }

  /** What is not compiled a process reads as it is. */
  private readFiles(pod: SimPod): void {
    const compiled = compiledFiles(pod.artifact, pod.loaded);
    const others = [...pod.files].filter(([path]) => !isCompiled(pod.artifact, path));
    pod.loaded = new Map([...compiled, ...others]);
  }

  private removePod(release: SimRelease, pod: SimPod): void {
    this.loseAgent(pod.containerId);
    release.pods.splice(release.pods.indexOf(pod), 1);
  }

  /** The container's process dies; the kubelet starts another container in the same pod. */
  killContainer(release: SimRelease, pod: SimPod, downMs: number): void {
    this.loseAgent(pod.containerId);
    pod.running = false;
    const restart = (): void => {
      pod.containerId = this.newContainerId();
      pod.restarts += 1;
      pod.files = new Map(pod.image.files);
      pod.ledger = new Map();
      pod.running = true;
      this.startProcess(pod);
      this.tell(pod.artifact);
    };
    if (downMs === 0) return restart();
    this.tell(pod.artifact);
    this.clock.after(downMs, () => {
      if (release.pods.includes(pod)) restart();
    });
  }

  /** The pod is deleted and its workload makes another. */
  reschedule(release: SimRelease, pod: SimPod): void {
    this.removePod(release, pod);
    this.startPod(release, pod.artifact, pod.image);
    this.tell(pod.artifact);
  }

  /** The stream ends while the container goes on. */
  cutStream(containerId: string): void {
    this.loseAgent(containerId);
  }

  private loseAgent(containerId: string): void {
    const connection = this.connections.get(containerId);
    if (connection === undefined) return;
    this.connections.delete(containerId);
    const mine = this.incarnation;
    this.clock.after(this.random.between(1, 50), () => {
      if (mine !== this.incarnation) return;
      this.take({ kind: 'agentLost', container: containerId, connection, problem: problem('agentLost', 'afterDelay') });
    });
  }

  podOf(containerId: string): SimPod | undefined {
    for (const release of this.releases.values()) for (const pod of release.pods) if (pod.containerId === containerId) return pod;
    return undefined;
  }

  // ---- the steps ------------------------------------------------------------------------------------------------

  private run(id: string, step: Step, end: (outcome: Outcome) => void): void {
    const later = (from: number, to: number, act: () => void): void => this.clock.after(this.random.between(from, to), act);
    const fail = (code: string, retry: Retry): void => end({ kind: 'failed', problem: problem(code, retry) });
    switch (step.kind) {
      case 'lookUp':
        return later(2, 40, () => {
          if (this.fails(0.1)) return fail('registryUnreachable', 'afterDelay');
          const image = this.registry.get(contentRef(step.artifact, step.snapshot.inputsHash));
          if (image) this.records.set(step.snapshot.inputsHash, step.snapshot);
          end({ kind: 'lookedUp', image: image && { ref: this.namedRef(step.artifact), digest: image.built } });
        });
      case 'watchTarget':
      case 'runHooks':
        // The shop of the simulator has none.
        return undefined;
      case 'runTarget':
        return this.runTarget(this.world.disk, end);
      case 'build':
        return this.build(id, step, end);
      case 'deliver':
        return later(5, 150, () => {
          if (this.fails(0.2)) return fail('pushRefused', 'afterDelay');
          const image = this.engine.get(step.image.ref);
          if (!image) return fail('imageGone', 'afterDelay');
          this.registry.set(step.image.ref, image);
          end({ kind: 'delivered', image: { ref: this.namedRef(step.artifact), digest: image.built } });
        });
      case 'apply':
        return this.apply(step, end);
      case 'remove':
        return later(5, 50, () => end({ kind: 'removed' }));
      case 'connect':
        return later(5, 60, () => {
          const pod = this.podOf(step.container);
          if (!pod?.running || this.fails(0.1)) return fail('execRefused', 'afterDelay');
          this.connections.set(step.container, id);
          const ledger = [...pod.ledger].map(
            ([path, line]) => [path, !line.known ? null : line.content === undefined ? undefined : entryOf(line.content)] as const,
          );
          end({ kind: 'connected', agent: 'sim', ledger });
        });
      case 'sync':
        return this.sync(step, end);
      case 'reload':
        return this.reload(step, end);
    }
  }

  /** Commands one after another. The stream may be lost before each, or when it is done and nobody has been told. */
  private reload(step: Extract<Step, { kind: 'reload' }>, end: (outcome: Outcome) => void): void {
    const fail = (code: string, retry: Retry): void => end({ kind: 'failed', problem: problem(code, retry) });
    const next = ([command, ...rest]: readonly string[]): void => {
      if (command === undefined) return end({ kind: 'reloaded' });
      this.clock.after(this.random.between(2, 30), () => {
        const pod = this.podOf(step.container);
        if (!pod?.running || this.fails(0.1)) return fail('agentLost', 'afterDelay');
        const read = compiledFiles(pod.artifact, pod.files);
        this.clock.after(command === 'compile' ? this.random.between(20, 400) : 0, () => {
          if (this.podOf(step.container) !== pod) return fail('agentLost', 'afterDelay');
          if (command === 'compile') {
            if ([...read.values()].some((content) => content.startsWith('bad'))) return fail('compileFailed', 'whenInputChanges');
            pod.binary = read;
          } else if (command === 'restart') {
            pod.loaded = new Map([...[...pod.loaded].filter(([path]) => !isCompiled(pod.artifact, path)), ...pod.binary]);
          } else {
            this.readFiles(pod);
          }
          if (this.fails(0.05)) return fail('agentLost', 'afterDelay');
          next(rest);
        });
      });
    };
    next(step.commands.map(({ run }) => run[0] ?? ''));
  }

  /** As an image is called by people: another tag in every session, as if there were a commit between them. */
  private namedRef(artifact: string): string {
    return `${artifact}:session-${this.incarnation}`;
  }

  private runTarget(known: DirEntry, end: (outcome: Outcome) => void): void {
    const startedAt = this.clock.now;
    // As real tools do, it empties its output first.
    this.clock.after(this.random.between(5, 60), () => {
      for (const path of [...filesBelow(this.disk, shopTarget.output).keys()]) this.edit(path, undefined);
      const read = new Map(shopTarget.inputs.flatMap((folder) => [...filesBelow(this.disk, folder)]));
      this.clock.after(this.random.between(20, 300), () => {
        if ([...read.values()].some((content) => content.startsWith('bad'))) {
          return end({ kind: 'failed', problem: problem('targetFailed', 'whenInputChanges') });
        }
        if (this.fails(0.05)) return end({ kind: 'failed', problem: problem('runnerCrashed', 'afterDelay') });
        for (const [path, content] of read) this.edit(`${shopTarget.output}/${path.replaceAll('/', '_')}`, `made from ${content}`);
        const entry = entryAt(treeOf(filesBelow(this.disk, shopTarget.output)), shopTarget.output);
        const touched = [...this.touchedAt].some(([path, at]) => {
          if (!shopTarget.inputs.some((folder) => path.startsWith(`${folder}/`))) return false;
          const content = this.disk.get(path);
          // Written since, or before it with nobody noticing.
          return at >= startedAt || entryAt(known, path)?.hash !== (content === undefined ? undefined : entryOf(content).hash);
        });
        end({ kind: 'targetRan', outputs: [[shopTarget.output, entry ?? emptyDir]], touched });
      });
    });
  }

  /** The content of an image as its recipe would make it from files: kept apart from how the product hashes. */
  imageContent(name: string, files: ReadonlyMap<string, string>, baseBuilt: string): Pick<SimImage, 'files' | 'built'> {
    const shop = shopArtifacts.find((artifact) => artifact.name === name);
    const recipes = shop?.recipes ?? shopBase.recipes;
    const built = recipes.flatMap((folder) => [...filesBelow(files, folder)].map(([path, content]) => `${path}=${content}`).sort());
    const copied = new Map<string, string>();
    for (const [from, to] of shop?.copies ?? []) {
      for (const [path, content] of filesBelow(files, from)) copied.set(to + path.slice(from.length), content);
    }
    return { files: copied, built: [...built, baseBuilt].join(';') };
  }

  /** What only rules bring into the containers of an artifact. */
  onlySynced(shop: ShopArtifact): ReadonlyMap<string, string> {
    return new Map(
      (shop.onlySynced ?? []).flatMap(([from, to]) =>
        [...filesBelow(this.disk, from)].map(([path, content]) => [to + path.slice(from.length), content] as const),
      ),
    );
  }

  private build(id: string, step: Extract<Step, { kind: 'build' }>, end: (outcome: Outcome) => void): void {
    const artifact = this.workspace.artifacts.get(step.artifact);
    const mine = this.incarnation;
    if (!artifact) return end({ kind: 'failed', problem: problem('noArtifact', 'never') });
    this.clock.after(this.random.between(5, 100), () => {
      // The files are packed here; the disk may have moved on since the step was decided.
      const packed = new Map(this.disk);
      const sources = snapshotOf({ ...artifact }, treeOf(packed), step.bases).sources;
      const sentHash = filesText(sources) === filesText(step.snapshot.sources) ? step.snapshot.inputsHash : 'changed';
      const base = Object.values(step.bases)
        .map((ref) => this.registry.get(ref)?.built ?? '')
        .join();
      const content = this.imageContent(step.artifact, packed, base);
      this.clock.after(this.random.between(50, 900), () => {
        if (this.stopping.has(id)) return end({ kind: 'stopped' });
        const bad = [...compiledFiles(step.artifact, content.files).values()].some((text) => text.startsWith('bad'));
        if (bad || content.built.includes('bad')) return end({ kind: 'failed', problem: problem('buildFailed', 'whenInputChanges') });
        if (this.fails(0.1)) return end({ kind: 'failed', problem: problem('engineBusy', 'afterDelay') });
        const ref = contentRef(step.artifact, step.snapshot.inputsHash);
        const image = { ...content, inputsHash: step.snapshot.inputsHash };
        // A killed loop tags nothing. An image packed from other files carries the tag until the next build: nothing may deliver it.
        if (mine !== this.incarnation) return;
        this.engine.set(ref, image);
        this.records.set(step.snapshot.inputsHash, step.snapshot);
        end({ kind: 'built', image: { location: 'engine', ref, id: ref }, sentHash });
      });
    });
  }

  private apply(step: Extract<Step, { kind: 'apply' }>, end: (outcome: Outcome) => void): void {
    const release = this.releases.get(step.release);
    const config = this.disk.get(`apps/${step.release}/k8s.yaml`) ?? '';
    if (!release) return end({ kind: 'failed', problem: problem('noRelease', 'never') });
    this.clock.after(this.random.between(5, 60), () => {
      const half = this.fails(0.15);
      const refused = this.fails(0.1);
      const appliedAt = this.clock.now;
      if (!refused) {
        const workload = (): void => {
          release.fingerprint = step.fingerprint;
          release.appliedAt = appliedAt;
          release.images = Object.fromEntries(
            Object.entries(step.images).map(([name, { ref, snapshot }]) => [
              name,
              { ref, inputsHash: snapshot.inputsHash, snapshot: undefined },
            ]),
          );
          this.rollOut(step.release);
        };
        // An apply that stops half-way has done the one or the other.
        const first = this.random.chance(0.5);
        if (!half || first) workload();
        if (!half || !first) release.config = config;
      }
      this.clock.after(this.random.between(1, 30), () =>
        end(
          half || refused
            ? { kind: 'failed', problem: problem('clusterUnreachable', 'afterDelay') }
            : { kind: 'applied', fingerprint: step.fingerprint, appliedAt },
        ),
      );
    });
  }

  private sync(step: Extract<Step, { kind: 'sync' }>, end: (outcome: Outcome) => void): void {
    const lost = (): void => end({ kind: 'failed', problem: problem('agentLost', 'afterDelay') });
    const connection = this.connections.get(step.container);
    // One stream: batches are read, sent and applied in the order in which they were started.
    const inOrder = (delayMs: number, act: () => void): void => {
      const at = Math.max(this.streams.get(step.container) ?? 0, this.clock.now + delayMs);
      this.streams.set(step.container, at);
      this.clock.after(at - this.clock.now, act);
    };
    inOrder(this.random.between(0, 10), () => {
      // Read now: newer content than was asked for may be there, or none.
      const read = step.changes.map((change): readonly [SyncChange, string | undefined] => [
        change,
        change.source === undefined ? undefined : this.disk.get(change.source),
      ]);
      const sent = read.filter(([change, content]) => change.source === undefined || content !== undefined);
      inOrder(this.random.between(1, 30), () => {
        const pod = this.podOf(step.container);
        if (!pod?.running || connection === undefined || this.connections.get(step.container) !== connection) return lost();
        const stopAfter = this.fails(0.08) ? this.random.between(0, sent.length + 1) : sent.length;
        for (const [change] of sent) if (!(change.after?.kind === 'dir')) pod.ledger.set(change.path, { known: false });
        const refused = this.refusedOf(sent.map(([change]) => change));
        for (const [change, content] of sent.slice(0, stopAfter)) if (!refused.has(change.path)) this.write(pod, change, content);
        if (stopAfter < sent.length || (this.faults && this.random.chance(0.03))) {
          this.loseAgent(step.container);
          return lost();
        }
        for (const [change, content] of sent) {
          if (change.after?.kind !== 'dir' && !refused.has(change.path))
            pod.ledger.set(change.path, { known: true, content: change.after ? content : undefined } satisfies LedgerLine);
        }
        const hot = shopArtifacts.some((artifact) => artifact.name === pod.artifact && artifact.reload === 'hot');
        // A reloader sees what is written once it watches; before that a process may have read the file already.
        if (hot && this.clock.now >= pod.watchesFrom) pod.loaded = new Map(pod.files);
        end({
          kind: 'synced',
          holds: sent
            .filter(([{ path }]) => !refused.has(path))
            .map(([change, content]) => [
              change.path,
              change.after === undefined ? undefined : change.after.kind === 'dir' ? change.after : entryOf(content ?? ''),
            ]),
          notWritten: [...refused].map(([path, told]) => ({ path, problem: told ? problem('syncRefused', 'afterDelay') : undefined })),
          bytes: 0,
          timing: syncTiming,
        });
      });
    });
  }

  /** Files and links that a container does not take this time, and whether it says of each why. */
  private refusedOf(changes: readonly SyncChange[]): ReadonlyMap<string, boolean> {
    const files = changes.filter(({ after }) => after !== undefined && after.kind !== 'dir');
    if (!this.fails(0.06)) return new Map();
    return new Map(files.flatMap(({ path }) => (this.random.chance(0.5) ? [[path, this.random.chance(0.7)]] : [])));
  }

  private write(pod: SimPod, change: SyncChange, content: string | undefined): void {
    if (change.after === undefined || change.after.kind === 'dir') {
      if (change.after === undefined) this.checkRemoval(pod, change.path);
      pod.files.delete(change.path);
      if (change.after === undefined) for (const path of filesBelow(pod.files, change.path).keys()) pod.files.delete(path);
    } else {
      pod.files.set(change.path, content ?? '');
    }
  }

  /** A file made from a source that has been there for long is only missing because its target has emptied its output. */
  private checkRemoval(pod: SimPod, path: string): void {
    const copy = shopArtifacts.find((artifact) => artifact.name === pod.artifact && artifact.target !== undefined)?.copies[0];
    if (!copy || !pod.files.has(path)) return;
    const made = path.slice(copy[1].length + 1);
    const source = [...this.disk.keys()].find((file) => file.replaceAll('/', '_') === made);
    if (source !== undefined && this.clock.now - (this.touchedAt.get(source) ?? 0) > 4000) {
      this.violations.push(`${pod.name}: ${path} was removed while its target was running`);
    }
  }
}
