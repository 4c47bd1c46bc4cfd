import { isMap, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';
import type { KubeObject } from '../../clients';
import { parseManifest } from '../../config';
import type { Location, Problem, WorkspacePath } from '../../model';
import { followPath } from './fieldPath';
import { isJsonObject } from './json';

/** What of a field is to be mended: that it is there, or what it is. They stand in different files where a template takes its values from one. */
export type FieldPart = 'key' | 'value';

export interface ManifestText {
  readonly path: WorkspacePath;
  readonly text: string;
  /** Where an object or a field of it really stands, when a tool has made the text from other files. */
  readonly placeOf?: (object: { readonly kind: string; readonly name: string }, fieldPath?: string, part?: FieldPart) => Location;
  /** What applies it when Slipway does not: the name of a release of helm. */
  readonly part?: string;
  /** This is what the part has installed, and its chart is as it was then. */
  readonly installed?: boolean;
  /** For objects that name none, when it is not the release's. */
  readonly namespace?: string;
}

/** An object as a manifest has it, and where each of its fields stands. */
export interface ManifestObject {
  readonly object: KubeObject;
  readonly location: Location;
  /** The place of a field by its path as the API server writes it, or of the nearest field around it that is there. */
  readonly locate: (fieldPath: string, part?: FieldPart) => Location;
  readonly part?: string;
  readonly installed?: boolean;
  readonly namespace?: string;
}

/** Reads manifests: several documents in a file, `List`s flattened, empty documents skipped. Every mistake is reported, of YAML itself the first in each file. */
export function readManifests(texts: readonly ManifestText[]): {
  readonly objects: readonly ManifestObject[];
  readonly problems: readonly Problem[];
} {
  const objects: ManifestObject[] = [];
  const problems: Problem[] = [];
  for (const manifest of texts) {
    const { documents, lines } = parseManifest(manifest, false);
    for (const document of documents) readDocument({ manifest, document, lines }, objects, problems);
  }
  return { objects, problems };
}

interface Source {
  readonly manifest: ManifestText;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

function locationAt(source: Source, offset: number | undefined): Location {
  const { path, placeOf } = source.manifest;
  // A line of a text that nobody has in a file helps nobody.
  if (offset === undefined || placeOf) return { file: path };
  const { line, col } = source.lines.linePos(offset);
  return { file: path, line, column: col };
}

function readDocument(source: Source, objects: ManifestObject[], problems: Problem[]): void {
  // What follows the first mistake mostly follows from it, and would hide it.
  const [mistake] = source.document.errors;
  if (mistake) {
    const location = locationAt(source, mistake.pos[0]);
    problems.push(
      invalid(`${source.manifest.path} is not valid YAML: ${mistake.message.replace(/\.$/, '')}`, 'correct the manifest', location),
    );
    return;
  }
  const root = source.document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return;
  let value: unknown;
  try {
    value = source.document.toJS();
  } catch (error) {
    const message = error instanceof Error ? error.message : 'its aliases cannot be resolved';
    problems.push(
      invalid(`${source.manifest.path} is not valid YAML: ${message}`, 'correct the manifest', locationAt(source, root.range[0])),
    );
    return;
  }
  readObject({ source, node: root, value, objects, problems });
}

interface Reading {
  readonly source: Source;
  readonly node: Node;
  readonly value: unknown;
  readonly objects: ManifestObject[];
  readonly problems: Problem[];
}

function readObject({ source, node, value, objects, problems }: Reading): void {
  const location = locationAt(source, node.range?.[0]);
  const hint = 'every document of a manifest has apiVersion, kind and metadata.name';
  if (!isJsonObject(value)) {
    problems.push(invalid(`${source.manifest.path} has a document that is not an object`, hint, location));
    return;
  }
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    const missing = typeof apiVersion !== 'string' ? 'apiVersion' : 'kind';
    problems.push(invalid(`${source.manifest.path} has an object without ${missing}`, hint, location));
    return;
  }
  if (kind.endsWith('List') && Array.isArray(value['items'])) {
    const items = isMap(node) ? node.get('items', true) : undefined;
    value['items'].forEach((item: unknown, index) => {
      const itemNode = isSeq(items) ? items.items[index] : undefined;
      readObject({ source, node: isNode(itemNode) ? itemNode : node, value: item, objects, problems });
    });
    return;
  }
  const metadata = value['metadata'];
  if (!isJsonObject(metadata) || typeof metadata['name'] !== 'string' || metadata['name'] === '') {
    const because =
      isJsonObject(metadata) && 'generateName' in metadata ? 'has generateName, which cannot be applied twice,' : 'has a name missing';
    problems.push(invalid(`a ${kind} of ${source.manifest.path} ${because}`, 'give it a metadata.name', location));
    return;
  }
  const object: KubeObject = { ...value, apiVersion, kind, metadata };
  const { placeOf, part, installed, namespace } = source.manifest;
  const named = { kind, name: metadata['name'] };
  objects.push({
    object,
    location: placeOf?.(named) ?? location,
    locate: (fieldPath, of) => placeOf?.(named, fieldPath, of) ?? locationAt(source, followPath(node, fieldPath).offset),
    ...(part !== undefined && { part }),
    ...(installed !== undefined && { installed }),
    ...(namespace !== undefined && { namespace }),
  });
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value);
}

function invalid(message: string, hint: string, location: Location): Problem {
  return { code: 'manifestInvalid', message, hint, retry: 'whenInputChanges', exitCode: 2, location };
}
