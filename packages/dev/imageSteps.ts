import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBuilders, readImageRecord, writeImageRecord, type OpenBuilder } from '../build';
import { processes } from '../clients';
import {
  hooksAt,
  succeeded,
  type Artifact,
  type DeliveredImage,
  type Outcome,
  type Problem,
  type Report,
  type Snapshot,
  type WorkspacePath,
  type World,
} from '../model';
import type { Delivery } from '../registry';
import { inputDigestTag } from '../tag';
import { contextWarnings } from './contextWarnings';
import { failedBuild } from './failedBuild';
import type { HookRunner } from './hookRunner';
import { buildClusterOf, insecureRegistriesOf, layersFolder, recordsFolder, type Session } from './session';
import { failure, imageFailure, isAborted, mistakeOf, notThere, type StepOf } from './stepFailures';
import { SupersededImages } from './supersededImages';

/** Steps that look images up, build and deliver them, and what is known of the sources behind each. */
export class ImageSteps {
  private readonly snapshots = new Map<string, Snapshot | undefined>();
  private readonly builders: OpenBuilder;
  private readonly superseded: SupersededImages;
  /** What was said of build contexts. */
  private readonly warned = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    private readonly hooks: HookRunner,
  ) {
    const { engine, registry, delivery, options } = session;
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

  /** Remembers what an image was made from while this runs: where no record says it, the files that are there now may. */
  know(snapshot: Snapshot): void {
    if (!this.snapshotOf(snapshot.inputsHash)) this.snapshots.set(snapshot.inputsHash, snapshot);
  }

  async lookUp(step: StepOf<'lookUp'>, signal: AbortSignal, world: World): Promise<Outcome> {
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

  async build(step: StepOf<'build'>, signal: AbortSignal, world: World): Promise<Outcome> {
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
    const afterBuild = hooksAt(artifact.hooks, 'after', 'build');
    const refusals: Problem[] = [];
    const beforeNaming = async (reachedBy: string): Promise<Problem | undefined> => {
      const refused = await this.hooks.run(artifact, afterBuild, { ...hooked, images: { [artifact.name]: { ref: reachedBy } } });
      if (refused) refusals.push(refused);
      return refused;
    };
    const answer = await this.builders.build({
      artifact: names.withLateTexts(artifact, tag.value ?? inputDigestTag(step.snapshot.inputsHash)),
      snapshot: step.snapshot,
      bases: Object.fromEntries(
        Object.entries(step.bases).map(([name, base]) => [world.workspace?.artifacts.get(name)?.image ?? name, base]),
      ),
      root: this.session.options.root,
      ref,
      ...(afterBuild.length > 0 && { beforeNaming }),
      ...(step.anew === true && { fromScratch: true }),
      signal,
      onLine: (line) => this.report({ kind: 'output', subject: step.artifact, line }),
    });
    if (isAborted(signal)) return { kind: 'stopped' };
    // As the hook said it: what builders make of a failure is about their own.
    const [refused] = refusals;
    if (refused) return failure(refused);
    if (!answer.ok) {
      const { root, noCache = false } = this.session.options;
      const text = await readFile(join(root, artifact.recipe.dockerfile), 'utf8').catch(() => '');
      return imageFailure(failedBuild(answer.problem, { artifact, sources: step.snapshot.sources, text, noCache }), artifact);
    }
    const { image, sentHash, builder, because = artifact.builderBecause } = answer.value;
    // What was packed of other files is no image of anything, and is made again.
    if (sentHash !== step.snapshot.inputsHash) return { kind: 'built', image, sentHash };
    this.remember(step.snapshot);
    const ms = Date.now() - startedAt;
    this.report({ kind: 'built', artifact: step.artifact, ref, ms, builder, ...(because !== undefined && { because }) });
    return { kind: 'built', image, sentHash };
  }

  async deliver(step: StepOf<'deliver'>, signal: AbortSignal, world: World): Promise<Outcome> {
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

  close(): Promise<void> {
    return this.builders.close();
  }

  private remember(snapshot: Snapshot): void {
    this.snapshots.set(snapshot.inputsHash, snapshot);
    writeImageRecord(recordsFolder(this.session.options.root), snapshot);
  }

  /** What was given is used as it is, but a reference to nothing would only be noticed by the pods. */
  private async lookUpGiven(given: DeliveredImage, artifact: Artifact, delivery: Delivery): Promise<Outcome> {
    if (delivery.repo === undefined || given.digest === '') return { kind: 'lookedUp', image: given };
    const answer = await delivery.lookUp(given.ref);
    if (!answer.ok) return imageFailure(answer.problem, artifact);
    return answer.value ? { kind: 'lookedUp', image: given } : imageFailure(givenNotThere(given.ref), artifact);
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
}

const noDelivery: Problem = { code: 'noDelivery', message: 'nothing says where images go', retry: 'never', exitCode: 2 };

function givenNotThere(ref: string): Problem {
  return {
    code: 'imageNotFound',
    message: `the registry has no ${ref}`,
    hint: 'name one that is there, or build it again and use the file that this build writes',
    retry: 'never',
    exitCode: 1,
  };
}
