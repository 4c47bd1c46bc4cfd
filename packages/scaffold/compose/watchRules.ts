import { posix } from 'node:path';
import type { SyncConfig } from '../../config';
import { joinPath } from '../../graph';
import type { Project, WorkspacePath } from '../../model';
import type { Field } from '../imports/field';
import { fromProject, type Place } from '../imports/place';

interface Watched {
  readonly project: Project;
  /** Of the image. */
  readonly context: WorkspacePath;
  readonly place: Place;
}

/** `develop.watch` of a service. What its image copies is synced, or makes a new one, without a rule; a rule stands for what is put elsewhere. */
export function watchOf(service: Field, { project, context, place }: Watched): SyncConfig | undefined {
  const watches = service.at('develop')?.at('watch')?.items() ?? [];
  const rules: NonNullable<SyncConfig['rules']>[number][] = [];
  const ignore: string[] = [];
  for (const watch of watches) {
    const [path, action, target] = ['path', 'action', 'target'].map((key) => watch.at(key)?.text());
    watch.at('initial_sync')?.skip();
    if (path === undefined) continue;
    const from = joinPath(place.folder, path);
    ignore.push(...(watch.at('ignore')?.texts() ?? []).map((each) => fromProject(project, joinPath(from, each))));
    if (target === undefined || action?.startsWith('sync') !== true) continue;
    const src = posix.relative(`/${context}`, `/${from}`);
    const below = src === '' ? '' : `${src}/`;
    rules.push(
      place.files.kindOf(from) === 'file'
        ? { src, dest: posix.dirname(target), ...(src.includes('/') && { strip: `${posix.dirname(src)}/` }) }
        : { src: `${below}**`, dest: target, ...(below !== '' && { strip: below }) },
    );
    if (action === 'sync+restart')
      place.note(
        watch,
        'restarts: here the command of the container says how a process takes up what was copied; where it says nothing, say reload',
      );
  }
  return rules.length + ignore.length === 0 ? undefined : { ...(rules.length > 0 && { rules }), ...(ignore.length > 0 && { ignore }) };
}
