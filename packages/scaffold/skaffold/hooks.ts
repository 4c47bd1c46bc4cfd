import type { HookConfig } from '../../config';
import { joinPath } from '../../graph';
import type { HookSystem, Project, WorkspacePath } from '../../model';
import type { Field } from '../imports/field';
import { fromProject, type Place } from '../imports/place';

export type BeforeAndAfter = Partial<Record<'before' | 'after', readonly HookConfig[]>>;

/** Hooks that run on the host, or for which `host:` and `container:` say where. Undefined when there are none. */
export function hooksOf(hooks: Field | undefined, project: Project, place: Place): BeforeAndAfter | undefined {
  const both = (['before', 'after'] as const).flatMap((when) => {
    const list = (hooks?.at(when)?.items() ?? []).flatMap((each) => hookOf(each, project, place) ?? []);
    return list.length === 0 ? [] : [[when, list] as const];
  });
  return both.length === 0 ? undefined : Object.fromEntries(both);
}

function hookOf(hook: Field, project: Project, place: Place): HookConfig | undefined {
  const inside = hook.at('container');
  if (inside) {
    const run = inside.at('command')?.texts() ?? [];
    const container = inside.at('containerName')?.text();
    if (run.length > 0 && container !== undefined) return { run, container };
    inside.skip();
    place.note(inside, 'names no container; write it with container: NAME below hooks');
    return undefined;
  }
  return hostHookOf(hook.at('host') ?? hook, project, place);
}

/** One that runs on this machine. Undefined when it has no command. */
export function hostHookOf(outside: Field, project: Project, place: Place): HookConfig | undefined {
  const command = outside.at('command');
  const said = command?.texts() ?? [];
  const os = (outside.at('os')?.texts() ?? []) as readonly HookSystem[];
  // Without it, it runs where skaffold.yaml is.
  const folder = joinPath(place.folder, outside.at('dir')?.text() ?? '.');
  const dir = fromProject(project, folder);
  const run = said.map(withOwnVariables);
  if (command) noteVariables(command, [...run, ...scriptsOf(said, folder, place)], place);
  return run.length === 0 ? undefined : { run, ...(os.length > 0 && { os }), ...(dir !== '.' && { dir }) };
}

/** What hooks are told in Skaffold, and here by another name. */
const ownNames: Readonly<Record<string, string>> = {
  SKAFFOLD_IMAGE: 'IMAGE',
  SKAFFOLD_IMAGE_REPO: 'IMAGE_REPO',
  SKAFFOLD_IMAGE_TAG: 'IMAGE_TAG',
  SKAFFOLD_KUBE_CONTEXT: 'SLIPWAY_CONTEXT',
  SKAFFOLD_NAMESPACES: 'SLIPWAY_NAMESPACE',
};

function withOwnVariables(word: string): string {
  return word.replace(/(\$\{?)(SKAFFOLD_\w+)/g, (whole, before: string, name: string) =>
    ownNames[name] === undefined ? whole : `${before}${ownNames[name]}`,
  );
}

/** The texts of files that a command names: scripts, which find no other variables than the command does. */
function scriptsOf(words: readonly string[], folder: WorkspacePath, { files }: Place): readonly string[] {
  const paths = words.filter((word) => /^[\w.]/.test(word) && !/\s/.test(word)).map((word) => joinPath(folder, word));
  return paths.flatMap((path) => (files.kindOf(path) === 'file' ? (files.textOf(path) ?? []) : []));
}

function noteVariables(command: Field, texts: readonly string[], place: Place): void {
  const names = new Set(texts.flatMap((text) => text.match(/\bSKAFFOLD_[A-Z_]*[A-Z]/g) ?? []));
  if (names.size === 0) return;
  const told = [...names].sort().map((name) => (ownNames[name] === undefined ? name : `${name} (here ${ownNames[name]})`));
  place.note(command, `reads what only Skaffold sets, which is empty here: ${told.join(', ')}`);
}
