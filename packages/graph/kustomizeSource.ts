import { readManifests, yaml, type ManifestContainer, type ManifestText, type ObjectPlace } from '../config';
import type { Location, Problem, ReleaseInput, WorkspacePath } from '../model';
import type { SourceFacts, SourceRequest } from './manifestSources';
import { joinPath, type RecordedFiles } from './workspaceFiles';

/** What a kustomization may be called. */
export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** The kustomization of a folder; undefined when it has none. */
export function kustomizationIn(folder: WorkspacePath, files: Pick<RecordedFiles, 'textOf'>): ManifestText | undefined {
  for (const name of kustomizationNames) {
    const path = joinPath(folder, name);
    const text = files.textOf(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/** What overlays are made from, as far as it is in the workspace: every file that a kustomization names, base after base. */
export function kustomizeSources({ project, config, own, files }: SourceRequest): SourceFacts {
  const { paths = [], buildArgs = [] } = config.kustomize ?? {};
  const read = paths.map((path, index) => {
    const overlay = joinPath(project.root, path);
    const reading = new Reading(overlay, files);
    if (kustomizationIn(overlay, files)) reading.folder(overlay);
    else reading.problem(`${project.name}: there is no kustomization.yaml in ${overlay}`, own?.locate(['kustomize', 'paths', index]));
    return { reading, source: { kind: 'kustomize' as const, path: overlay, buildArgs } };
  });
  const manifests = readManifests(read.flatMap(({ reading }) => reading.manifests));
  const renamed = new Map(read.flatMap(({ reading }) => [...reading.renamed]));
  return {
    sources: read.map(({ source }) => source),
    inputs: read.flatMap(({ reading }) => [...reading.inputs.values()]),
    mentions: () => true,
    containers: manifests.containers.map((container): ManifestContainer => ({
      ...container,
      image: renamed.get(container.image) ?? container.image,
    })),
    services: manifests.services,
    places: [...manifests.places, ...read.flatMap(({ reading }) => reading.placed(manifests.places))],
    images: new Set(renamed.values()),
    // Whether a patch is an object is kustomize's to say.
    problems: read.flatMap(({ reading }) => reading.problems),
  };
}

/** One overlay, read with its bases. */
class Reading {
  readonly inputs = new Map<WorkspacePath, ReleaseInput>();
  readonly manifests: ManifestText[] = [];
  /** Image as bases name it → as the overlay does. */
  readonly renamed = new Map<string, string>();
  readonly problems: Problem[] = [];

  /** What kustomize is told to put objects into. */
  private readonly namespaces = new Set<string>();

  constructor(
    private readonly overlay: WorkspacePath,
    private readonly files: RecordedFiles,
  ) {}

  problem(message: string, location: Location | undefined): void {
    const hint = 'paths of kustomize are relative to the project, those of a kustomization to its folder';
    this.problems.push({ code: 'manifestNotFound', message, hint, retry: 'whenInputChanges', exitCode: 2, ...(location && { location }) });
  }

  folder(folder: WorkspacePath): void {
    const kustomization = kustomizationIn(folder, this.files);
    if (!kustomization || this.inputs.has(kustomization.path)) return;
    this.add(kustomization.path);
    const lines = new (yaml().LineCounter)();
    const document = yaml().parseDocument(kustomization.text, { lineCounter: lines, prettyErrors: false });
    const [mistake] = document.errors;
    if (mistake || !yaml().isMap(document.contents)) {
      const { line, col } = lines.linePos(mistake?.pos[0] ?? 0);
      const because = mistake ? `is not valid YAML: ${mistake.message.replace(/\.$/, '')}` : 'is not a map';
      const location = { file: kustomization.path, line, column: col };
      const hint = 'correct the kustomization';
      this.problems.push({
        code: 'manifestInvalid',
        message: `${kustomization.path} ${because}`,
        hint,
        retry: 'whenInputChanges',
        exitCode: 2,
        location,
      });
      return;
    }
    const content = document.toJS() as Readonly<Record<string, unknown>>;
    if (typeof content['namespace'] === 'string') this.namespaces.add(content['namespace']);
    for (const { path, isManifest } of filesNamed(content)) {
      const at = joinPath(folder, path);
      const kind = this.files.kindOf(at);
      if (kind === 'dir') this.folder(at);
      else if (kind === 'file') this.add(at, isManifest);
      else if (!isRemote(path)) {
        const { line, col } = lines.linePos(offsetOf(document.contents, path) ?? 0);
        this.problem(`${kustomization.path} names ${path}, which is not there`, { file: kustomization.path, line, column: col });
      }
    }
    for (const { name, newName } of list(content['images']).map(record)) {
      if (typeof name === 'string' && typeof newName === 'string') this.renamed.set(name, newName);
    }
  }

  placed(places: readonly ObjectPlace[]): readonly ObjectPlace[] {
    return [...this.namespaces].flatMap((namespace) => places.map((place) => ({ ...place, namespace })));
  }

  private add(path: WorkspacePath, isManifest = false): void {
    this.inputs.set(path, { path, because: `part of the overlay ${this.overlay}` });
    const text = isManifest ? this.files.textOf(path) : undefined;
    if (text !== undefined) this.manifests.push({ path, text });
  }
}

interface Named {
  readonly path: string;
  readonly isManifest: boolean;
}

/** The files and folders that a kustomization names. Field names: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/ */
function filesNamed(content: Readonly<Record<string, unknown>>): readonly Named[] {
  const texts = (field: string) => list(content[field]).filter((item): item is string => typeof item === 'string' && !item.includes('\n'));
  const paths = (field: string, key = 'path') =>
    list(content[field]).flatMap((item) => {
      const path = record(item)[key];
      return typeof path === 'string' ? [path] : [];
    });
  const generated = ['configMapGenerator', 'secretGenerator'].flatMap((field) =>
    list(content[field]).flatMap((item) => {
      const { files, envs, env } = record(item);
      // `key=path`
      return [...list(files), ...list(envs), env].flatMap((file) => (typeof file === 'string' ? [file.replace(/^[^=]*=/, '')] : []));
    }),
  );
  const others = [
    ...['components', 'configurations', 'crds', 'generators', 'transformers', 'validators', 'patchesStrategicMerge'].flatMap(texts),
    ...['patches', 'patchesJson6902', 'replacements'].flatMap((field) => paths(field)),
    ...paths('helmCharts', 'valuesFile'),
    ...generated,
  ];
  return [
    ...['resources', 'bases'].flatMap(texts).map((path) => ({ path, isManifest: true })),
    ...others.map((path) => ({ path, isManifest: false })),
  ];
}

/** What kustomize fetches by itself. */
function isRemote(path: string): boolean {
  return /:\/\/|^git@|^git::|[?&]ref=|^github\.com\//.test(path);
}

function offsetOf(node: unknown, text: string): number | undefined {
  if (yaml().isScalar(node)) return node.value === text ? node.range?.[0] : undefined;
  const children: readonly unknown[] = yaml().isMap(node) ? node.items.map(({ value }) => value) : yaml().isSeq(node) ? node.items : [];
  for (const child of children) {
    const found = offsetOf(child, text);
    if (found !== undefined) return found;
  }
  return undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}
