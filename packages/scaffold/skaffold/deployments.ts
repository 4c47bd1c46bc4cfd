import picomatch from 'picomatch';
import { readManifests, type Config, type ForwardConfig, type HelmConfig, type HelmReleaseConfig } from '../../config';
import { joinPath } from '../../graph';
import type { Project, WorkspacePath } from '../../model';
import type { Field } from '../imports/field';
import { fromGoTemplate } from './goTemplates';
import { hooksOf } from './hooks';
import type { ImportedImage } from './images';
import { fromProject, ownerOf, type Place } from '../imports/place';

/** What one project is deployed from. */
export type Deployment = Pick<Config, 'manifests' | 'kustomize' | 'helm' | 'hooks' | 'portForward' | 'namespace'>;

export interface Deployments {
  readonly byProject: ReadonlyMap<Project, Deployment>;
  readonly root: Pick<Config, 'defaultNamespace' | 'rollout'>;
}

/** `manifests`, `deploy` and `portForward` of a config or of a profile. */
export function deploymentsOf(
  config: Field,
  { images, isProfile, place }: { readonly images: readonly ImportedImage[]; readonly isProfile: boolean; readonly place: Place },
): Deployments {
  const parts = new Parts(images, place);
  const manifests = config.at('manifests');
  const deploy = config.at('deploy');
  const kubectl = deploy?.at('kubectl');
  const patterns = [...(manifests?.at('rawYaml')?.items() ?? []), ...(kubectl?.at('manifests')?.items() ?? [])];
  for (const pattern of patterns) parts.addManifests(pattern.text() ?? '', (sentence) => place.note(pattern, sentence));
  const kustomize = [manifests?.at('kustomize'), deploy?.at('kustomize')];
  for (const each of kustomize) if (each) parts.addKustomize(each);
  for (const helm of [manifests?.at('helm'), deploy?.at('helm')])
    for (const release of helm?.at('releases')?.items() ?? []) parts.addHelm(release);
  const saysNothing = patterns.length === 0 && [...kustomize, manifests?.at('helm'), deploy?.at('helm')].every((each) => !each);
  // What Skaffold takes where nothing is said; a profile says only what is otherwise.
  if (saysNothing && !isProfile && parts.hasFiles('k8s/*.yaml'))
    parts.addManifests('k8s/*.yaml', (sentence) => place.note(config, sentence));
  parts.addHooks('render', manifests?.at('hooks'));
  for (const deployer of [kubectl, deploy?.at('helm'), deploy?.at('kustomize')]) parts.addHooks('deploy', deployer?.at('hooks'));
  const forwards = config.at('portForward')?.items() ?? [];
  for (const forward of forwards) parts.addForward(forward);

  const namespace = kubectl?.at('defaultNamespace')?.text();
  const deadline = deploy?.at('statusCheckDeadlineSeconds')?.text();
  const tolerates = deploy?.at('tolerateFailuresUntilDeadline')?.text() === 'true';
  const rollout = {
    ...(deadline !== undefined && { deadline: Number(deadline) }),
    ...(tolerates && { tolerateFailuresUntilDeadline: true }),
  };
  const context = deploy?.at('kubeContext');
  if (context)
    place.note(
      context,
      `a cluster that is not local is allowed by its name in the root's slipway.yaml: allowContexts: [${context.text() ?? ''}]`,
    );
  return {
    byProject: parts.byProject,
    root: { ...(namespace !== undefined && { defaultNamespace: namespace }), ...(Object.keys(rollout).length > 0 && { rollout }) },
  };
}

/** Gathers for each project what is deployed with it. */
class Parts {
  readonly byProject = new Map<Project, Deployment>();

  constructor(
    private readonly images: readonly ImportedImage[],
    private readonly place: Place,
  ) {}

  addManifests(pattern: string, tell: (sentence: string) => void): void {
    if (/^https?:/.test(pattern))
      return tell('is fetched, which has to be allowed: list it in manifests of a project, with apply: {fetchManifests: true}');
    const path = joinPath(this.place.folder, pattern);
    const found = this.filesOf(path);
    const homes = new Map<Project, WorkspacePath[]>();
    for (const file of found) {
      const project = this.homeOfManifest(file);
      if (!project) tell(`${file} names no image of a project: list it in manifests of the project that it comes with`);
      else homes.set(project, [...(homes.get(project) ?? []), file]);
    }
    if (found.length === 0) tell('matches no file');
    for (const [project, files] of homes) {
      // A glob stays one where all of it is of one project.
      const named = files.length === found.length ? [path] : files;
      this.add(project, ({ manifests = [] }) => ({ manifests: [...manifests, ...named.map((each) => fromProject(project, each))] }));
    }
  }

  hasFiles(pattern: string): boolean {
    return this.filesOf(joinPath(this.place.folder, pattern)).length > 0;
  }

  addKustomize(field: Field): void {
    const single = field.at('path');
    const listed = field.at('paths')?.items() ?? [];
    const paths = single ? [single] : listed;
    const buildArgs = field.at('buildArgs')?.texts() ?? [];
    for (const each of paths) {
      const path = joinPath(this.place.folder, each.text() ?? '');
      const project = this.homeOf(path, () => []);
      if (!project) this.place.note(each, 'is in the folder of no project: say it there, as kustomize: {paths: […]}');
      else
        this.add(project, ({ kustomize }) => ({
          kustomize: { paths: [...(kustomize?.paths ?? []), fromProject(project, path)], ...(buildArgs.length > 0 && { buildArgs }) },
        }));
    }
  }

  addHelm(field: Field): void {
    const name = field.at('name')?.text();
    if (name === undefined) return;
    const local = field.at('chartPath')?.text();
    const chartPath = local === undefined ? undefined : joinPath(this.place.folder, local);
    const templates = field.at('setValueTemplates')?.entries() ?? [];
    const overrides = field.at('artifactOverrides')?.entries() ?? [];
    const mentioned = [...overrides, ...templates].map(([, value]) => JSON.stringify(value.value()));
    const project = this.homeOf(chartPath, () => mentioned) ?? this.projectCalled(name);
    if (!project) {
      field.skip();
      this.place.note(field, `it is not said which project ${name} comes with: write it there, as helm: {releases: […]}`);
      return;
    }
    const text = (key: string): string | undefined => field.at(key)?.text();
    const record = (key: string): Readonly<Record<string, string>> | undefined =>
      field.at(key) &&
      Object.fromEntries(
        field
          .at(key)
          ?.entries()
          .map(([path, value]) => [path, value.text() ?? '']) ?? [],
      );
    const inProject = (path: string): string => fromProject(project, joinPath(this.place.folder, path));
    const chart = text('remoteChart');
    const repo = text('repo');
    const version = text('version');
    const namespace = text('namespace');
    const valuesFiles = (field.at('valuesFiles')?.texts() ?? []).map(inProject);
    const setFiles = Object.entries(record('setFiles') ?? {}).map(([path, file]) => [path, inProject(file)] as const);
    const values = field.at('overrides')?.value() as HelmReleaseConfig['values'];
    const setValues = record('setValues');
    const images = overrides.map(([path, value]) => [path, String(value.value())] as const);
    const strategy = field.at('imageStrategy')?.at('helm');
    const registry = strategy?.at('explicitRegistry')?.text() === 'true';
    strategy?.skip();
    const setValueTemplates = templates.flatMap(([path, value]) => {
      const made = fromGoTemplate(String(value.value()));
      if (made === undefined) this.place.note(value, `is a Go template that has no counterpart: ${String(value.value())}`);
      return made === undefined ? [] : [[path, made] as const];
    });
    const release: HelmReleaseConfig = {
      name,
      ...(chartPath !== undefined && { chartPath: fromProject(project, chartPath) }),
      ...(chart !== undefined && { chart }),
      ...(repo !== undefined && { repo }),
      ...(version !== undefined && chartPath === undefined && { version }),
      ...(namespace !== undefined && { namespace }),
      ...(text('createNamespace') === 'true' && { createNamespace: true }),
      ...(valuesFiles.length > 0 && { valuesFiles }),
      ...(values !== undefined && { values }),
      ...(setValues && { setValues }),
      ...(setValueTemplates.length > 0 && { setValueTemplates: Object.fromEntries(setValueTemplates) }),
      ...(setFiles.length > 0 && { setFiles: Object.fromEntries(setFiles) }),
      ...(images.length > 0 && { images: Object.fromEntries(images) }),
      ...(strategy && { imageStrategy: registry ? ('registry+repository+tag' as const) : ('repository+tag' as const) }),
      ...(text('wait') === 'true' && { wait: true }),
      ...(text('skipTests') === 'true' && { skipTests: true }),
    };
    this.add(project, ({ helm }): { readonly helm: HelmConfig } => ({ helm: { releases: [...(helm?.releases ?? []), release] } }));
  }

  addHooks(stage: 'render' | 'deploy', hooks: Field | undefined): void {
    if (!hooks) return;
    const project = this.onlyProject();
    if (!project) {
      hooks.skip();
      return this.place.note(hooks, `it is not said which project they are of: write them there, as hooks: {${stage}: …}`);
    }
    const made = hooksOf(hooks, project, this.place);
    if (made) this.add(project, (before) => ({ hooks: { ...before.hooks, [stage]: made } }));
  }

  addForward(field: Field): void {
    const kind = field.at('resourceType')?.text()?.toLowerCase();
    const name = field.at('resourceName')?.text();
    const port = field.at('port')?.text();
    if (kind === undefined || name === undefined || port === undefined) return;
    const number = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);
    const localPort = field.at('localPort')?.text();
    const namespace = field.at('namespace')?.text();
    const address = field.at('address')?.text();
    const forward: ForwardConfig = {
      resource: `${kind}/${name}`,
      port: number(port),
      ...(localPort !== undefined && { localPort: Number(localPort) }),
      ...(namespace !== undefined && { namespace }),
      ...(address !== undefined && { address }),
    };
    const project = this.projectCalled(name) ?? this.onlyProject();
    if (project) this.add(project, ({ portForward = [] }) => ({ portForward: [...portForward, forward] }));
    else this.place.note(field, `it is not said which project ${forward.resource} is of: write it there, as portForward`);
  }

  private add(project: Project, change: (before: Deployment) => Deployment): void {
    const before = this.byProject.get(project) ?? {};
    this.byProject.set(project, { ...before, ...change(before) });
  }

  /** The project that has a path, unless that is the whole workspace and something says more; else that whose image is mentioned; else the only one. */
  private homeOf(path: WorkspacePath | undefined, mentions: () => readonly string[]): Project | undefined {
    const owner = path === undefined ? undefined : ownerOf(this.place, path);
    if (owner && owner.root !== '') return owner;
    const texts = mentions();
    const named = this.images.find(({ image }) =>
      texts.some((text) => text.includes(image) || text.includes(image.replace(/[^\w]/g, '_'))),
    );
    return named?.project ?? this.onlyProject() ?? owner;
  }

  private homeOfManifest(path: WorkspacePath): Project | undefined {
    return this.homeOf(path, () => {
      const text = this.place.files.textOf(path) ?? '';
      return readManifests([{ path, text }]).containers.map(({ image }) => image);
    });
  }

  private onlyProject(): Project | undefined {
    const [only, ...others] = new Set(this.images.map(({ project }) => project));
    return others.length === 0 ? only : undefined;
  }

  /** The one of that name, or whose image or manifests have it. */
  private projectCalled(name: string): Project | undefined {
    const isCalled = (text: string): boolean => text === name || text.endsWith(`/${name}`);
    const byName =
      this.place.projects.find((project) => isCalled(project.name)) ?? this.images.find(({ image }) => isCalled(image))?.project;
    if (byName) return byName;
    const deploys = ([project, { manifests = [] }]: readonly [Project, Deployment]): boolean =>
      manifests.some((pattern) =>
        this.filesOf(joinPath(project.root, pattern)).some((path) =>
          new RegExp(`^\\s+name:\\s*["']?${name.replace(/[^\w-]/g, '\\$&')}["']?\\s*$`, 'm').test(this.place.files.textOf(path) ?? ''),
        ),
      );
    return [...this.byProject].find(deploys)?.[0];
  }

  private filesOf(pattern: WorkspacePath): readonly WorkspacePath[] {
    const { base, isGlob } = picomatch.scan(pattern);
    if (!isGlob)
      return this.place.files.kindOf(pattern) === 'file' ? [pattern] : this.below(pattern).filter((path) => /\.(ya?ml|json)$/.test(path));
    const matches = picomatch(pattern);
    return this.below(base === '.' ? '' : base).filter((path) => matches(path));
  }

  private below(folder: WorkspacePath): readonly WorkspacePath[] {
    return this.place.files.namesIn(folder).flatMap((name) => {
      const path = joinPath(folder, name);
      if (name === 'node_modules' || name === '.git') return [];
      return this.place.files.kindOf(path) === 'dir' ? this.below(path) : [path];
    });
  }
}
