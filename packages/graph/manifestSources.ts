import type { ManifestContainer, ManifestService, ObjectPlace } from '../config';
import type { ManifestSource, Problem, ReleaseInput, WorkspacePath } from '../model';
import type { ProjectSettings } from './settings';
import { isUrl, type NotFetched } from './fetchedManifests';
import { helmSources } from './helmSource';
import { defaultPatterns, kubectlSource } from './kubectlSource';
import { kustomizationNames, kustomizeSources } from './kustomizeSource';
import { joinPath, type RecordedFiles } from './workspaceFiles';

export interface SourceRequest extends Pick<ProjectSettings, 'config' | 'own'> {
  readonly project: { readonly name: string; readonly root: WorkspacePath };
  readonly files: RecordedFiles;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly notFetched?: NotFetched | undefined;
}

/** What is known, before any tool is run, of what a project deploys. What follows from the content of manifests is read when it is first asked for. */
export interface SourceFacts {
  readonly sources: readonly ManifestSource[];
  readonly inputs: readonly ReleaseInput[];
  /** Whether the text of the manifests has a word; true where only reading them would tell. */
  readonly mentions: (word: string) => boolean;
  readonly containers: readonly ManifestContainer[];
  readonly services: readonly ManifestService[];
  readonly places: readonly ObjectPlace[];
  /** Names of images that stand somewhere else than in a container: in values of charts. Some may be none. */
  readonly images: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** One for each kind of deployer. What comes first is applied first: a chart may read what plain manifests bring. */
const kinds: Readonly<Record<ManifestSource['kind'], (request: SourceRequest) => SourceFacts>> = {
  kubectl: kubectlSource,
  kustomize: kustomizeSources,
  helm: helmSources,
};

/** Finds and reads what a project deploys. */
export function manifestsOf(request: SourceRequest): SourceFacts {
  const { project } = request;
  const read = kindsOf(request).map((kind) => kinds[kind](withDefaults(request)));
  return {
    sources: read.flatMap(({ sources }) => sources),
    inputs: read.flatMap(({ inputs }) => inputs),
    mentions: (word) => read.some(({ mentions }) => mentions(word)),
    get containers() {
      return read.flatMap(({ containers }) => containers);
    },
    get services() {
      return read.flatMap(({ services }) => services);
    },
    get places() {
      return read.flatMap(({ places }) => places);
    },
    get images() {
      return new Set(read.flatMap(({ images }) => [...images]));
    },
    get problems() {
      return read.flatMap(({ problems }) => problems.map((problem) => ({ ...problem, project: project.name })));
    },
  };
}

/** The files of a project that tools make manifests from; the globs of plain manifests say more than their files. */
export function toolInputs(request: SourceRequest): readonly ReleaseInput[] {
  return kindsOf(request).flatMap((kind) => (kind === 'kubectl' ? [] : kinds[kind](withDefaults(request)).inputs));
}

/** Where plain manifests of a project are; nowhere when it only has others. */
export function manifestPatterns(request: SourceRequest): readonly string[] {
  return kindsOf(request).includes('kubectl') ? (request.config.manifests ?? defaultPatterns).filter((pattern) => !isUrl(pattern)) : [];
}

const defaultOverlay = 'k8s';

/** Whether a file of the folder `k8s` of a project, by its name, is deployed, or says what is, where the config of the project names nothing. */
export function isDeployedByDefault(name: string): boolean {
  return /\.ya?ml$/.test(name) || kustomizationNames.some((each) => each === name);
}

function kindsOf({ project, config, files }: SourceRequest): readonly ManifestSource['kind'][] {
  const { manifests, kustomize, helm } = config;
  const named = [
    ...(manifests ? ['kubectl' as const] : []),
    ...(kustomize ? ['kustomize' as const] : []),
    ...(helm ? ['helm' as const] : []),
  ];
  if (named.length > 0) return named;
  const names = files.manifestsIn(joinPath(project.root, defaultOverlay));
  return kustomizationNames.some((name) => names.includes(name)) ? ['kustomize'] : ['kubectl'];
}

function withDefaults(request: SourceRequest): SourceRequest {
  const { config } = request;
  return config.kustomize ? request : { ...request, config: { ...config, kustomize: { paths: [defaultOverlay] } } };
}
