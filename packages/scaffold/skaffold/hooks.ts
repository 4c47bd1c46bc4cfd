import type { HookConfig } from '../../config';
import { joinPath } from '../../graph';
import type { HookSystem, Project } from '../../model';
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
  const run = outside.at('command')?.texts() ?? [];
  const os = (outside.at('os')?.texts() ?? []) as readonly HookSystem[];
  // Without it, it runs where skaffold.yaml is.
  const dir = fromProject(project, joinPath(place.folder, outside.at('dir')?.text() ?? '.'));
  return run.length === 0 ? undefined : { run, ...(os.length > 0 && { os }), ...(dir !== '.' && { dir }) };
}
