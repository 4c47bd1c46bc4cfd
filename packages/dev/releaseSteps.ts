import type { Kube, KubeObject, ObjectRef } from '../clients';
import {
  applyRelease,
  inApplyOrder,
  labels,
  manifestStream,
  namespacesOf,
  removeRelease,
  render,
  sharedLists,
  unusedArtifacts,
  type ListWorkspace,
  type RenderedObject,
} from '../deploy';
import {
  hooksAt,
  type ArtifactName,
  type Entry,
  type Fact,
  type Outcome,
  type Problem,
  type Release,
  type ReleaseName,
  type Report,
  type Workspace,
  type WorkspacePath,
  type World,
} from '../model';
import { chartFingerprintOf, fingerprintOf } from '../plan';
import { readEntry } from '../source';
import type { HookRunner } from './hookRunner';
import { holderAlive } from './leases';
import { mistakeInManifests } from './mistakes';
import { deployContext, readReleaseManifests } from './releaseManifests';
import type { Session } from './session';
import { failure, isAborted, notThere, type StepOf } from './stepFailures';

/** What follows the releases in the cluster. */
export interface ReleaseWatching {
  /** A session goes on, and holds the releases that it follows. */
  readonly isOfSession: boolean;
  /** Called with what was applied of a release, and the time in its stamps, before that is told. */
  onApplied(release: Release, objects: readonly KubeObject[], appliedAt: number): Promise<void>;
  /** An object of a release as its watch has it. */
  seen(release: ReleaseName, ref: ObjectRef): KubeObject | undefined;
}

/** Steps that apply releases to the cluster, run what follows, and remove them. */
export class ReleaseSteps {
  private readonly toldNamespaces = new Set<string>();
  private readonly toldUnused = new Set<ArtifactName>();
  /** When something of a release was last written by this process, milliseconds since 1970. */
  private readonly writtenAt = new Map<ReleaseName, number>();
  private readonly listsSince: ReturnType<typeof sharedLists> | undefined;

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    private readonly post: (fact: Fact) => void,
    private readonly hooks: HookRunner,
    private readonly watching: ReleaseWatching,
  ) {
    this.listsSince = session.kube && sharedLists(session.kube, session.workspaceId);
  }

  async apply(step: StepOf<'apply'>, signal: AbortSignal, world: World): Promise<Outcome> {
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
    const chartFingerprints = Object.fromEntries(
      release.sources.flatMap((source) => (source.kind === 'helm' ? [[source.name, chartFingerprintOf(source, release, world.disk)]] : [])),
    );
    const context = deployContext({ session: this.session, workspace, release, images, chartFingerprints, signal });
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
    this.tellUnused(release, rendered.value, workspace);
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
    // A watch may not have come to what this command itself has written.
    const isFirst = world.goal.kind === 'deployed' && !this.writtenAt.has(release.name);
    const seen = isFirst ? { seen: (ref: ObjectRef) => this.watching.seen(release.name, ref) } : {};
    const request = { kube, objects, owner, namespace, options, ...seen, ...this.lists(release.name, world.goal.releases.size) };
    const applied = await applyRelease(release, request, context);
    this.writtenAt.set(release.name, Date.now());
    if (!applied.ok) return failure(applied.problem, release.project);
    const { objects: names, changed, pruned, at: appliedAt } = applied.value;
    await this.watching.onApplied(
      release,
      objects.map(({ object }) => object),
      appliedAt,
    );
    const gone = pruned.length === 0 ? {} : { pruned };
    this.report({ kind: 'applied', release: release.name, namespace, objects: names, changed, ...gone, ms: Date.now() - startedAt });
    return { kind: 'applied', fingerprint, appliedAt };
  }

  async runHooks(step: StepOf<'runHooks'>, signal: AbortSignal, world: World): Promise<Outcome> {
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

  /** With the signal of the step: a session that was interrupted removes what it has deployed all the same. */
  async remove(step: StepOf<'remove'>, signal: AbortSignal, world: World): Promise<Outcome> {
    const { kube, workspaceId } = this.session;
    const release = world.workspace?.releases.get(step.release);
    if (!world.workspace || !kube || !release) return failure(notThere(step.release));
    this.report({ kind: 'started', what: 'remove', subject: step.release });
    const context = deployContext({ session: this.session, workspace: world.workspace, release, images: {}, signal });
    const namespaces = namespacesOf(release, context.namespace);
    const keepVolumes = this.session.options.keepVolumes === true;
    const { leaving, releases } = world.goal;
    const owner = { workspaceId, release: step.release };
    const request = { kube, owner, namespaces, keepVolumes, ...this.lists(step.release, (leaving ?? releases).size) };
    const place = { release: step.release, namespace: context.namespace };
    // A session holds by itself what it cannot delete.
    const holding = this.watching.isOfSession ? undefined : holderAlive({ kube, now: Date.now }, place);
    // Said while it is waited for what does not go.
    void holding?.then((holder) => {
      if (holder !== undefined) this.report({ kind: 'notice', message: `${step.release}: ${broughtBack(holder)}` });
    });
    const removed = await removeRelease(release, request, context);
    this.writtenAt.set(step.release, Date.now());
    if (!removed.ok) return failure(removed.problem, release.project);
    const { remaining } = removed.value;
    if (remaining.length > 0) return failure(notGone(remaining, await holding), release.project);
    this.report({ kind: 'removed', release: step.release, objects: removed.value.objects });
    if (world.goal.kind === 'removed') await this.tellKeptNamespaces(kube, namespaces);
    return { kind: 'removed' };
  }

  /** What one release owns is not asked for by way of all others. `among`: of how many releases the same is asked. */
  private lists(name: ReleaseName, among: number): { readonly lists?: ListWorkspace } {
    const lists = among > 1 ? this.listsSince?.(this.writtenAt.get(name) ?? -Infinity) : undefined;
    return lists ? { lists } : {};
  }

  /** Others may have put something into a namespace since Slipway made it, so it stays; who undoes all of it is told how. */
  private async tellKeptNamespaces(kube: Kube, names: readonly string[]): Promise<void> {
    const untold = names.filter((name) => !this.toldNamespaces.has(name));
    for (const name of untold) this.toldNamespaces.add(name);
    const found = await Promise.all(untold.map((name) => kube.get({ apiVersion: 'v1', kind: 'Namespace', name })));
    for (const answer of found) {
      const namespace = answer.ok ? answer.value : undefined;
      if (namespace?.metadata.labels?.[labels.workspace] !== this.session.workspaceId || namespace.metadata.deletionTimestamp !== undefined)
        continue;
      const { name = '' } = namespace.metadata;
      const hint = `remove it with all that is in it: kubectl delete namespace ${name}`;
      this.report({ kind: 'notice', message: `the namespace ${name} stays, as others may have something in it`, hint });
    }
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
  private tellUnused(release: Release, objects: readonly RenderedObject[], workspace: Workspace): void {
    for (const artifact of unusedArtifacts(release, objects, workspace)) {
      if (this.toldUnused.has(artifact)) continue;
      this.toldUnused.add(artifact);
      this.report({
        kind: 'notice',
        subject: release.name,
        message: `no manifest of ${release.name} names the image of ${artifact}`,
        hint: 'name it without a digest in a manifest or in the values of the chart',
      });
    }
  }
}

function manifestChanged(release: string): Problem {
  return {
    code: 'manifestChanged',
    message: `${release}: a manifest changed just before it was applied`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}

function broughtBack(holder: string): string {
  return `the dev of ${holder} runs it, and brings back what is deleted: end that one, which deletes it too`;
}

/** `holder`: whose `dev` has it, when there is one. */
function notGone(remaining: readonly string[], holder: string | undefined): Problem {
  return {
    code: 'notGone',
    message: `deleted, and still there: ${remaining.join(', ')}`,
    hint:
      holder === undefined
        ? 'something holds what is left: see metadata.finalizers, or how long the pods may take to end; it goes when that lets go of it'
        : broughtBack(holder),
    retry: 'never',
    exitCode: 1,
  };
}
