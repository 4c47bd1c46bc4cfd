import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Kube, KubeObject, ObjectRef } from '../../clients';
import { failed, succeeded, type ApplyOptions, type Problem, type Result, together } from '../../model';
import {
  distinctKinds,
  holdsOthers,
  isNamespaced,
  isTracked,
  kindOf,
  nameOf,
  refOf,
  removableKinds,
  sameKind,
  waveOf,
  waves,
} from '../kinds';
import { annotations, isOwned, labels, stampOf, withoutFingerprint, type AppliedPlaces, type AppliedStamp, type Owner } from '../ownership';
import type { ListWorkspace } from '../sharedLists';
import { waitUntil } from '../waitUntil';
import { establishment } from './establishment';
import { fieldProblems } from './fieldProblems';
import { fixedFieldProblems, isOfFixedField } from './fixedFields';
import { holds } from './json';
import { applyAs, conflictsIn, managersOf, type Managers } from './managers';
import { keptKinds, prune } from './prune';
import type { RenderedObject } from './render';

/** A tool that installs objects as one, and knows by itself what it installed before: helm. */
export interface Installer {
  readonly parts: readonly string[];
  /** Namespaces that it makes. */
  readonly makesNamespaces: ReadonlySet<string>;
  /** Called part by part, when everything was tried. They get the stamp of this apply afterwards. */
  install(part: string, objects: readonly KubeObject[]): Promise<Result<void>>;
  /** Removes a part of an earlier apply. */
  uninstall(part: { readonly name: string; readonly namespace: string }): Promise<Result<void>>;
}

export interface ApplyRequest {
  readonly kube: Kube;
  readonly objects: readonly RenderedObject[];
  readonly owner: Owner;
  /** For objects that name none, and whose kind Slipway does not know. */
  readonly namespace: string;
  /** What is not as usual. */
  readonly options?: ApplyOptions;
  /** Who applies what Slipway does not. */
  readonly installer?: Installer;
  /** Lists for several releases at once. */
  readonly lists?: ListWorkspace;
  /** An object as a watch has it, which spares asking. Undefined: nobody knows. */
  readonly seen?: (ref: ObjectRef) => KubeObject | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Applied {
  /** Names of everything that was applied: `deployment/worker`. */
  readonly objects: readonly string[];
  /** Those of them that are new, or differ from before in more than Slipway's own stamps. */
  readonly changed: readonly string[];
  /** Names of those that an earlier apply brought and this one has no more. */
  readonly pruned: readonly string[];
  /** What they carry as the time of this apply, milliseconds since 1970. */
  readonly at: number;
}

/**
 * Applies a release's objects, server-side. Everything is tried without effect first, so that all mistakes are told at once and nothing
 * is half applied; when nothing differs, nothing is sent. Failures: `manifestInvalid` with the place in the manifest, `objectConflict` with
 * who manages the field, `namespaceNotFound`, and the cluster's own (`clusterUnreachable`, `clusterRefused`, …).
 */
export async function apply(given: ApplyRequest): Promise<Result<Applied>> {
  const request = given.options?.createNamespace === true ? await withNamespaces(given) : given;
  const looked = await Promise.all(request.objects.map((rendered) => lookAt(request, rendered)));
  const [unanswered, ...alsoUnanswered] = looked.flatMap((answer) => (answer.ok ? [] : [answer.problem]));
  if (unanswered) return failed(together([unanswered, ...alsoUnanswered]));
  const planned = looked.flatMap((answer) => (answer.ok ? [answer.value] : []));

  const tried = await Promise.all(planned.map((item) => tryOut(request, item, planned)));
  const [mistake, ...otherMistakes] = tried.flatMap(({ problems }) => problems);
  if (mistake) return failed(together([mistake, ...otherMistakes]));
  const ready = tried.map(({ item }) => item);

  const before = appliedBefore(ready);
  if (before) return succeeded({ objects: ready.map(({ rendered }) => nameOf(rendered.object)), changed: [], pruned: [], at: before.at });
  const at = (request.now ?? Date.now)();
  const also = placesBeyond(request, ready);
  const stamp: AppliedStamp = { at, objects: ready.filter(({ rendered }) => isTracked(rendered.object)).length, ...(also && { also }) };
  const changed: string[] = [];
  for (const wave of waves) {
    const members = ready.filter(({ rendered }) => rendered.part === undefined && waveOf(rendered.object) === wave);
    const ended = await Promise.all(members.map((item) => applyOne(request, item, stamp)));
    const [problem, ...others] = ended.flatMap((answer) => (answer.ok ? [] : [answer.problem]));
    if (problem) return failed(together([problem, ...others]));
    ended.forEach((answer, index) => {
      const member = members[index];
      if (answer.ok && answer.value && member) changed.push(nameOf(member.rendered.object));
    });
  }
  const installed = await installParts(request, ready, stamp);
  if (!installed.ok) return installed;
  const pruned =
    ready.length > 0 && ready.every(wasAppliedSo)
      ? succeeded([])
      : await prune({
          ...request,
          applied: ready.map(({ rendered }) => rendered.object),
          records: ready.flatMap(({ before }) => (before && stampOf(before)?.also) ?? []),
          at,
        });
  if (!pruned.ok) return pruned;
  return succeeded({
    objects: ready.map(({ rendered }) => nameOf(rendered.object)),
    changed: [...changed, ...installed.value],
    pruned: pruned.value,
    at,
  });
}

/** With the namespaces that are not there yet. They carry no release's label: others may use them, so no release takes them along. */
async function withNamespaces(request: ApplyRequest): Promise<ApplyRequest> {
  const { kube, objects, namespace, owner } = request;
  const made = new Set(objects.flatMap(({ object }) => (object.kind === 'Namespace' ? (object.metadata.name ?? '') : [])));
  const wanted = [...new Set([namespace, ...objects.flatMap(({ object }) => object.metadata.namespace ?? [])])].filter(
    (name) => !made.has(name),
  );
  const found = await Promise.all(wanted.map((name) => kube.get({ apiVersion: 'v1', kind: 'Namespace', name })));
  const [first] = objects;
  // What cannot be asked is left to the apply to tell. One that is being deleted is made anew when it is gone.
  const missing = wanted.filter((_, index) => {
    const answer = found[index];
    return answer?.ok === true && isGoing(answer.value);
  });
  if (!first) return request;
  const metadata = { labels: { [labels.workspace]: owner.workspaceId } };
  const added = missing.map((name): RenderedObject => ({
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } },
    location: first.location,
    locate: () => first.location,
  }));
  return { ...request, objects: [...added, ...objects] };
}

/** Whether an object is not there, or not for long. */
function isGoing(object: KubeObject | undefined): boolean {
  return object === undefined || object.metadata.deletionTimestamp !== undefined;
}

/** The apply that everything is as it is now from: nothing is to be sent. Undefined when anything differs, or nobody knows. */
function appliedBefore(ready: readonly Planned[]): AppliedStamp | undefined {
  const [first] = ready;
  const stamp = first?.before && stampOf(first.before);
  const tracked = ready.filter(({ rendered }) => isTracked(rendered.object)).length;
  if (!stamp || stamp.objects !== tracked) return undefined;
  const isSame = (item: Planned): boolean =>
    (item.rendered.part === undefined ? item.isAsWanted : isThere(item)) &&
    wasAppliedSo(item) &&
    item.before !== undefined &&
    item.before.metadata.deletionTimestamp === undefined &&
    stampOf(item.before)?.at === stamp.at;
  return ready.every(isSame) ? stamp : undefined;
}

/** What was installed as it is now, and is still there, needs neither a trial nor its tool. */
function isThere({ rendered, before }: Planned): boolean {
  return rendered.installed === true && before !== undefined && before.metadata.deletionTimestamp === undefined;
}

/** Has the other tools install what is theirs; gives back the names of what changed by it. */
async function installParts(request: ApplyRequest, ready: readonly Planned[], stamp: AppliedStamp): Promise<Result<readonly string[]>> {
  const { kube, installer } = request;
  const changed: string[] = [];
  for (const part of installer?.parts ?? []) {
    const members = ready.filter(({ rendered }) => rendered.part === part);
    if (members.length > 0 && members.every(isThere)) {
      const told = await stampAll(request, members, stamp);
      if (!told.ok) return told;
      continue;
    }
    for (const { rendered, replace } of members) {
      if (!replace) continue;
      const gone = await removed(kube, rendered.object, true);
      if (!gone.ok) return gone;
    }
    const ended = await installer?.install(
      part,
      members.map(({ rendered }) => withoutFingerprint(rendered.object)),
    );
    if (ended?.ok === false) return ended;
    const after = await Promise.all(members.map(({ rendered }) => kube.get(refOf(rendered.object))));
    const live = members.flatMap((member, index) => {
      const now = after[index];
      return now?.ok === true && now.value ? [{ ...member, now: now.value }] : [];
    });
    // The other tool never manages the stamps: what it installs next would be in conflict with these.
    const told = await stampAll(request, live, stamp);
    if (!told.ok) return told;
    for (const { rendered, before, now } of live)
      if (!before || !isDeepStrictEqual(withoutStamps(before), withoutStamps(now))) changed.push(nameOf(rendered.object));
  }
  return succeeded(changed);
}

/** Whether an object was there from the same fingerprint already. When all were, that apply has deleted what was to be deleted. */
function wasAppliedSo({ rendered, before }: Planned): boolean {
  const { fingerprint } = annotations;
  return before?.metadata.annotations?.[fingerprint] === rendered.object.metadata.annotations?.[fingerprint];
}

/** Where objects are that nobody would look for. Undefined when there are none. */
function placesBeyond({ namespace: home }: ApplyRequest, ready: readonly Planned[]): AppliedPlaces | undefined {
  const objects = ready.map(({ rendered }) => rendered.object);
  const namespaces = [...new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []))].filter((namespace) => namespace !== home);
  const kinds = distinctKinds(objects.map(kindOf)).filter((kind) => !removableKinds.some((usual) => sameKind(usual, kind)));
  return namespaces.length === 0 && kinds.length === 0 ? undefined : { home, namespaces, kinds };
}

interface Planned {
  readonly rendered: RenderedObject;
  readonly before: KubeObject | undefined;
  /** It cannot be changed in place, so it is removed first. */
  readonly replace: boolean;
  /** The trial would change nothing but Slipway's own stamps. */
  readonly isAsWanted: boolean;
}

/** What is there now under an object's name. */
async function lookAt({ kube, namespace, owner, seen }: ApplyRequest, rendered: RenderedObject): Promise<Result<Planned>> {
  let object = rendered.object;
  if (object.metadata.namespace === undefined && isNamespaced(object) === undefined) {
    const resource = await kube.resource(kindOf(object));
    if (!resource.ok) return resource;
    // A kind that the release itself defines is not known yet; `apply` places it when it is.
    if (!resource.value) return succeeded({ rendered, before: undefined, replace: false, isAsWanted: false });
    if (resource.value.namespaced) object = { ...object, metadata: { ...object.metadata, namespace } };
  }
  const ref = refOf(object);
  const known = seen?.(ref);
  const answer = known ? succeeded(known) : await kube.get(ref);
  // Somebody may apply what they may not read; then only "changed" is a guess.
  if (!answer.ok && answer.problem.code !== 'clusterRefused') return answer;
  const before = answer.ok ? answer.value : undefined;
  return succeeded({ rendered: { ...rendered, object: leaveToOthers(object, before, owner) }, before, replace: false, isAsWanted: false });
}

/** A namespace or a definition that was there before Slipway holds what others made; without the owner's labels no removal ever touches it. */
function leaveToOthers(object: KubeObject, before: KubeObject | undefined, owner: Owner): KubeObject {
  if (!holdsOthers.has(object.kind) || !before || isOwned(before, owner)) return object;
  const kept = { ...object.metadata.labels };
  for (const name of Object.values(labels)) Reflect.deleteProperty(kept, name);
  return { ...object, metadata: { ...object.metadata, labels: kept } };
}

interface Tried {
  readonly item: Planned;
  readonly problems: readonly Problem[];
}

async function tryOut(request: ApplyRequest, item: Planned, all: readonly Planned[]): Promise<Tried> {
  const { kube, namespace, owner, installer, options } = request;
  const { object } = item.rendered;
  if (isThere(item)) return { item, problems: [] };
  if (isStillSo(item)) return { item: { ...item, isAsWanted: true }, problems: [] };
  if (isMadeBy(all, object)) return { item, problems: await tryElsewhere(request, item) };
  const answer = await applyAs(kube, object, { ...howToApply(request, item), dryRun: true, namespace });
  if (answer.ok) {
    const isAsWanted = item.before !== undefined && isDeepStrictEqual(withoutStamps(item.before), withoutStamps(answer.value));
    return { item: { ...item, isAsWanted }, problems: [] };
  }
  if (answer.problem.code === 'namespaceNotFound' && installer?.makesNamespaces.has(object.metadata.namespace ?? namespace) === true)
    return { item, problems: [] };
  if (!isOfFixedField(answer.problem)) return { item, problems: explained(item.rendered, answer.problem) };
  // A Job's pods and a bare Pod cannot be changed. Ours are replaced, others when it was asked for; somebody else's are left alone.
  const replaceable = object.kind === 'Job' || object.kind === 'Pod' || (options?.force === true && !keptKinds.has(object.kind));
  const owned = item.before !== undefined && isOwned(item.before, owner);
  if (replaceable && owned) return { item: { ...item, replace: true }, problems: [] };
  const wayOut = owned && !keptKinds.has(object.kind) ? 'let it be made anew (--force), or' : 'or';
  return { item, problems: fixedFieldProblems({ rendered: item.rendered, live: item.before, problem: answer.problem, wayOut }) };
}

/**
 * Whether an object was applied from the same fingerprint and still has every value of its manifest, as it stands there: then a trial
 * would say nothing more, and it is the trial that costs. A value that the server writes in another way is only tried for nothing.
 */
function isStillSo(item: Planned): boolean {
  const { rendered, before } = item;
  return rendered.part === undefined && before !== undefined && wasAppliedSo(item) && holds(before, rendered.object);
}

/** Fields of others are taken over only when that was asked for. What another tool installed gets no more than stamps, and only from here. */
function howToApply({ options = {}, owner }: ApplyRequest, { rendered, before, replace }: Planned): Managers & { readonly force: boolean } {
  const stays = !replace && before?.metadata.deletionTimestamp === undefined;
  return { force: options.force === true || rendered.part !== undefined, ...managersOf(stays ? before : undefined, owner, options) };
}

/** An object whose namespace is still to be made is tried in one that is there, under a name that nobody has: its fields are wrong anywhere. */
async function tryElsewhere({ kube }: ApplyRequest, { rendered }: Planned): Promise<readonly Problem[]> {
  const { object } = rendered;
  if (isNamespaced(object) !== true || rendered.part !== undefined) return [];
  const name = `slipway-try-${createHash('sha256').update(nameOf(object)).digest('hex').slice(0, 12)}`;
  const answer = await kube.apply({ ...object, metadata: { ...object.metadata, name, namespace: 'default' } }, { dryRun: true });
  return answer.ok || answer.problem.code !== 'objectInvalid' ? [] : fieldProblems(rendered, answer.problem);
}

/** Whether an object can only be tried once another one of the same release is there: its namespace, or its kind's definition. */
function isMadeBy(all: readonly Planned[], object: KubeObject): boolean {
  return all.some(({ rendered, before }) => {
    if (!isGoing(before)) return false;
    const other = rendered.object;
    if (other.kind === 'Namespace') return other.metadata.name === object.metadata.namespace;
    return other.kind === 'CustomResourceDefinition' && isNamespaced(object) === undefined && definesKind(other, object.kind);
  });
}

function definesKind(definition: KubeObject, kind: string): boolean {
  const spec = definition['spec'] as { readonly names?: { readonly kind?: unknown } } | undefined;
  return spec?.names?.kind === kind;
}

/** Whether it changed anything. */
async function applyOne(request: ApplyRequest, item: Planned, stamp: AppliedStamp): Promise<Result<boolean>> {
  const { kube, namespace } = request;
  const { rendered, before, replace } = item;
  const { object } = rendered;
  if (replace || before?.metadata.deletionTimestamp !== undefined) {
    const gone = await removed(kube, object, replace);
    if (!gone.ok) return gone;
  }
  const answer = await applyAs(kube, stamped(object, stamp), { ...howToApply(request, item), namespace });
  if (!answer.ok) return failed(together(explained(rendered, answer.problem)));
  if (object.kind === 'CustomResourceDefinition') {
    const established = await establishment(kube, object);
    if (established) return failed({ ...established, location: rendered.location });
  }
  return succeeded(before === undefined || replace || !isDeepStrictEqual(withoutStamps(before), withoutStamps(answer.value)));
}

function stamped(object: KubeObject, stamp: AppliedStamp): KubeObject {
  const own = { ...object.metadata.annotations, [annotations.applied]: JSON.stringify(stamp) };
  return { ...object, metadata: { ...object.metadata, annotations: own } };
}

/** Stamps what another tool has installed. */
async function stampAll(request: ApplyRequest, items: readonly Planned[], stamp: AppliedStamp): Promise<Result<void>> {
  const { kube, namespace } = request;
  const told = await Promise.all(
    items.map((item) => applyAs(kube, onlyStamped(item.rendered.object, stamp), { ...howToApply(request, item), namespace })),
  );
  const [problem, ...others] = told.flatMap((answer) => (answer.ok ? [] : [answer.problem]));
  return problem ? failed(together([problem, ...others])) : succeeded(undefined);
}

/** The stamps alone, over what another tool installed. */
function onlyStamped({ apiVersion, kind, metadata }: KubeObject, stamp: AppliedStamp): KubeObject {
  const { name, namespace } = metadata;
  const fingerprint = metadata.annotations?.[annotations.fingerprint];
  const own = {
    ...(fingerprint !== undefined && { [annotations.fingerprint]: fingerprint }),
    [annotations.applied]: JSON.stringify(stamp),
  };
  return {
    apiVersion,
    kind,
    metadata: { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }), annotations: own },
  };
}

/** Removes an object, or waits for one that is being removed: what is applied to it meanwhile would go with it. */
async function removed(kube: Kube, object: KubeObject, remove: boolean): Promise<Result<void>> {
  if (remove) {
    const answer = await kube.delete(refOf(object), { propagation: 'Background' });
    if (!answer.ok) return answer;
  }
  const namespace = object.metadata.namespace;
  const { inTime } = await waitUntil({
    kube,
    kind: kindOf(object),
    ...(namespace === undefined ? {} : { namespace }),
    timeoutMs: 60_000,
    done: (all) => all.every((one) => one.metadata.name !== object.metadata.name),
  });
  if (inTime) return succeeded(undefined);
  return failed({
    code: 'stillTerminating',
    message: `${nameOf(object)} is being deleted and was not gone after 60 s`,
    hint: `see what holds it: kubectl get ${nameOf(object)} -o yaml (metadata.finalizers)`,
    retry: 'afterDelay',
    exitCode: 1,
  });
}

function withoutStamps(object: KubeObject): unknown {
  const { fingerprint, applied, chart } = annotations;
  const stamps = new Set<string>([fingerprint, applied, chart]);
  const kept = Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !stamps.has(name));
  const metadata = {
    ...object.metadata,
    managedFields: undefined,
    resourceVersion: undefined,
    generation: undefined,
    annotations: Object.fromEntries(kept),
  };
  return { ...object, metadata, status: undefined };
}

function explained(rendered: RenderedObject, problem: Problem): readonly [Problem, ...Problem[]] {
  if (/^cluster(Unreachable|Failed)$/.test(problem.code)) return [problem];
  const { location } = rendered;
  // What a policy says of fields is its own text, and no list of mistakes.
  if (/^(namespaceNotFound|stillTerminating|admissionDenied|quotaExceeded)$/.test(problem.code)) return [{ ...problem, location }];
  if (problem.code === 'objectConflict') return conflicts(rendered, problem);
  return fieldProblems(rendered, problem);
}

/** Who manages which field, each with its place. */
function conflicts({ object, location, locate }: RenderedObject, problem: Problem): readonly [Problem, ...Problem[]] {
  const [first, ...others] = conflictsIn(problem).map(({ field, manager, subresource }): Problem => ({
    ...problem,
    message: `${nameOf(object)}: ${field} is managed by ${manager}${subresource === undefined ? '' : ` (its ${subresource})`}`,
    hint: 'leave it out of the manifest, or take it over: --force, or apply.force in slipway.yaml',
    location: locate(field),
  }));
  return first ? [first, ...others] : [{ ...problem, location }];
}
