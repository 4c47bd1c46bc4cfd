import { existsSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBuilders, readImageRecord, writeImageRecord, type OpenBuilder } from '../build';
import { processes, type KubeObject } from '../clients';
import {
  applyRelease,
  inApplyOrder,
  manifestStream,
  namespacesOf,
  removeRelease,
  render,
  unusedArtifacts,
  type RenderedObject,
} from '../deploy';
import {
  countLeaves,
  emptyDir,
  entryAt,
  failed,
  hooksAt,
  leavesOf,
  messageOf,
  stepKey,
  succeeded,
  type Artifact,
  type ContainerId,
  type ContainerPath,
  type ContainerState,
  type DeliveredImage,
  type DirEntry,
  type Entry,
  type Fact,
  type Hook,
  type Outcome,
  type Problem,
  type Release,
  type Report,
  type Result,
  type SeenContainer,
  type Snapshot,
  type Step,
  type StepId,
  type Target,
  type TargetState,
  type WorkspacePath,
  type World,
} from '../model';
import {
  filesAfter,
  fingerprintOf,
  imageTreeOf,
  isAskedFor,
  select,
  sourceOf,
  staleTargets,
  takenFrom,
  viewOf,
  visibleTree,
  type ArtifactView,
} from '../plan';
import type { Delivery } from '../registry';
import { readEntry } from '../source';
import type { RunInPod } from '../forward';
import { inspect, openAgent, sameContent, silenceMs, sourceReader, type Agent, type LedgerEntry, type OpenAgentOptions } from '../sync';
import { inputDigestTag } from '../tag';
import { adopted, withDirectories } from './adopted';
import type { RunStep } from './converge';
import { contextWarnings } from './contextWarnings';
import { notInDryRun } from './dryRun';
import { failedBuild } from './failedBuild';
import { HookRunner, type HookedStage } from './hookRunner';
import { mirror } from './mirrored';
import { behindMounts, writableMounts } from './mountedOver';
import { mistakeInImage, mistakeInManifests } from './mistakes';
import { namedInWorkspace } from './namedInWorkspace';
import { failedEvent } from './narrator';
import { placeIn } from './placeIn';
import { deployContext, readReleaseManifests } from './releaseManifests';
import { buildClusterOf, insecureRegistriesOf, layersFolder, recordsFolder, type Session } from './session';
import { SupersededImages } from './supersededImages';
import { TargetRunner } from './targetRunner';

/** A path whose content in a container is not what it should be. */
export interface Difference {
  readonly path: ContainerPath;
  /** `unknown`: it could not be read. */
  readonly is: 'missing' | 'different' | 'left over' | 'unknown';
}

/** Everything the steps do to the world outside, and the little that lives between them: streams to agents, known snapshots. */
export class Effects {
  private readonly agents = new Map<ContainerId, Agent>();
  private readonly snapshots = new Map<string, Snapshot | undefined>();
  private readonly read: ReturnType<typeof sourceReader>;
  private readonly targets: TargetRunner;
  private readonly builders: OpenBuilder;
  private readonly hooks: HookRunner;
  private readonly superseded: SupersededImages;
  /** What was said of build contexts. */
  private readonly warned = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    private readonly post: (fact: Fact) => void,
    /** Called when something was changed in a container after which its process may start again. */
    private readonly onWritten: (seen: SeenContainer, run: RunInPod) => void,
    /** Called with what was applied of a release, before that is told. */
    private readonly onApplied: (release: Release, objects: readonly KubeObject[]) => Promise<void>,
  ) {
    this.read = sourceReader(session.options.root);
    this.targets = new TargetRunner(session.options, report);
    const { engine, registry, delivery, options } = session;
    this.hooks = new HookRunner(session, report);
    this.superseded = new SupersededImages(engine);
    const concurrency = options.concurrency ?? session.read.settings.buildConcurrency;
    const cluster = buildClusterOf(session);
    this.builders = openBuilders({
      engine,
      registry,
      processes,
      env: options.env,
      cacheDir: layersFolder(options.root),
      hasRegistry: delivery?.repo !== undefined,
      ...(concurrency !== undefined && { concurrency }),
      noCache: options.noCache === true,
      insecureRegistries: insecureRegistriesOf(session),
      ...(cluster && { cluster }),
    });
  }

  /** The sources behind an image, when this machine has seen it made or found. */
  readonly snapshotOf = (inputsHash: string): Snapshot | undefined => {
    if (!this.snapshots.has(inputsHash))
      this.snapshots.set(inputsHash, readImageRecord(recordsFolder(this.session.options.root), inputsHash));
    return this.snapshots.get(inputsHash);
  };

  readonly run: RunStep = async (step, context) => {
    try {
      return await this.runStep(step, context);
    } catch (error) {
      // A bug of ours must not end the loop: it is told like any other failure.
      const detail = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
      return failure({
        code: 'internalError',
        message: `${step.kind} failed in a way that should not be possible: ${messageOf(error)}`,
        hint: 'please report this, with the lines above',
        retry: 'whenInputChanges',
        exitCode: 1,
        detail,
      });
    }
  };

  /** What a container holds now, by its agent's ledger; undefined when it cannot be asked, or nobody knows its image's files. */
  async look(seen: SeenContainer, artifact: Artifact): Promise<{ readonly agent: string; readonly files: DirEntry } | undefined> {
    const { kube } = this.session;
    if (!kube || !seen.snapshot) return undefined;
    const opened = await openAgent({ kube, ...this.placeIn(seen, artifact), onLost: () => undefined });
    if (!opened.ok) return undefined;
    const { name, hello } = opened.value;
    await opened.value.close();
    return { agent: name, files: filesAfter(imageTreeOf(seen.snapshot), hello.ledger) };
  }

  /** Where an agent works. What a folder brings is apart from what a `dev` may bring to the same container. */
  private placeIn(seen: SeenContainer, artifact: Artifact): Pick<OpenAgentOptions, 'container' | 'roots' | 'part'> {
    const roots = rootsOf(artifact);
    return { container: containerOf(seen), roots, ...(this.session.adopts === true && { part: roots.join(':') }) };
  }

  /** Remembers what an image was made from while this runs: where no record says it, the files that are there now may. */
  know(snapshot: Snapshot): void {
    if (!this.snapshotOf(snapshot.inputsHash)) this.snapshots.set(snapshot.inputsHash, snapshot);
  }

  /**
   * Where a container really differs from what should be there, whatever its ledger says: of the wanted files, and of those that its
   * image or an earlier sync brought. Failures: `cannotInspect`, and those of an exec.
   */
  async compare(container: ContainerState, { artifact, now: { tree: wanted } }: ArtifactView): Promise<Result<readonly Difference[]>> {
    const { kube } = this.session;
    const { seen, files } = container;
    if (!kube) return failed(notThere(seen.pod));
    const paths = pathsOf([wanted, files ?? emptyDir, seen.snapshot ? imageTreeOf(seen.snapshot) : emptyDir]);
    const found = await inspect({ kube, container: containerOf(seen), paths });
    if (!found.ok) return found;
    return succeeded(
      paths.flatMap((path): readonly Difference[] => {
        const should = entryAt(wanted, path);
        const is = found.value.get(path);
        if (!found.value.has(path)) return [{ path, is: 'unknown' }];
        if (sameContent(should, is)) return [];
        if (should === undefined && (artifact.keepsRemoved === true || !isFollowed(artifact, path))) return [];
        return [{ path, is: is === undefined ? 'missing' : should === undefined ? 'left over' : 'different' }];
      }),
    );
  }

  /** Closes streams to containers that are gone. */
  forget(world: World): void {
    for (const [id, agent] of this.agents) {
      if (world.containers.has(id)) continue;
      this.agents.delete(id);
      void agent.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.builders.close(), ...[...this.agents.values()].map((agent) => agent.close())]);
    this.agents.clear();
  }

  private async runStep(step: Step, { id, signal, world }: Parameters<RunStep>[1]): Promise<Outcome> {
    const kept = this.session.dryRun === true ? notInDryRun(step) : undefined;
    if (kept) return failure(kept);
    switch (step.kind) {
      case 'lookUp':
        return this.lookUp(step, signal, world());
      case 'runTarget':
        return this.runTarget(step, signal, world());
      case 'watchTarget':
        return this.watchTarget(step, { id, signal, world });
      case 'build':
        return this.build(step, signal, world());
      case 'deliver':
        return this.deliver(step, signal, world());
      case 'apply':
        return this.apply(step, signal, world());
      case 'runHooks':
        return this.runHooks(step, signal, world());
      case 'remove':
        return this.remove(step, world());
      case 'connect':
        return this.connect(step, id, signal, world());
      case 'sync':
        return this.sync(step, signal, world());
      case 'reload':
        return this.reload(step, world());
    }
  }

  private remember(snapshot: Snapshot): void {
    this.snapshots.set(snapshot.inputsHash, snapshot);
    writeImageRecord(recordsFolder(this.session.options.root), snapshot);
  }

  private async lookUp(step: Extract<Step, { kind: 'lookUp' }>, signal: AbortSignal, world: World): Promise<Outcome> {
    const { delivery, names } = this.session;
    if (!delivery) return failure(noDelivery);
    const artifact = world.workspace?.artifacts.get(step.artifact);
    if (!artifact) return failure(notThere(step.artifact));
    const mistake = mistakeOf(world, step.artifact);
    if (mistake) return failure(mistake);
    if (artifact.given) {
      this.remember(step.snapshot);
      return this.lookUpGiven(artifact.given, artifact, delivery);
    }
    const tag = await names.tagFor(artifact, step.snapshot);
    if (!tag.ok) return failure(tag.problem);
    const answer = await delivery.lookUp(names.contentRef(artifact, step.snapshot));
    if (!answer.ok) return imageFailure(answer.problem, artifact);
    if (!answer.value) return { kind: 'lookedUp', image: undefined };
    this.remember(step.snapshot);
    if (tag.value === undefined || this.session.dryRun === true) return { kind: 'lookedUp', image: answer.value };
    const onLine = (line: string): void => this.report({ kind: 'output', subject: step.artifact, line });
    const named = await delivery.retag(answer.value, tag.value, { signal, onLine });
    return named.ok ? { kind: 'lookedUp', image: named.value } : imageFailure(named.problem, artifact);
  }

  /** What was given is used as it is, but a reference to nothing would only be noticed by the pods. */
  private async lookUpGiven(given: DeliveredImage, artifact: Artifact, delivery: Delivery): Promise<Outcome> {
    if (delivery.repo === undefined || given.digest === '') return { kind: 'lookedUp', image: given };
    const answer = await delivery.lookUp(given.ref);
    if (!answer.ok) return imageFailure(answer.problem, artifact);
    return answer.value ? { kind: 'lookedUp', image: given } : imageFailure(givenNotThere(given.ref), artifact);
  }

  private async runTarget(step: Extract<Step, { kind: 'runTarget' }>, signal: AbortSignal, world: World): Promise<Outcome> {
    const target = world.workspace?.targets.get(step.target);
    if (!target) return failure(notThere(step.target));
    const { root } = this.session.options;
    const ran = await this.targets.run(target, signal);
    if (signal.aborted) return { kind: 'stopped' };
    if (!ran.ok) return failure(this.placed(ran.problem, target, world));
    const { startedAt, ms } = ran.value;
    const made = await this.outputsOf(target);
    if (!made.ok) return failure(made.problem, target.project);
    const touched = await wasTouched(root, target, world, startedAt);
    if (ms !== undefined) this.report({ kind: 'targetRan', target: step.target, ms: Math.round(ms) });
    return { kind: 'targetRan', outputs: made.value, touched };
  }

  /** What a target has written, as it is now. */
  private async outputsOf({ outputs }: Target): Promise<Result<TargetState['outputs']>> {
    const { root } = this.session.options;
    const read = await Promise.all(outputs.map(async (path) => [path, await readEntry(root, path)] as const));
    const entries: (readonly [WorkspacePath, Entry | undefined])[] = [];
    for (const [path, entry] of read) {
      if (!entry.ok) return entry;
      entries.push([path, entry.value]);
    }
    return succeeded(entries);
  }

  private async watchTarget(
    step: Extract<Step, { kind: 'watchTarget' }>,
    { id: run, signal, world }: Parameters<RunStep>[1],
  ): Promise<Outcome> {
    const target = world().workspace?.targets.get(step.target);
    if (!target) return failure(notThere(step.target));
    let build = 0;
    let told: Promise<void> = Promise.resolve();
    const problem = await this.targets.watch(target, {
      signal,
      onBuilt: ({ ms, problem: mistake }) => {
        told = told.then(async () => {
          const made = mistake ? failed(this.placed(mistake, target, world())) : await this.outputsOf(target);
          // The next build has removed them already, and will tell of itself.
          if (made.ok && made.value.every(([, entry]) => entry === undefined || countLeaves(entry) === 0)) return;
          build += 1;
          if (made.ok && ms !== undefined) this.report({ kind: 'targetRan', target: target.id, ms });
          this.post({ kind: 'targetBuilt', run, build, made });
        });
      },
    });
    return signal.aborted ? { kind: 'stopped' } : failure(this.placed(problem, target, world()));
  }

  /** With the place that the tool names, where that is a file of the workspace. */
  private placed(problem: Problem, target: Target, world: World): Problem {
    const folders = ['', world.workspace?.projects.get(target.project)?.root ?? ''];
    const isFile = (path: string) => entryAt(world.disk, path)?.kind === 'file';
    const location = placeIn((problem.detail ?? '').split('\n'), { root: this.session.options.root, folders, isFile });
    return location ? { ...problem, location } : problem;
  }

  private async build(step: Extract<Step, { kind: 'build' }>, signal: AbortSignal, world: World): Promise<Outcome> {
    const artifact = world.workspace?.artifacts.get(step.artifact);
    if (!artifact) return failure(notThere(step.artifact));
    const mistake = mistakeOf(world, step.artifact);
    if (mistake) return failure(mistake);
    const { names } = this.session;
    const tag = await names.tagFor(artifact, step.snapshot);
    if (!tag.ok) return failure(tag.problem);
    this.report({ kind: 'started', what: 'build', subject: step.artifact });
    this.warnOfContext(artifact, step.snapshot);
    const startedAt = Date.now();
    const ref = names.contentRef(artifact, step.snapshot);
    const hooked = { workspace: world.workspace, signal, images: { [artifact.name]: { ref } } };
    const before = await this.hooks.run(artifact, hooksAt(artifact.hooks, 'before', 'build'), hooked);
    if (signal.aborted) return { kind: 'stopped' };
    if (before) return failure(before);
    const answer = await this.builders.build({
      artifact: names.withLateTexts(artifact, tag.value ?? inputDigestTag(step.snapshot.inputsHash)),
      snapshot: step.snapshot,
      bases: Object.fromEntries(
        Object.entries(step.bases).map(([name, base]) => [world.workspace?.artifacts.get(name)?.image ?? name, base]),
      ),
      root: this.session.options.root,
      ref,
      ...(step.anew === true && { fromScratch: true }),
      signal,
      onLine: (line) => this.report({ kind: 'output', subject: step.artifact, line }),
    });
    if (isAborted(signal)) return { kind: 'stopped' };
    if (!answer.ok) {
      const { root, noCache = false } = this.session.options;
      const text = await readFile(join(root, artifact.recipe.dockerfile), 'utf8').catch(() => '');
      return imageFailure(failedBuild(answer.problem, { artifact, sources: step.snapshot.sources, text, noCache }), artifact);
    }
    const after = await this.hooks.run(artifact, hooksAt(artifact.hooks, 'after', 'build'), hooked);
    if (isAborted(signal)) return { kind: 'stopped' };
    if (after) return failure(after);
    if (answer.value.sentHash === step.snapshot.inputsHash) this.remember(step.snapshot);
    const { image, sentHash, builder } = answer.value;
    const because = artifact.builderBecause === undefined ? {} : { because: artifact.builderBecause };
    this.report({ kind: 'built', artifact: step.artifact, ref, ms: Date.now() - startedAt, builder, ...because });
    return { kind: 'built', image, sentHash };
  }

  /** Once for what there is to say. */
  private warnOfContext(artifact: Artifact, { sources }: Snapshot): void {
    const { read, options } = this.session;
    const isThere = (path: WorkspacePath): boolean => existsSync(join(options.root, path));
    for (const warning of contextWarnings({ artifact, sources, limit: read.settings.contextLimit, isThere })) {
      const key = `${artifact.name} ${warning.hint}`;
      if (this.warned.has(key)) continue;
      this.warned.add(key);
      this.report({ kind: 'notice', subject: artifact.name, ...warning });
    }
  }

  private async deliver(step: Extract<Step, { kind: 'deliver' }>, signal: AbortSignal, world: World): Promise<Outcome> {
    const { delivery, names } = this.session;
    if (!delivery) return failure(noDelivery);
    const artifact = world.workspace?.artifacts.get(step.artifact);
    const tag = artifact ? await names.tagFor(artifact, step.snapshot) : succeeded(undefined);
    if (!tag.ok) return failure(tag.problem);
    const startedAt = Date.now();
    const answer = await delivery.deliver({
      image: step.image,
      ...(tag.value !== undefined && { tag: tag.value }),
      signal,
      onLine: (line) => this.report({ kind: 'output', subject: step.artifact, line }),
    });
    if (signal.aborted) return { kind: 'stopped' };
    if (!answer.ok) return imageFailure(answer.problem, artifact);
    const { ref, digest } = answer.value;
    this.report({ kind: 'delivered', artifact: step.artifact, ref, digest, ms: Date.now() - startedAt, because: delivery.because });
    // Only a loop makes one image after the other. Nothing waits for it: what is left over takes room and does no harm.
    if (world.goal.kind === 'live') void this.superseded.delivered(step.artifact, step.image);
    return { kind: 'delivered', image: answer.value };
  }

  private async apply(step: Extract<Step, { kind: 'apply' }>, signal: AbortSignal, world: World): Promise<Outcome> {
    const { kube, workspaceId } = this.session;
    const { workspace } = world;
    const release = workspace?.releases.get(step.release);
    if (!workspace || !release || !kube) return failure(notThere(step.release));
    const mistake = mistakeInManifests(release.project, workspace);
    if (mistake) return failure(mistake);
    const startedAt = Date.now();
    const images = Object.fromEntries(
      Object.entries(step.images).map(([name, { ref, snapshot }]) => [name, { ref, inputsHash: snapshot.inputsHash }]),
    );
    const { fingerprint } = step;
    const context = deployContext({ session: this.session, workspace, release, images, fingerprint, signal });
    const hooked = { workspace: world.workspace, signal, images };
    const wrong = await this.hooks.run(release, hooksAt(release.hooks, 'before', 'render'), hooked);
    if (signal.aborted) return { kind: 'stopped' };
    if (wrong) return failure(wrong);
    const read = await readReleaseManifests(release, context);
    if (isAborted(signal)) return { kind: 'stopped' };
    if (!read.ok) return failure(read.problem, release.project);
    // What was read is what gets the fingerprint, or nothing does.
    if (fingerprintOf(release, read.value.tree, images) !== fingerprint) {
      if (hooksAt(release.hooks, 'before', 'render').length > 0) await this.lookAtManifests(release, world.now);
      return failure(manifestChanged(release.name), release.project);
    }

    const { namespace, imageNames } = context;
    const rendered = render({ release, manifests: read.value.texts, images, imageNames, namespace, workspaceId, fingerprint });
    if (!rendered.ok) return failure(rendered.problem, release.project);
    this.tellUnused(release, rendered.value);
    const objects = rendered.value;
    const input = (): string =>
      manifestStream(inApplyOrder(objects.map(({ object }) => object)).map((object) => ({ comments: [], object })));
    const renderHooks = hooksAt(release.hooks, 'after', 'render');
    const refused =
      (await this.hooks.run(release, renderHooks, { ...hooked, ...(renderHooks.length > 0 && { input: input() }) })) ??
      (await this.hooks.run(release, hooksAt(release.hooks, 'before', 'deploy'), hooked));
    if (isAborted(signal)) return { kind: 'stopped' };
    if (refused) return failure(refused);
    this.report({ kind: 'started', what: 'apply', subject: release.name });
    const options = { ...release.apply, ...(this.session.options.force === true && { force: true }) };
    const owner = { workspaceId, release: release.name };
    const applied = await applyRelease(release, { kube, objects, owner, namespace, options }, context);
    if (!applied.ok) return failure(applied.problem, release.project);
    await this.onApplied(
      release,
      objects.map(({ object }) => object),
    );
    const { objects: names, changed, pruned, at: appliedAt } = applied.value;
    const gone = pruned.length === 0 ? {} : { pruned };
    this.report({ kind: 'applied', release: release.name, namespace, objects: names, changed, ...gone, ms: Date.now() - startedAt });
    return { kind: 'applied', fingerprint, appliedAt };
  }

  private async runHooks(step: Extract<Step, { kind: 'runHooks' }>, signal: AbortSignal, world: World): Promise<Outcome> {
    const release = world.workspace?.releases.get(step.release);
    if (!release) return failure(notThere(step.release));
    const { live } = world.releases.get(step.release) ?? {};
    const images = live?.state === 'found' ? live.value.images : {};
    const problem = await this.hooks.run(release, hooksAt(release.hooks, 'after', 'deploy'), {
      workspace: world.workspace,
      signal,
      images,
    });
    if (signal.aborted) return { kind: 'stopped' };
    return problem ? failure(problem) : { kind: 'hooksRan' };
  }

  /** Tells the loop what a hook has made of the files of a release. */
  private async lookAtManifests({ inputs }: Release, at: number): Promise<void> {
    const { root } = this.session.options;
    const entries: (readonly [WorkspacePath, Entry | undefined])[] = [];
    for (const { path, accepts } of inputs) {
      const entry = accepts ? undefined : await readEntry(root, path);
      if (entry?.ok === true) entries.push([path, entry.value]);
    }
    this.post({ kind: 'filesSeen', entries, scanned: false, at });
  }

  /** An image that is built for nothing is a mistake somewhere; of which side nobody knows. */
  private tellUnused(release: Release, objects: readonly RenderedObject[]): void {
    for (const artifact of unusedArtifacts(release, objects)) {
      this.report({
        kind: 'notice',
        subject: release.name,
        message: `no manifest of ${release.name} names the image of ${artifact}`,
        hint: 'name it without a digest in a manifest or in the values of the chart',
      });
    }
  }

  private async remove(step: Extract<Step, { kind: 'remove' }>, world: World): Promise<Outcome> {
    const { kube, workspaceId } = this.session;
    const release = world.workspace?.releases.get(step.release);
    if (!world.workspace || !kube || !release) return failure(notThere(step.release));
    this.report({ kind: 'started', what: 'remove', subject: step.release });
    const context = deployContext({ session: this.session, workspace: world.workspace, release, images: {} });
    const namespaces = namespacesOf(release, context.namespace);
    const keepVolumes = this.session.options.keepVolumes === true;
    const owner = { workspaceId, release: step.release };
    const removed = await removeRelease(release, { kube, owner, namespaces, keepVolumes }, context);
    if (!removed.ok) return failure(removed.problem, release.project);
    const { remaining } = removed.value;
    if (remaining.length > 0) {
      const hint = 'something holds them: see metadata.finalizers, or how long their pods may take to end';
      this.report({ kind: 'notice', subject: step.release, message: `${remaining.join(', ')}: still being deleted`, hint });
    }
    this.report({ kind: 'removed', release: step.release, objects: removed.value.objects });
    return { kind: 'removed' };
  }

  private async connect(step: Extract<Step, { kind: 'connect' }>, id: StepId, signal: AbortSignal, world: World): Promise<Outcome> {
    const { kube } = this.session;
    const seen = world.containers.get(step.container)?.seen;
    const artifact = seen && world.workspace?.artifacts.get(seen.artifact);
    if (!kube || !seen || !artifact) return failure(notThere(step.container));
    void this.agents.get(step.container)?.close();
    this.agents.delete(step.container);
    const limitMs = silenceMs(world.failures.get(stepKey(step))?.attempts ?? 0);
    const opened = await openAgent({
      kube,
      ...this.placeIn(seen, artifact),
      signal,
      silenceMs: limitMs,
      onLost: (problem) => {
        this.agents.delete(step.container);
        this.post({ kind: 'agentLost', container: step.container, connection: id, problem });
      },
    });
    if (!opened.ok) return imageFailure(opened.problem, artifact);
    if (signal.aborted) {
      void opened.value.close();
      return { kind: 'stopped' };
    }
    this.agents.set(step.container, opened.value);
    const held = await this.heldBy(opened.value, { seen, artifact, world, signal, silenceMs: limitMs });
    if (held.ok) return { kind: 'connected', agent: opened.value.name, ledger: held.value };
    this.agents.delete(step.container);
    void opened.value.close();
    return imageFailure(held.problem, artifact);
  }

  /** What a container that was just connected holds, as a ledger tells it; less what only it had, where that is to go. */
  private async heldBy(agent: Agent, { seen, artifact, world, ...limits }: Connecting): Promise<Result<readonly LedgerEntry[]>> {
    const { kube, adopts } = this.session;
    if (!kube) return failed(notThere(seen.pod));
    const { ledger, perhaps } = agent.hello;
    const view = viewOf(world, artifact);
    const known = [...ledger, ...perhaps.map((path) => [path, null] as const)];
    const told = adopts === true ? await this.adopt(seen, view, { known, ...limits }) : await this.toldOf(seen, agent.hello);
    if (!told.ok) return told;
    const { report } = this;
    const stale = staleTargets(world, artifact);
    const removed = await mirror({ kube, container: containerOf(seen), agent, artifact, wanted: view.now.tree, stale, report, ...limits });
    return removed.ok ? succeeded([...told.value, ...removed.value.map((path) => [path, undefined] as const)]) : removed;
  }

  /** What the ledger tells, and of what nobody knows anything: it is sent again. */
  private async toldOf(
    { pod, namespace, container, snapshot }: SeenContainer,
    { ledger, ledgerFile }: Agent['hello'],
  ): Promise<Result<readonly LedgerEntry[]>> {
    const { kube } = this.session;
    if (!kube || !snapshot) return succeeded(ledger);
    const image = imageTreeOf(snapshot);
    // Without a ledger nobody knows what an earlier stream has left.
    if (ledgerFile === undefined) return succeeded([...leavesOf(image)].map(([path]) => [`/${path}`, null] as const));
    const got = await kube.get({ apiVersion: 'v1', kind: 'Pod', namespace, name: pod });
    return got.ok ? succeeded([...behindMounts(image, writableMounts(got.value, container), ledger), ...ledger]) : got;
  }

  /**
   * What a container of somebody else's image holds of what is wanted there, and of what was brought to it before from what is followed
   * now, as a ledger tells it. What an earlier session brought from elsewhere is none of this one's affair, and stays.
   */
  private async adopt(
    seen: SeenContainer,
    { artifact, now: { tree: wanted } }: ArtifactView,
    { known, ...limits }: { readonly known: readonly LedgerEntry[]; readonly signal: AbortSignal; readonly silenceMs: number },
  ): Promise<Result<readonly LedgerEntry[]>> {
    const { kube } = this.session;
    if (!kube) return failed(notThere(seen.pod));
    const brought = new Map(known.filter(([path]) => isFollowed(artifact, path)));
    const before = artifact.keepsRemoved === true ? [] : brought.keys();
    const paths = withDirectories([...pathsOf([wanted]), ...before], rootsOf(artifact));
    const found = await inspect({ kube, container: containerOf(seen), paths, ...limits });
    if (!found.ok) return found;
    return succeeded(adopted(paths, { wanted, brought, found: found.value }));
  }

  private async sync(step: Extract<Step, { kind: 'sync' }>, signal: AbortSignal, world: World): Promise<Outcome> {
    const agent = this.agents.get(step.container);
    if (!agent) return failure(streamGone);
    const artifact = world.workspace?.artifacts.get(world.containers.get(step.container)?.seen.artifact ?? '');
    const hooked = { workspace: world.workspace, signal, images: {}, env: { SLIPWAY_FILES: String(step.changes.length) } };
    const refused = artifact && (await this.beforeSync(step, { artifact, agent, hooked }));
    if (refused) return notSent(step, refused);
    const answer = await agent.apply({ changes: step.changes, read: this.read }, signal);
    if (!answer.ok) return failure(answer.problem);
    const { holds, notWritten, bytes, timing } = answer.value;
    this.tellWritten(world.containers.get(step.container)?.seen);
    const after = artifact?.hooks && (await this.hooks.run(artifact, hooksFor(artifact, step, 'after'), hooked));
    // The files are there all the same.
    if (after) this.report(failedEvent(after, artifact.name));
    return { kind: 'synced', holds, notWritten, bytes, timing: { ...timing, detect: 0, total: timing.read + timing.send + timing.apply } };
  }

  /** Runs what is to be run before files are copied: here, then in the container. Says why they are not to be. */
  private async beforeSync(
    step: Extract<Step, { kind: 'sync' }>,
    { artifact, agent, hooked }: { readonly artifact: Artifact; readonly agent: Agent; readonly hooked: HookedStage },
  ): Promise<Problem | undefined> {
    const refused = artifact.hooks && (await this.hooks.run(artifact, hooksFor(artifact, step, 'before'), hooked));
    if (refused) return refused;
    const paths = step.changes.map(({ path }) => path);
    for (const { run, timeoutMs } of artifact.before?.filter((command) => isAskedFor(artifact, command, paths)) ?? []) {
      this.report({ kind: 'started', what: 'runHooks', subject: artifact.name, because: `before sync, ${run.join(' ')}` });
      const answer = await withinTime(agent.run(run), timeoutMs);
      if (answer === 'late') {
        this.agents.delete(step.container);
        void agent.close();
        return { ...commandTooSlow(run, timeoutMs, 'before'), project: artifact.project };
      }
      if (!answer.ok) return answer.problem;
      const { exitCode, output } = answer.value;
      for (const line of linesOf(output)) this.report({ kind: 'output', subject: artifact.name, line, asked: true });
      if (exitCode !== 0) return { ...beforeFailed({ run, exitCode, output }), project: artifact.project };
    }
    return undefined;
  }

  private tellWritten(seen: SeenContainer | undefined): void {
    if (!seen) return;
    this.onWritten(seen, async (command) => {
      const ended = await this.agents.get(seen.id)?.run(command);
      // From 126 on the command was not run at all.
      return ended?.ok && ended.value.exitCode < 126 ? ended.value.output : undefined;
    });
  }

  /** Each command only when the one before ended with 0. */
  private async reload(step: Extract<Step, { kind: 'reload' }>, world: World): Promise<Outcome> {
    const container = world.containers.get(step.container);
    const agent = this.agents.get(step.container);
    if (!agent || !container) return failure(streamGone);
    const { artifact, pod } = container.seen;
    const of = world.workspace?.artifacts.get(artifact);
    // The turn that began it tells first what was copied.
    await Promise.resolve();
    const startedAt = performance.now();
    for (const { run, timeoutMs } of step.commands) {
      this.report({ kind: 'started', what: 'reload', subject: artifact, because: run.join(' ') });
      const answer = await withinTime(agent.run(run), timeoutMs);
      if (answer === 'late') {
        // What it does from now on is nobody's; a new stream does not wait behind it.
        this.agents.delete(step.container);
        void agent.close();
        return imageFailure(commandTooSlow(run, timeoutMs, 'after'), of);
      }
      if (!answer.ok) return failure(answer.problem);
      const { exitCode, output } = answer.value;
      if (exitCode !== 0) return imageFailure(this.commandFailed({ run, exitCode, output }, container, world), of);
    }
    this.tellWritten(container.seen);
    const ms = Math.round(performance.now() - startedAt);
    this.report({
      kind: 'reloaded',
      artifact,
      pod,
      container: container.seen.container,
      commands: step.commands.map(({ run }) => run),
      ms,
    });
    return { kind: 'reloaded' };
  }

  private commandFailed({ run, exitCode, output }: EndedCommand, { seen, files }: ContainerState, world: World): Problem {
    const artifact = world.workspace?.artifacts.get(seen.artifact);
    const tree = visibleTree(world);
    const { text, location } = namedInWorkspace(output, {
      files: files ?? emptyDir,
      sourceOf: (path) => artifact && sourceOf(artifact, tree, path),
    });
    return {
      code: 'commandFailed',
      message: `${run.join(' ')} ended with exit code ${exitCode} in the container`,
      hint: 'the process that runs is kept until it succeeds',
      retry: 'whenInputChanges',
      exitCode: 1,
      detail: text,
      ...(location && { location }),
    };
  }
}

/** A function, so that a check before does not make TypeScript believe that it cannot have changed. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** None of a batch was written, for a reason of the workspace. */
function notSent({ changes }: Extract<Step, { kind: 'sync' }>, problem: Problem): Outcome {
  const timing = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };
  return { kind: 'synced', holds: [], notWritten: changes.map(({ path }) => ({ path, problem })), bytes: 0, timing };
}

/** The hooks of sync that the files of a batch ask for. */
function hooksFor(artifact: Artifact, { changes }: Extract<Step, { kind: 'sync' }>, when: Hook['when']): readonly Hook[] {
  const paths = changes.map(({ path }) => path);
  return hooksAt(artifact.hooks, when, 'sync').filter((hook) => isAskedFor(artifact, hook, paths));
}

function linesOf(output: string): readonly string[] {
  return output.split('\n').filter((line) => line !== '');
}

function beforeFailed({ run, exitCode, output }: EndedCommand): Problem {
  return {
    code: 'beforeFailed',
    message: `${run.join(' ')} ended with exit code ${exitCode} in the container, so what is to be copied after it waits`,
    hint: 'mend what it says; it is run again with the next change, and after a while',
    retry: 'whenInputChanges',
    exitCode: 1,
    detail: linesOf(output).slice(-20).join('\n'),
  };
}

interface Connecting {
  readonly seen: SeenContainer;
  readonly artifact: Artifact;
  readonly world: World;
  readonly signal: AbortSignal;
  readonly silenceMs: number;
}

interface EndedCommand {
  readonly run: readonly string[];
  readonly exitCode: number;
  readonly output: string;
}

function commandTooSlow(run: readonly string[], timeoutMs: number, when: 'before' | 'after'): Problem {
  return {
    code: 'commandTooSlow',
    message: `${run.join(' ')} did not end within ${timeoutMs / 1000} s in the container`,
    hint: `give it more with sync.${when}[].timeout in slipway.yaml; a command that goes on for ever must be started in the background`,
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

async function withinTime<T>(promise: Promise<T>, limitMs: number): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), limitMs)));
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}

/** The files and links of trees of containers, each path once. */
function pathsOf(trees: readonly DirEntry[]): readonly ContainerPath[] {
  const paths = new Set<ContainerPath>();
  for (const tree of trees) for (const [path] of leavesOf(tree)) if (path !== '') paths.add(`/${path}`);
  return [...paths];
}

function containerOf(seen: SeenContainer): OpenAgentOptions['container'] {
  return { namespace: seen.namespace, pod: seen.pod, container: seen.container, id: seen.id };
}

/** Whether a file that lands on a path of the container would be copied there. */
function isFollowed({ inputs }: Artifact, path: ContainerPath): boolean {
  return inputs.some((input) => {
    const source = input.onChange === 'sync' ? takenFrom(input, path) : undefined;
    return source !== undefined && (!input.accepts || input.accepts(source, 'file'));
  });
}

/** Where an artifact's files land in its container: the agent writes nowhere else. */
function rootsOf(artifact: Artifact): readonly string[] {
  const roots = artifact.inputs.flatMap(({ onChange, containerPath }) =>
    onChange === 'sync' && containerPath !== undefined ? [containerPath] : [],
  );
  return [...new Set(roots)];
}

/** After a mistake the artifact is what it was before it: an image of the files as they are now would be a mixture. */
function mistakeOf({ workspace }: World, name: string): Problem | undefined {
  const artifact = workspace?.artifacts.get(name);
  return workspace && artifact && mistakeInImage(artifact, workspace);
}

/** Of several images of a project the failure says which one. */
function imageFailure(problem: Problem, artifact: Artifact | undefined): Outcome {
  if (!artifact) return failure(problem);
  const { name, project } = artifact;
  return failure(name === project ? problem : { ...problem, project, artifact: name }, project);
}

function failure(problem: Problem, project?: string): Outcome {
  const told = project === undefined || problem.project !== undefined ? problem : { ...problem, project };
  return { kind: 'failed', problem: told };
}

/** A file that was written so long before a run has been noticed by then, even if its event was lost. */
const longNoticedMs = 60_000;

/**
 * Whether a target may have read something else than was known when it was started (milliseconds since 1970): an input was written since, or
 * just before it and nobody had noticed.
 */
async function wasTouched(root: string, target: Target, world: World, since: number): Promise<boolean> {
  const files = target.inputs.flatMap((input) => {
    const entry = select(world.disk, input);
    return entry ? [...leavesOf(entry, input.path)].filter(([, leaf]) => leaf.kind !== 'dir') : [];
  });
  const written = await Promise.all(
    files.map(async ([path, known]) => {
      const stats = await lstat(join(root, path)).catch(() => undefined);
      const writtenAt = stats ? Math.max(stats.mtimeMs, stats.ctimeMs) : since;
      if (writtenAt >= since || writtenAt < since - longNoticedMs) return writtenAt >= since;
      const now = await readEntry(root, path);
      return (
        !now.ok ||
        now.value?.kind !== known.kind ||
        (now.value.kind === 'file' && known.kind === 'file' && now.value.digest !== known.digest)
      );
    }),
  );
  return written.includes(true);
}

const noDelivery: Problem = { code: 'noDelivery', message: 'nothing says where images go', retry: 'never', exitCode: 2 };

const streamGone: Problem = { code: 'agentLost', message: 'the stream to the container has ended', retry: 'afterDelay', exitCode: 1 };

function givenNotThere(ref: string): Problem {
  return {
    code: 'imageNotFound',
    message: `the registry has no ${ref}`,
    hint: 'name one that is there, or build it again and use the file that this build writes',
    retry: 'never',
    exitCode: 1,
  };
}

function notThere(name: string): Problem {
  return { code: 'notInWorkspace', message: `${name} is no longer part of the workspace`, retry: 'whenInputChanges', exitCode: 1 };
}

function manifestChanged(release: string): Problem {
  return {
    code: 'manifestChanged',
    message: `${release}: a manifest changed just before it was applied`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}
