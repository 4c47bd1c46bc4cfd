import type { ImageConfig } from '../../config';
import { joinPath } from '../../graph';
import type { Project, WorkspacePath } from '../../model';
import type { Field } from '../imports/field';
import { fromProject, type Place } from '../imports/place';
import { pairsOf } from './pairs';
import { withVariables } from './variables';

/** `build` of a service: a folder, or more than that. */
export interface ComposeBuild {
  readonly field: Field;
  readonly context: WorkspacePath;
  readonly dockerfile: WorkspacePath;
}

/** Undefined where a service is not built. */
export function buildOf(service: Field, { folder }: Pick<Place, 'folder'>): ComposeBuild | undefined {
  const field = service.at('build');
  if (!field) return undefined;
  const context = joinPath(folder, field.text() ?? field.at('context')?.text() ?? '.');
  return { field, context, dockerfile: joinPath(context, field.at('dockerfile')?.text() ?? 'Dockerfile') };
}

/** What a project says of an image that is built so. */
export function imageSettingsOf({ field, context, dockerfile }: ComposeBuild, project: Project): ImageConfig {
  const text = (key: string): string | undefined => field.at(key)?.text();
  const file = fromProject(project, dockerfile);
  const target = text('target');
  const network = text('network');
  // Without a value it is the environment's own.
  const templates = (key: string): readonly (readonly [string, string])[] =>
    pairsOf(field.at(key)).map(([name, value]) => [name, withVariables(value ?? `\${${name}}`).text]);
  const args = templates('args');
  const labels = templates('labels');
  const hosts = field.at('extra_hosts');
  const addHosts = pairsOf(hosts, hosts?.texts().some((each) => each.includes('=')) === true ? '=' : ':').map(
    ([name, address]) => [name, address ?? `\${${name}}`] as const,
  );
  const cacheFrom = field.at('cache_from')?.texts() ?? [];
  const platforms = field.at('platforms')?.texts() ?? [];
  const docker = {
    ...(file !== 'Dockerfile' && { file }),
    ...(target !== undefined && { target }),
    ...(args.length > 0 && { args: Object.fromEntries(args) }),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...((network === 'host' || network === 'none') && { network }),
    ...(addHosts.length > 0 && { addHosts: Object.fromEntries(addHosts) }),
    ...(cacheFrom.length > 0 && { cacheFrom }),
    ...(text('pull') === 'true' && { pull: true }),
    ...(text('no_cache') === 'true' && { noCache: true }),
  } satisfies ImageConfig['docker'];
  return {
    ...(context !== project.root && { context: context === '' ? 'workspace' : fromProject(project, context) }),
    ...(Object.keys(docker).length > 0 && { docker }),
    ...(platforms.length > 0 && { platforms }),
  };
}
