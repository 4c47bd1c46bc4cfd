import { posix } from 'node:path';
import type { SyncConfig } from '../../config';
import { below } from '../../dockerfile';
import { joinPath } from '../../graph';
import type { Project, WorkspacePath } from '../../model';
import type { Field } from '../imports/field';
import { fromProject, type Place } from '../imports/place';

interface Watched {
  readonly project: Project;
  /** Of the image. */
  readonly context: WorkspacePath;
  readonly dockerfile: WorkspacePath;
  readonly place: Place;
}

type Rule = NonNullable<SyncConfig['rules']>[number];

/** `develop.watch` of a service. What its image copies is synced, or makes a new one, without a rule; a rule stands for what is put elsewhere. */
export function watchOf(service: Field, { project, context, dockerfile, place }: Watched): SyncConfig | undefined {
  const watches = service.at('develop')?.at('watch')?.items() ?? [];
  const rules: Rule[] = [];
  const ignore: string[] = [];
  const rebuilt = watches.flatMap((watch) => {
    const path = watch.at('action')?.text() === 'rebuild' ? watch.at('path')?.text() : undefined;
    return path === undefined ? [] : [joinPath(place.folder, path)];
  });
  // A rule wins over a rebuild, and what the image and its manifests are made from is nothing that a container runs.
  const own = ['slipway.yaml', 'k8s', '.dockerignore'].map((name) => joinPath(project.root, name));
  const left = [...rebuilt, dockerfile, `${dockerfile}.dockerignore`, joinPath(context, '.dockerignore'), ...own];
  for (const watch of watches) {
    const [path, action, target] = ['path', 'action', 'target'].map((key) => watch.at(key)?.text());
    watch.at('initial_sync')?.skip();
    if (path === undefined) continue;
    const from = joinPath(place.folder, path);
    ignore.push(...(watch.at('ignore')?.texts() ?? []).map((each) => fromProject(project, joinPath(from, each))));
    const unlike = action === undefined ? undefined : unlikeHere[action];
    if (unlike !== undefined) place.note(watch, unlike);
    if (target === undefined || action?.startsWith('sync') !== true) continue;
    const src = posix.relative(`/${context}`, `/${from}`);
    rules.push(
      ...(place.files.kindOf(from) === 'file'
        ? [{ src, dest: posix.dirname(target), ...(src.includes('/') && { strip: `${posix.dirname(src)}/` }) }]
        : directoryRules(
            src,
            target,
            left.flatMap((each) => below(from, each) ?? []),
          )),
    );
  }
  return rules.length + ignore.length === 0 ? undefined : { ...(rules.length > 0 && { rules }), ...(ignore.length > 0 && { ignore }) };
}

/** Actions that do something else here, or nothing. */
const unlikeHere: Readonly<Record<string, string>> = {
  'sync+restart':
    'restarts: here the command of the container says how a process takes up what was copied; where it says nothing, say reload',
  'sync+exec': 'runs a command after the copy: write it in sync.after of slipway.yaml',
  restart: 'has no counterpart: a file that the container is to take up is copied by sync.rules, and reload says how',
};

/** A directory without some paths below it, which are relative to it: each level has a rule of its own for what is beside them. */
function directoryRules(src: string, dest: string, left: readonly string[]): readonly Rule[] {
  const folder = src === '' ? '' : `${src}/`;
  const names = [...new Set(left.map((path) => path.split('/')[0] ?? ''))].filter((name) => name !== '').sort();
  const rule = { src: `${folder}${names.length === 0 ? '**' : `!(${names.join('|')})`}`, dest, ...(folder !== '' && { strip: folder }) };
  const partly = names.filter((name) => !left.includes(name));
  const inner = (name: string): readonly string[] =>
    left.flatMap((path) => (path.startsWith(`${name}/`) ? [path.slice(name.length + 1)] : []));
  return [rule, ...partly.flatMap((name) => directoryRules(`${folder}${name}`, posix.join(dest, name), inner(name)))];
}
