import type { Action, Artifact, ArtifactName, ContainerPath, Release, Target, Workspace, WorkspacePath } from '../model';
import { outputOf } from './outputOf';
import type { Selector } from './select';
import { landingOf } from './snapshot';
import { isOutputOf } from './targets';

/** What a change of one file asks of one artifact, and why. */
export interface Classified {
  readonly artifact: ArtifactName;
  readonly action: Action;
  readonly containerPaths: readonly ContainerPath[];
  readonly because: string;
}

/**
 * What a change of a file would do, by the Workspace alone: for `explain`, and for the line that says what happens now. An
 * artifact that the file does not reach is left out; a file that reaches nothing has an empty answer. An artifact that takes a file which
 * is a manifest of its release too has two answers.
 */
export function classify(workspace: Workspace, path: WorkspacePath): readonly Classified[] {
  const releases = releasesReading(workspace, path);
  return [...workspace.artifacts.values()].flatMap((artifact): readonly Classified[] => {
    const answer = classifyFor(workspace, artifact, path);
    const reading = releases.find(({ release }) => release.artifacts.includes(artifact.name));
    return [
      ...(answer ? [answer] : []),
      // What goes into an image may be a manifest too: then it is applied as well.
      ...(reading ? [{ artifact: artifact.name, action: 'redeploy', containerPaths: [], because: reading.because } as const] : []),
    ];
  });
}

/** What a change of a file asks for an artifact's image alone. */
export function classifyFor(workspace: Workspace, artifact: Artifact, path: WorkspacePath): Classified | undefined {
  const containerPaths = new Set<ContainerPath>();
  let sync: string | undefined;
  let rebuild: string | undefined;
  let byRule = false;
  for (const input of artifact.inputs) {
    const landing = landingOf(input, path);
    if (!landing) continue;
    if (input.onChange === 'rebuild') {
      rebuild ??= input.because;
    } else {
      sync ??= input.because;
      byRule ||= input.byRule === true;
      if (landing.containerPath !== undefined) containerPaths.add(landing.containerPath);
    }
  }
  const answer = (action: Action, because: string): Classified => ({
    artifact: artifact.name,
    action,
    containerPaths: [...containerPaths],
    because,
  });
  if (rebuild !== undefined) return answer('rebuild', rebuild);
  if (sync !== undefined) return answer('sync', `${sync}; ${takenUp(artifact, { path, byRule })}`);
  const found = targetReading(workspace, artifact, path);
  if (!found) return undefined;
  const { target, maker } = found;
  const reads = `${target.id} ${target.continuous ? 'watches' : 'reads'} it`;
  const made = outputOf(artifact, maker, path);
  return made.onChange === 'sync'
    ? answer('target-then-sync', `${reads}, and its output is copied`)
    : answer('target-then-rebuild', `${reads}, and its output asks for a new image: ${made.because}`);
}

/** How what was copied takes effect. */
function takenUp({ after, reload }: Artifact, { path, byRule }: { readonly path: WorkspacePath; readonly byRule: boolean }): string {
  const commands = after.filter(({ accepts }) => accepts?.(path, 'file') ?? true).map(({ run }) => `\`${run.join(' ')}\``);
  if (commands.length > 0) return `then ${commands.join(', then ')} in the container`;
  if (!byRule || reload.kind !== 'rebuild') return reload.because;
  return `${reload.because}: name a command in sync.after, say reload: hot if its process does, or take it out of sync.rules for a new image`;
}

/** The target that reads a file, and the one that makes of it what the image takes: often the same. */
function targetReading(
  workspace: Workspace,
  artifact: Artifact,
  path: WorkspacePath,
): { readonly target: Target; readonly maker: Target } | undefined {
  const seen = new Set<string>();
  const search = (ids: readonly string[], above?: Target): { readonly target: Target; readonly maker: Target } | undefined => {
    for (const id of ids) {
      const target = workspace.targets.get(id);
      if (!target || seen.has(id)) continue;
      seen.add(id);
      const maker = above ?? target;
      if (isReadBy(target, path)) return { target, maker };
      const lower = search(target.dependsOn, maker);
      if (lower) return lower;
    }
    return undefined;
  };
  return search(artifact.targets);
}

/** Whether a target takes a file for something that it has not made itself. */
export function isReadBy(target: Target, path: WorkspacePath): boolean {
  return !isOutputOf(target, path) && target.inputs.some((input) => takes(input, path));
}

/** A release that a file is part of, and how. */
export interface ReadingRelease {
  readonly release: Release;
  readonly because: string;
}

/** The releases that a file is part of, those without an image of the workspace too. */
export function releasesReading(workspace: Workspace, path: WorkspacePath): readonly ReadingRelease[] {
  return [...workspace.releases.values()].flatMap((release) => {
    const input = release.inputs.find((each) => takes(each, path));
    return input ? [{ release, because: input.because }] : [];
  });
}

function takes({ path: at, accepts }: Selector, path: WorkspacePath): boolean {
  const isBelow = at === '' || path === at || path.startsWith(`${at}/`);
  return isBelow && (accepts?.(path, 'file') ?? true);
}
