import type { Kube } from '../clients';
import {
  entryAt,
  succeeded,
  type Artifact,
  type ContainerPath,
  type DirEntry,
  type Input,
  type Report,
  type Result,
  type Target,
} from '../model';
import { landingBy } from '../graph';
import { landsFrom, takenFrom } from '../plan';
import { neverFollowed } from '../source';
import { listBelow, type Agent, type Listed } from '../sync';

export interface MirrorRequest {
  readonly kube: Pick<Kube, 'exec'>;
  readonly container: { readonly namespace: string; readonly pod: string; readonly container: string };
  readonly agent: Agent;
  readonly artifact: Artifact;
  /** What is to be there. */
  readonly wanted: DirEntry;
  /** Targets whose outputs are not to be looked at now: what they made there stays. */
  readonly stale: readonly Target[];
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly silenceMs: number;
}

const namedPaths = 5;

/** Removes what only a container has where inputs are mirrored. Says which paths; they hold nothing now. Failures: those of listing, and of the agent. */
export async function mirror(request: MirrorRequest): Promise<Result<readonly ContainerPath[]>> {
  const { agent, artifact, container, wanted, stale, report } = request;
  const directories = mirroredRoots(artifact);
  if (directories.length === 0) return succeeded([]);
  const listed = await listBelow({ ...request, directories });
  if (!listed.ok) return listed;
  for (const directory of listed.value.elsewhere) report(throughLink(artifact.name, directory));
  const paths = onlyThere(artifact, wanted, listed.value).filter((path) => !stale.some((target) => landsFrom(artifact, target, path)));
  if (paths.length === 0) return succeeded([]);
  const changes = paths.map((path) => ({ path, after: undefined }));
  const applied = await agent.apply({ changes, read: () => succeeded(undefined) }, request.signal);
  if (!applied.ok) return applied;
  const removed = applied.value.holds.map(([path]) => path);
  const named = removed.slice(0, namedPaths).join(', ');
  const more = removed.length > namedPaths ? ` and ${String(removed.length - namedPaths)} more` : '';
  if (removed.length > 0)
    report({ kind: 'notice', subject: artifact.name, message: `removed what only ${container.pod} had: ${named}${more}` });
  return succeeded(removed);
}

function throughLink(subject: string, directory: ContainerPath): Parameters<Report>[0] {
  return {
    kind: 'notice',
    subject,
    message: `${directory} is reached through a link in the container, so nothing that only the container has is removed there`,
    hint: 'write where the link leads as the dest of the rule',
  };
}

/** The directories of a container that are to hold nothing but what their inputs bring. */
export function mirroredRoots({ inputs, keepsRemoved }: Artifact): readonly ContainerPath[] {
  if (keepsRemoved === true) return [];
  return [
    ...new Set(inputs.flatMap(({ mirror, containerPath }) => (mirror === true && containerPath !== undefined ? [containerPath] : []))),
  ];
}

/**
 * What only the container has where inputs are mirrored: of paths that lie in each other the upper one. Left alone is what such an input would
 * not take if it were here (what its globs do not name, what `sync.ignore` names, `node_modules`), what another input lands in, what is pulled,
 * and a directory with anything of that kind in it.
 */
export function onlyThere(artifact: Artifact, wanted: DirEntry, { below }: Pick<Listed, 'below'>): readonly ContainerPath[] {
  const paths = [...below.keys()].sort();
  const kept = new Set<ContainerPath>();
  const landings = (artifact.pulls ?? []).map(landingBy);
  for (const path of paths) {
    const isPulled = landings.some((landing) => landing(path) !== undefined);
    if (!isPulled && isOnlyThere(artifact, wanted, path, below.get(path) ?? 'other')) continue;
    for (let at = path; at !== '' && !kept.has(at); at = at.slice(0, at.lastIndexOf('/'))) kept.add(at);
  }
  const removed = new Set(paths.filter((path) => !kept.has(path)));
  return [...removed].filter((path) => !removed.has(path.slice(0, path.lastIndexOf('/'))));
}

function isOnlyThere(artifact: Artifact, wanted: DirEntry, path: ContainerPath, kind: 'dir' | 'other'): boolean {
  if (entryAt(wanted, path) !== undefined || path.split('/').some((name) => neverFollowed.has(name))) return false;
  const taking = artifact.inputs.filter((input) => takes(input, path, kind));
  const inner = taking.at(-1);
  return inner?.mirror === true && artifact.inputs.every((input) => input.mirror === true || !landsBelow(input, inner, path));
}

function takes(input: Input, path: ContainerPath, kind: 'dir' | 'other'): boolean {
  if (input.onChange !== 'sync' || path === input.containerPath) return false;
  const source = takenFrom(input, path);
  return source !== undefined && (input.accepts?.(source, kind === 'dir' ? 'dir' : 'file') ?? true);
}

/** Whether an input has a place of its own, inside of a mirrored one, that a path is in. */
function landsBelow({ containerPath, onChange }: Input, mirrored: Input, path: ContainerPath): boolean {
  if (onChange !== 'sync' || containerPath === undefined || containerPath.length <= (mirrored.containerPath ?? '').length) return false;
  return path === containerPath || path.startsWith(`${containerPath}/`);
}
