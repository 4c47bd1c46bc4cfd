import { createHash } from 'node:crypto';
import type { KubeObject } from '../../clients';
import {
  eachTextAt,
  failed,
  succeeded,
  type ArtifactName,
  type Location,
  type Problem,
  type Release,
  type Result,
  type Workspace,
  together,
} from '../../model';
import { isNamespaced, nameOf } from '../kinds';
import { annotations, ownerLabels, templateLabels, withoutFingerprint, type Owner } from '../ownership';
import { holds, objectAt, objectsIn, type JsonObject } from './json';
import { readManifests, type ManifestObject, type ManifestText } from './manifest';

export interface RenderRequest {
  readonly release: Pick<Release, 'name' | 'apply'>;
  readonly manifests: readonly ManifestText[];
  readonly images: Readonly<Record<ArtifactName, { readonly ref: string; readonly inputsHash: string }>>;
  /** Artifact → its image's name as it stands in manifests, without tag. */
  readonly imageNames: Readonly<Record<ArtifactName, string>>;
  /** For objects that name none. */
  readonly namespace: string;
  /** `Owner.workspaceId`. */
  readonly workspaceId: string;
  readonly fingerprint: string;
}

/** An object as it is applied. Fields keep the places they have in the manifest. */
export interface RenderedObject {
  readonly object: KubeObject;
  readonly location: Location;
  readonly locate: ManifestObject['locate'];
  /** What applies it when Slipway does not: the name of a release of helm. */
  readonly part?: string;
  /** The part has installed exactly this. */
  readonly installed?: boolean;
}

/**
 * Manifests → the objects to apply: images replaced, namespaces filled in, owner labels and Slipway's annotations set. What
 * lands on a pod template depends on content only, so that the same content never rolls a pod. Failures: `manifestInvalid`.
 */
export function render(request: RenderRequest): Result<readonly RenderedObject[]> {
  const { objects, problems } = readManifests(request.manifests);
  const [first, ...others] = [...problems, ...duplicates(objects, request.namespace)];
  if (first) return failed(together([first, ...others]));

  const owner: Owner = { workspaceId: request.workspaceId, release: request.release.name };
  const configHashes = request.release.apply?.rollOnConfigChange === false ? new Map<string, string>() : configHashesOf(objects);
  return succeeded(
    objects.map(({ installed = false, ...manifest }) => {
      const object = rendered(manifest, { request, owner, configHashes });
      // It may be wanted otherwise though its chart is the same: what its pods read of the release has changed.
      const isThere = installed && holds(manifest.object, withoutFingerprint(object));
      return { ...manifest, object, ...(isThere && { installed }) };
    }),
  );
}

interface Rendering {
  readonly request: RenderRequest;
  readonly owner: Owner;
  readonly configHashes: ReadonlyMap<string, string>;
}

function rendered(
  { object: source, namespace, part }: Pick<ManifestObject, 'object' | 'namespace' | 'part'>,
  { request, owner, configHashes }: Rendering,
): KubeObject {
  const object = structuredClone(source) as JsonObject;
  const own: Record<string, string> = { [annotations.fingerprint]: request.fingerprint };
  const metadata = objectAt(object, 'metadata') ?? {};
  for (const template of podTemplatesOf(source.kind, object)) {
    const used = replaceImages(template, request);
    if (used.size > 0) {
      own[annotations.images] = JSON.stringify(Object.fromEntries([...used].sort().map((name) => [name, request.images[name]])));
    }
    const hash = configHashOf(template, configHashes);
    if (hash !== undefined) merge(metadataOf(template), 'annotations', { [annotations.config]: hash });
    merge(metadataOf(template), 'labels', templateLabels(owner));
  }
  const inFields = replaceInFields(source.kind, object, request);
  if (inFields.size > 0)
    own[annotations.images] = JSON.stringify(Object.fromEntries([...inFields].sort().map((name) => [name, request.images[name]])));
  // The Jobs that a CronJob makes are found by label, as a pod's owners are followed through them.
  const jobTemplate = source.kind === 'CronJob' ? objectAt(object, 'spec', 'jobTemplate') : undefined;
  if (jobTemplate) merge(metadataOf(jobTemplate), 'labels', templateLabels(owner));
  if (metadata['namespace'] === undefined && isNamespaced(source) === true) metadata['namespace'] = namespace ?? request.namespace;
  // helm writes itself down as the manager of what it installs.
  merge(metadata, 'labels', part === undefined ? ownerLabels(owner) : templateLabels(owner));
  merge(metadata, 'annotations', own);
  return { ...object, apiVersion: source.apiVersion, kind: source.kind, metadata };
}

/** Where a workload has its pod template; a Pod is its own. */
function podTemplatesOf(kind: string, object: JsonObject): readonly JsonObject[] {
  switch (kind) {
    case 'Pod':
      return [object];
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'Job':
      return objectsIn([objectAt(object, 'spec', 'template')]);
    case 'CronJob':
      return objectsIn([objectAt(object, 'spec', 'jobTemplate', 'spec', 'template')]);
    default:
      return [];
  }
}

function metadataOf(template: JsonObject): JsonObject {
  const metadata = objectAt(template, 'metadata') ?? {};
  template['metadata'] = metadata;
  return metadata;
}

function merge(metadata: JsonObject, field: 'labels' | 'annotations', added: Readonly<Record<string, string>>): void {
  metadata[field] = { ...objectAt(metadata, field), ...added };
}

/** Which artifact's image a manifest names. */
function artifactNamed(image: string, { images, imageNames }: RenderRequest): ArtifactName | undefined {
  // A chart that got the reference as values has it already, perhaps without its digest.
  const given = Object.entries(images).find(([, { ref }]) => ref === image || ref.startsWith(`${image}@`))?.[0];
  if (given !== undefined) return given;
  // What names a digest of its own means that image.
  if (image.includes('@')) return undefined;
  return Object.entries(imageNames).find(([, name]) => repositoryOf(name) === repositoryOf(image))?.[0];
}

/** Replaces image references where the config says that objects of a kind have them. */
function replaceInFields(kind: string, object: JsonObject, request: RenderRequest): ReadonlySet<ArtifactName> {
  const used = new Set<ArtifactName>();
  for (const field of request.release.apply?.imageFields ?? []) {
    if (field.kind !== kind) continue;
    eachTextAt(object, field.path, (image, replace) => {
      const artifact = artifactNamed(image, request);
      const replacement = artifact === undefined ? undefined : request.images[artifact];
      if (artifact === undefined || !replacement) return;
      replace(replacement.ref);
      used.add(artifact);
    });
  }
  return used;
}

/** Replaces image references in a pod template, marks which container runs which artifact, and tells which artifacts those are. */
function replaceImages(template: JsonObject, request: RenderRequest): ReadonlySet<ArtifactName> {
  const { images } = request;
  const spec = objectAt(template, 'spec');
  const used = new Set<ArtifactName>();
  const marks: Record<string, { readonly artifact: ArtifactName; readonly inputs: string }> = {};
  const initContainers = objectsIn(spec?.['initContainers']);
  for (const container of [...initContainers, ...objectsIn(spec?.['containers']), ...objectsIn(spec?.['ephemeralContainers'])]) {
    const { image, name } = container;
    const artifact = typeof image === 'string' ? artifactNamed(image, request) : undefined;
    const replacement = artifact === undefined ? undefined : images[artifact];
    if (artifact === undefined || !replacement) continue;
    container['image'] = replacement.ref;
    used.add(artifact);
    // An init container that ends before the others start is nothing that files could be synced to.
    const staysRunning = !initContainers.includes(container) || container['restartPolicy'] === 'Always';
    if (typeof name === 'string' && staysRunning) marks[name] = { artifact, inputs: replacement.inputsHash };
  }
  if (Object.keys(marks).length > 0) merge(metadataOf(template), 'annotations', { [annotations.artifacts]: JSON.stringify(marks) });
  return used;
}

/** A reference without tag and digest, and without what Docker Hub's names may leave out. */
function repositoryOf(reference: string): string {
  const name = reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  return name.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
}

function configHashesOf(objects: readonly ManifestObject[]): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const { object } of objects) {
    if (object.kind !== 'ConfigMap' && object.kind !== 'Secret') continue;
    const content = JSON.stringify([object['data'], object['binaryData'], object['stringData']]);
    hashes.set(`${object.kind} ${object.metadata.name ?? ''}`, createHash('sha256').update(content).digest('hex'));
  }
  return hashes;
}

/** One hash over all config of the release that a pod reads. Short, and over everything at once, so that it says nothing of a single Secret. */
function configHashOf(template: JsonObject, hashes: ReadonlyMap<string, string>): string | undefined {
  if (hashes.size === 0) return undefined;
  const read = [...configReadBy(objectAt(template, 'spec'))].filter((name) => hashes.has(name)).sort();
  if (read.length === 0) return undefined;
  const hash = createHash('sha256');
  for (const name of read) hash.update(`${name} ${hashes.get(name) ?? ''}\n`);
  return hash.digest('hex').slice(0, 16);
}

function configReadBy(spec: JsonObject | undefined): ReadonlySet<string> {
  const read = new Set<string>();
  const add = (kind: 'ConfigMap' | 'Secret', name: unknown) => {
    if (typeof name === 'string') read.add(`${kind} ${name}`);
  };
  for (const container of [...objectsIn(spec?.['initContainers']), ...objectsIn(spec?.['containers'])]) {
    for (const from of objectsIn(container['envFrom'])) {
      add('ConfigMap', objectAt(from, 'configMapRef')?.['name']);
      add('Secret', objectAt(from, 'secretRef')?.['name']);
    }
    for (const variable of objectsIn(container['env'])) {
      add('ConfigMap', objectAt(variable, 'valueFrom', 'configMapKeyRef')?.['name']);
      add('Secret', objectAt(variable, 'valueFrom', 'secretKeyRef')?.['name']);
    }
  }
  for (const volume of objectsIn(spec?.['volumes'])) {
    for (const source of [volume, ...objectsIn(objectAt(volume, 'projected')?.['sources'])]) {
      add('ConfigMap', objectAt(source, 'configMap')?.['name']);
      add('Secret', objectAt(source, 'secret')?.[source === volume ? 'secretName' : 'name']);
    }
  }
  return read;
}

/** Applied in parallel, two objects of one name would overwrite each other in no order. */
function duplicates(objects: readonly ManifestObject[], namespace: string): readonly Problem[] {
  const seen = new Map<string, Location>();
  const problems: Problem[] = [];
  for (const { object, location, namespace: own } of objects) {
    const key = `${object.apiVersion} ${nameOf(object)} ${object.metadata.namespace ?? own ?? namespace}`;
    const before = seen.get(key);
    if (!before) {
      seen.set(key, location);
      continue;
    }
    const message = `${nameOf(object)} is there twice, first in ${before.file}:${before.line ?? 1}`;
    problems.push({
      code: 'manifestInvalid',
      message,
      hint: 'remove or rename one of them',
      retry: 'whenInputChanges',
      exitCode: 2,
      location,
    });
  }
  return problems;
}

/** The artifacts that a release could run and none of its objects does; those of its project too, unless another release or image needs them. */
export function unusedArtifacts(
  { project, artifacts }: Pick<Release, 'project' | 'artifacts'>,
  objects: readonly RenderedObject[],
  workspace: Pick<Workspace, 'artifacts' | 'releases'>,
): readonly ArtifactName[] {
  const needed = new Set([
    ...[...workspace.releases.values()].flatMap((other) => other.artifacts),
    ...[...workspace.artifacts.values()].flatMap(({ requires }) => requires),
  ]);
  const own = [...workspace.artifacts.values()].filter((artifact) => artifact.project === project && !needed.has(artifact.name));
  const used = new Set(
    objects.flatMap(({ object }) => Object.keys(JSON.parse(object.metadata.annotations?.[annotations.images] ?? '{}') as object)),
  );
  return [...artifacts, ...own.map(({ name }) => name)].filter((artifact) => !used.has(artifact));
}
