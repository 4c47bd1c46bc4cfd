import { labels } from '../build';
import type { Kube, KubeObject } from '../clients';
import { failed, succeeded, type Problem, type Result } from '../model';
import { digestOfRef, isInputDigestTag, nameOfRef, tagOfRef } from '../tag';
import type { PruneDocument } from './command';
import type { Session } from './session';

type LeftImage = NonNullable<PruneDocument['images']>[number];

export interface PrunedImages {
  readonly images: readonly LeftImage[];
  readonly problems: readonly Problem[];
}

interface ImagePruning {
  /** Tags and digests of images of the files as they are. */
  readonly current: ReadonlySet<string>;
  readonly dryRun: boolean;
}

/** Kinds that name images. */
const naming = [
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'batch/v1', kind: 'CronJob' },
] as const;

/** How many questions a registry gets at a time. */
const atATime = 16;

/**
 * Removes images of this workspace that are of no use any more: neither made of the files as they are, nor named by anything in the
 * cluster, nor by a tag that people gave. In the engine, and in the registry when the cluster brought it along; from any other one
 * somebody else may be pulling.
 */
export async function pruneImages(session: Session, { current, dryRun }: ImagePruning): Promise<PrunedImages> {
  const { kube, delivery, registry, engine, options, read } = session;
  if (!kube || !delivery) return { images: [], problems: [] };
  const used = await usedIn(kube);
  if (!used.ok) return { images: [], problems: [used.problem] };
  const keep = new Set([...current, ...used.value]);
  const names = [...read.workspace.artifacts.values()].map(({ image }) => delivery.nameOf(image));
  const images: LeftImage[] = [];
  const problems: Problem[] = [];
  const take = async (where: LeftImage['where'], ref: string, remove: (ref: string) => Promise<Result<void>>): Promise<void> => {
    if (options.signal.aborted) return;
    const removed = dryRun ? undefined : await remove(ref);
    if (removed && !removed.ok) problems.push(removed.problem);
    images.push({ where, ref, removed: removed?.ok === true });
  };

  if (delivery.repo !== undefined && delivery.isClustersOwn !== true)
    options.report({ kind: 'notice', message: `what is in ${delivery.repo} stays there: others may use it` });
  for (const name of delivery.isClustersOwn === true ? names : []) {
    const tagged = await taggedIn(name, registry);
    if (!tagged.ok) return { images, problems: [...problems, tagged.problem] };
    for (const tag of leftTags(tagged.value, keep)) await take('registry', `${name}:${tag}`, (ref) => registry.remove(ref));
    for (const tag of tagged.value.keys()) if (!images.some(({ ref }) => ref === `${name}:${tag}`)) keep.add(tag);
  }
  const inEngine = await engine.list({ name: labels.project });
  // Without an engine there is nothing in it.
  for (const { refs } of inEngine.ok ? inEngine.value : []) {
    for (const ref of refs) {
      const tag = tagOfRef(ref) ?? '';
      if (names.includes(nameOfRef(ref)) && isInputDigestTag(tag) && !keep.has(tag))
        await take('engine', ref, (each) => engine.remove(each));
    }
  }
  return { images, problems };
}

/** Of the tags of a repository, with their digests, those made from content whose images nothing keeps. Pure. */
export function leftTags(tagged: ReadonlyMap<string, string>, keep: ReadonlySet<string>): readonly string[] {
  const isKept = (tag: string, digest: string): boolean => keep.has(tag) || keep.has(digest) || !isInputDigestTag(tag);
  const kept = new Set([...tagged].filter(([tag, digest]) => isKept(tag, digest)).map(([, digest]) => digest));
  return [...tagged].filter(([, digest]) => !kept.has(digest)).map(([tag]) => tag);
}

async function taggedIn(name: string, registry: Session['registry']): Promise<Result<ReadonlyMap<string, string>>> {
  const tags = await registry.tags(name);
  if (!tags.ok) return tags;
  const tagged = new Map<string, string>();
  for (let at = 0; at < tags.value.length; at += atATime) {
    const some = tags.value.slice(at, at + atATime);
    const digests = await Promise.all(some.map((tag) => registry.digest(`${name}:${tag}`)));
    for (const [index, digest] of digests.entries()) {
      if (!digest.ok) return digest;
      if (digest.value !== undefined) tagged.set(some[index] ?? '', digest.value);
    }
  }
  return succeeded(tagged);
}

/** Tags and digests of all images that objects of the cluster name, in all namespaces. */
async function usedIn(kube: Kube): Promise<Result<readonly string[]>> {
  const used: string[] = [];
  for (const kind of naming) {
    const listed = await kube.list(kind);
    if (!listed.ok) return failed(mayNotList(kind.kind, listed.problem));
    for (const ref of listed.value.flatMap((object) => imagesIn(object))) {
      const [tag, digest] = [tagOfRef(ref), digestOfRef(ref)];
      used.push(...(tag === undefined ? [] : [tag]), ...(digest === undefined ? [] : [digest]));
    }
  }
  return succeeded(used);
}

function imagesIn({ spec }: KubeObject): readonly string[] {
  const found: string[] = [];
  const search = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      if (key === 'image' && typeof each === 'string') found.push(each);
      else search(each);
    }
  };
  search(spec);
  return found;
}

function mayNotList(kind: string, problem: Problem): Problem {
  return {
    ...problem,
    message: `nobody can say which images are used, so none is removed: objects of kind ${kind} cannot be listed: ${problem.message}`,
    retry: 'never',
    exitCode: 3,
  };
}
