import type { ImageConfig, SyncConfig } from '../../config';
import { joinPath } from '../../graph';
import { withoutScope, type BuildNetwork, type Project, type WorkspacePath } from '../../model';
import type { Field } from '../imports/field';
import { fromGoTemplate } from './goTemplates';
import { hooksOf, hostHookOf, type BeforeAndAfter } from './hooks';
import type { ImportedImageConfig, NamedImage } from '../imports/images';
import { fromProject, ownerOf, type Place } from '../imports/place';

/** An artifact of Skaffold, as the project that it belongs to may say it. */
export interface ImportedImage extends NamedImage {
  readonly project: Project;
  readonly hooks: { readonly build?: BeforeAndAfter; readonly sync?: BeforeAndAfter };
}

/** Builders that have no counterpart: their command can be run by `image.custom`. */
const otherBuilders = ['jib', 'bazel', 'buildpacks', 'buildpack', 'ko', 'googleCloudBuild'];

/** One of `build.artifacts`. Undefined when it belongs to no project; that has been told. */
export function imageOf(artifact: Field, place: Place, projectByImage: ReadonlyMap<string, Project>): ImportedImage | undefined {
  const image = artifact.at('image')?.text();
  if (image === undefined) return undefined;
  const docker = dockerFieldOf(artifact);
  const { context, dockerfile } = filesOf(artifact, place);
  const project = projectByImage.get(image) ?? homeOf(artifact, place);
  if (!project) {
    place.note(artifact, `${image} belongs to no project of the workspace, so nothing is written for it`);
    artifact.skip();
    return undefined;
  }
  for (const builder of otherBuilders) {
    const field = artifact.at(builder);
    if (!field) continue;
    field.skip();
    place.note(
      field,
      `${image} is built by ${builder}, for which there is no builder here: a command of your own can be one (image.custom)`,
    );
  }
  const custom = artifact.at('custom');
  const platforms = artifact.at('platforms')?.texts() ?? [];
  const requires = requiresOf(artifact, project, projectByImage, place);
  const config: ImportedImageConfig = {
    ...(image !== withoutScope(project.name) && { name: image }),
    ...(context !== project.root && { context: context === '' ? 'workspace' : fromProject(project, context) }),
    ...(custom && { builder: 'custom' as const, custom: customOf(custom, { project, context, place }) }),
    ...(!custom && dockerOf(docker, { file: dockerfile.path, project, place })),
    ...(platforms.length > 0 && { platforms }),
    ...(requires.length > 0 && { requires }),
    ...syncOf(artifact.at('sync'), { project, context, place }),
  };
  const build = hooksOf(artifact.at('hooks'), project, place);
  return { image, project, config, hooks: { ...(build && { build }), ...syncHooksOf(artifact.at('sync')?.at('hooks'), project, place) } };
}

/** The projects that images belong to, by their names, with those that are known already. One artifact may require another that comes later. */
export function homesOf(
  artifacts: readonly Field[],
  place: Place,
  known: readonly (readonly [string, Project])[],
): ReadonlyMap<string, Project> {
  const homes = new Map(known);
  for (const artifact of artifacts) {
    const image = artifact.at('image')?.text();
    const project = image === undefined || homes.has(image) ? undefined : homeOf(artifact, place);
    if (image !== undefined && project) homes.set(image, project);
  }
  return homes;
}

function homeOf(artifact: Field, place: Place): Project | undefined {
  const { context, dockerfile } = filesOf(artifact, place);
  return ownerOf(place, dockerfile.isThere ? dockerfile.path : context);
}

function filesOf(
  artifact: Field,
  { folder, files }: Place,
): { readonly context: WorkspacePath; readonly dockerfile: { readonly path: WorkspacePath; readonly isThere: boolean } } {
  const context = joinPath(folder, artifact.at('context')?.text() ?? '.');
  const name = dockerFieldOf(artifact)?.at('dockerfile')?.text() ?? 'Dockerfile';
  const found = [joinPath(context, name), joinPath(folder, name)].find((path) => files.kindOf(path) === 'file');
  return { context, dockerfile: { path: found ?? joinPath(context, name), isThere: found !== undefined } };
}

function dockerFieldOf(artifact: Field): Field | undefined {
  return artifact.at('docker') ?? artifact.at('kaniko');
}

interface Where {
  readonly project: Project;
  readonly context: WorkspacePath;
  readonly place: Place;
}

function requiresOf(
  artifact: Field,
  project: Project,
  projectByImage: ReadonlyMap<string, Project>,
  place: Place,
): NonNullable<ImageConfig['requires']> {
  return (artifact.at('requires')?.items() ?? []).flatMap((each) => {
    const image = each.at('image')?.text() ?? '';
    const arg = each.at('alias')?.text() ?? image;
    const required = projectByImage.get(image);
    if (required && required !== project) return [{ project: required.name, arg }];
    place.note(
      each,
      required ? `${image} is of the same project: say it with artifact: NAME below requires` : `${image} belongs to no project`,
    );
    return [];
  });
}

function dockerOf(
  docker: Field | undefined,
  { file, project, place }: { readonly file: WorkspacePath; readonly project: Project; readonly place: Place },
): Pick<ImageConfig, 'docker'> {
  const text = (key: string): string | undefined => docker?.at(key)?.text();
  const args = (docker?.at('buildArgs')?.entries() ?? []).flatMap(([name, value]) => {
    const written = value.text();
    const made = written === undefined ? `\${${name}}` : fromGoTemplate(written);
    if (made === undefined) place.note(value, `is a Go template that has no counterpart: ${written ?? ''}`);
    return made === undefined ? [] : [[name, made] as const];
  });
  const wantedNetwork = text('network')?.toLowerCase();
  const network: BuildNetwork | undefined = wantedNetwork === 'none' || wantedNetwork === 'host' ? wantedNetwork : undefined;
  const secrets = (docker?.at('secrets')?.items() ?? []).flatMap((each) => {
    const id = each.at('id')?.text();
    const src = each.at('src')?.text();
    const env = each.at('env')?.text();
    if (id === undefined) return [];
    return [
      {
        id,
        ...(src === undefined
          ? { env: env ?? id }
          : { src: src.startsWith('/') || src.startsWith('~') ? src : fromProject(project, joinPath(place.folder, src)) }),
      },
    ];
  });
  const ssh = text('ssh');
  const addHosts = (docker?.at('addHost')?.texts() ?? []).map(
    (each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1)] as const,
  );
  const cacheFrom = (docker?.at('cacheFrom')?.texts() ?? []).flatMap((each) => fromGoTemplate(each) ?? []);
  const target = text('target');
  const path = fromProject(project, file);
  const config = {
    ...(path !== 'Dockerfile' && { file: path }),
    ...(target !== undefined && { target }),
    ...(args.length > 0 && { args: Object.fromEntries(args) }),
    ...(network && { network }),
    ...(addHosts.length > 0 && { addHosts: Object.fromEntries(addHosts) }),
    ...(secrets.length > 0 && { secrets }),
    ...(ssh !== undefined && { ssh: [ssh] }),
    ...(cacheFrom.length > 0 && { cacheFrom }),
    ...(text('pullParent') === 'true' && { pull: true }),
    ...(text('noCache') === 'true' && { noCache: true }),
  };
  return Object.keys(config).length === 0 ? {} : { docker: config };
}

function customOf(custom: Field, { project, place }: Where): NonNullable<ImageConfig['custom']> {
  const reads = custom.at('dependencies');
  const inProject = (path: string): string => fromProject(project, joinPath(place.folder, path));
  const paths = reads?.at('paths')?.texts() ?? [];
  const ignore = reads?.at('ignore')?.texts() ?? [];
  const dockerfile = reads?.at('dockerfile')?.at('path')?.text();
  const command = reads?.at('command')?.text();
  const dependencies =
    dockerfile !== undefined
      ? { dockerfile: inProject(dockerfile) }
      : command !== undefined
        ? { command }
        : paths.length > 0
          ? { paths: paths.map(inProject), ...(ignore.length > 0 && { ignore: ignore.map(inProject) }) }
          : undefined;
  place.note(custom, 'is run in the folder of the project, with IMAGE, PUSH_IMAGE, BUILD_CONTEXT and PLATFORMS as in Skaffold');
  return { command: custom.at('buildCommand')?.text() ?? '', ...(dependencies && { dependencies }) };
}

function syncOf(sync: Field | undefined, { project, context, place }: Where): { readonly sync?: SyncConfig } {
  const infer = (sync?.at('infer')?.texts() ?? []).map((glob) => fromProject(project, joinPath(context, glob)));
  const rules = (sync?.at('manual')?.items() ?? []).flatMap((rule) => {
    const src = rule.at('src')?.text();
    const dest = rule.at('dest')?.text();
    const strip = rule.at('strip')?.text();
    return src === undefined || dest === undefined ? [] : [{ src, dest, ...(strip !== undefined && { strip }) }];
  });
  const auto = sync?.at('auto');
  if (auto) place.note(auto, 'what the Dockerfile copies is synced by itself');
  auto?.skip();
  const hooks = sync?.at('hooks');
  const before = inContainer(hooks?.at('before'));
  const after = inContainer(hooks?.at('after'));
  const config: SyncConfig = {
    // A narrowing to everything narrows nothing.
    ...(infer.length > 0 && !infer.includes('**/*') && !infer.includes('**') && { infer }),
    ...(rules.length > 0 && { rules }),
    ...(before.length > 0 && { before }),
    ...(after.length > 0 && { after }),
  };
  return Object.keys(config).length === 0 ? {} : { sync: config };
}

function inContainer(hooks: Field | undefined): readonly { readonly run: readonly string[] }[] {
  return (hooks?.items() ?? []).flatMap((hook) => {
    const run = hook.at('container')?.at('command')?.texts() ?? [];
    return run.length === 0 ? [] : [{ run }];
  });
}

/** Those of sync that run on the host. */
function syncHooksOf(hooks: Field | undefined, project: Project, place: Place): { readonly sync?: BeforeAndAfter } {
  if (!hooks) return {};
  const both = (['before', 'after'] as const).flatMap((when) => {
    const hosts = (hooks.at(when)?.items() ?? []).flatMap((hook) => hook.at('host') ?? []);
    const list = hosts.flatMap((host) => hostHookOf(host, project, place) ?? []);
    return list.length === 0 ? [] : [[when, list] as const];
  });
  return both.length === 0 ? {} : { sync: Object.fromEntries(both) };
}
