import { folderOf, type Goal, type TargetId, type Workspace, type WorkspacePath } from '../model';
import type { Selector } from '../plan';
import type { Scope } from '../source';
import type { ReadWorkspace } from './readWorkspace';

/** What vim and Emacs keep beside a file while it is open or being saved: swap files, locks, copies. */
const editorsOwn = /(^|\/)(\.[^/]*\.sw[a-px]|\.#[^/]*|#[^/]*#|[^/]*~)$/;

/** Of directories, what is an editor's own is no input of an image or a target, and never the reason for another one. A file that is named counts, whatever its name. */
function withoutEditorsOwn({ path, accepts }: Selector): Selector {
  return { path, accepts: (at, kind) => !editorsOwn.test(at) && (accepts?.(at, kind) ?? true) };
}

/** What the workspace is read from. */
type ReadFrom = Pick<ReadWorkspace, 'configFiles' | 'projectFolders' | 'newcomers'>;

/** What of the disk matters for a goal: inputs of its artifacts and targets, their outputs, manifests, and, while it is watched, the files that the workspace itself is read from. */
export function scopeFor(workspace: Workspace, goal: Goal, read: ReadFrom | undefined): Scope {
  // A folder among them stands for the names in it, not for what is further below.
  const selectors: Selector[] = [...(read?.configFiles ?? []), ...(read?.projectFolders ?? [])].map((path) => ({
    path,
    accepts: (at) => at === path || folderOf(at) === path,
  }));
  selectors.push(...(read?.newcomers ?? []));
  const artifacts = new Set<string>();
  const targets = new Set<TargetId>();
  const addTarget = (id: TargetId): void => {
    const target = workspace.targets.get(id);
    if (!target || targets.has(id)) return;
    targets.add(id);
    selectors.push(...target.inputs.map(withoutEditorsOwn), ...target.outputs.map((path) => ({ path })));
    for (const lower of target.dependsOn) addTarget(lower);
  };
  const addArtifact = (name: string): void => {
    const artifact = workspace.artifacts.get(name);
    if (!artifact || artifacts.has(name)) return;
    artifacts.add(name);
    // A folder that is copied as it is has every file copied.
    selectors.push(...(artifact.recipe.builder === 'none' ? artifact.inputs : artifact.inputs.map(withoutEditorsOwn)));
    for (const id of artifact.targets) addTarget(id);
    for (const base of artifact.requires) addArtifact(base);
  };
  for (const name of goal.artifacts) addArtifact(name);
  for (const name of goal.releases) selectors.push(...(workspace.releases.get(name)?.inputs ?? []));
  return scopeOf(selectors);
}

function scopeOf(selectors: readonly Selector[]): Scope {
  const byPath = new Map<WorkspacePath, Selector[]>();
  for (const selector of selectors) {
    const known = byPath.get(selector.path);
    if (known) known.push(selector);
    else byPath.set(selector.path, [selector]);
  }
  return {
    paths: [...byPath.keys()],
    accepts: (path, kind) => {
      for (let at = path; ; at = folderOf(at)) {
        if (byPath.get(at)?.some(({ accepts }) => !accepts || accepts(path, kind)) === true) return true;
        if (at === '') return false;
      }
    },
  };
}
