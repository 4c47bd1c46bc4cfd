import type { Document, LineCounter, Node } from 'yaml';
import type { Location, Problem, WorkspacePath } from '../model';
import { parseManifest, type ManifestText } from './parseManifest';
import { yaml } from './yaml';

/** A container of a pod template, of any kind of workload. */
export interface ManifestContainer {
  readonly workload: string;
  readonly name: string;
  readonly image: string;
  /** Instead of the image's ENTRYPOINT. */
  readonly command: readonly string[] | undefined;
  /** Instead of the image's CMD. */
  readonly args: readonly string[] | undefined;
  /** How it starts says nothing of how the image runs: it ends before the others start, or looks into a pod that runs. */
  readonly isAside: boolean;
  readonly location: Location;
}

export interface ManifestService {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly ports: readonly { readonly port: number; readonly protocol: string; readonly name?: string; readonly appProtocol?: string }[];
  readonly location: Location;
}

/** An object of another kind than these. */
export interface OtherObject {
  readonly kind: string;
  readonly object: unknown;
}

/** Of every object: what it is, and the namespace that it names. */
export interface ObjectPlace {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
}

export interface ManifestFacts {
  readonly places: readonly ObjectPlace[];
  readonly others: readonly OtherObject[];
  readonly containers: readonly ManifestContainer[];
  readonly services: readonly ManifestService[];
  readonly problems: readonly Problem[];
}

const readBefore = new Map<WorkspacePath, { readonly text: string; readonly facts: ManifestFacts }>();

/** What manifests say about images and ports. Several documents in a file, and `List`s. Whether their objects are right is the cluster's to say. */
export function readManifests(texts: readonly ManifestText[]): ManifestFacts {
  const read = texts.map(readManifest);
  return {
    containers: read.flatMap((facts) => facts.containers),
    services: read.flatMap((facts) => facts.services),
    others: read.flatMap((facts) => facts.others),
    places: read.flatMap((facts) => facts.places),
    problems: read.flatMap((facts) => facts.problems),
  };
}

/** YAML is slow to read, and of all the files of a workspace one changes at a time. */
function readManifest({ path, text }: ManifestText): ManifestFacts {
  const before = readBefore.get(path);
  if (before?.text === text) return before.facts;
  const facts = {
    containers: [] as ManifestContainer[],
    services: [] as ManifestService[],
    others: [] as OtherObject[],
    places: [] as ObjectPlace[],
    problems: [] as Problem[],
  };
  // It is parsed once more when it is applied.
  const { documents, lines } = parseManifest({ path, text }, true);
  for (const document of documents) readDocument({ path, lines, document }, facts);
  readBefore.set(path, { text, facts });
  return facts;
}

interface Source {
  readonly path: WorkspacePath;
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
}

interface Collected {
  readonly containers: ManifestContainer[];
  readonly services: ManifestService[];
  readonly others: OtherObject[];
  readonly places: ObjectPlace[];
  readonly problems: Problem[];
}

function locationOf({ path, lines }: Source, offset: number): Location {
  const { line, col } = lines.linePos(offset);
  return { file: path, line, column: col };
}

function invalid(location: Location, what: string): Problem {
  return {
    code: 'manifestInvalid',
    message: `${location.file}:${location.line ?? 1}: ${what}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
  };
}

function readDocument(source: Source, facts: Collected): void {
  const { document } = source;
  // What follows the first mistake mostly follows from it, and would hide it.
  const [mistake] = document.errors;
  if (mistake) facts.problems.push(invalid(locationOf(source, mistake.pos[0]), `not valid YAML: ${mistake.message.replace(/\.$/, '')}`));
  if (mistake || document.contents === null) return;
  try {
    readObject({ source, node: document.contents, value: document.toJS() as unknown }, facts);
  } catch (error) {
    // An alias that cannot be resolved is found only here.
    const reason = error instanceof Error ? error.message : String(error);
    facts.problems.push(invalid(locationOf(source, document.contents.range[0]), `not valid YAML: ${reason}`));
  }
}

interface ObjectAt {
  readonly source: Source;
  readonly node: Node;
  readonly value: unknown;
}

function readObject({ source, node, value }: ObjectAt, facts: Collected): void {
  if (value === null || value === undefined) return;
  const location = locationOf(source, node.range?.[0] ?? 0);
  const object = record(value);
  const kind = object?.['kind'];
  if (!object || typeof kind !== 'string' || typeof object['apiVersion'] !== 'string') {
    const missing = !object ? 'not an object' : `an object without ${typeof kind !== 'string' ? 'kind' : 'apiVersion'}`;
    facts.problems.push(invalid(location, missing));
    return;
  }
  if (kind.endsWith('List') && Array.isArray(object['items'])) {
    const items = yaml().isMap(node) ? node.get('items', true) : undefined;
    object['items'].forEach((item: unknown, index) => {
      const itemNode = yaml().isSeq(items) ? items.items[index] : undefined;
      readObject({ source, node: yaml().isMap(itemNode) || yaml().isScalar(itemNode) ? itemNode : node, value: item }, facts);
    });
    return;
  }
  const metadata = record(object['metadata']);
  const name = text(metadata?.['name']) ?? '';
  facts.places.push({ apiVersion: object['apiVersion'], kind, namespace: text(metadata?.['namespace']) });
  if (kind === 'Service') {
    const ports = list(record(object['spec'])?.['ports']).flatMap((port) => {
      const number = record(port)?.['port'];
      if (typeof number !== 'number') return [];
      const [portName, appProtocol] = [text(record(port)?.['name']), text(record(port)?.['appProtocol'])];
      const names = { ...(portName !== undefined && { name: portName }), ...(appProtocol !== undefined && { appProtocol }) };
      return [{ port: number, protocol: text(record(port)?.['protocol']) ?? 'TCP', ...names }];
    });
    facts.services.push({ name, namespace: text(metadata?.['namespace']), ports, location });
    return;
  }
  const template = podTemplate(kind);
  if (!template) {
    facts.others.push({ kind, object });
    return;
  }
  const spec = record([...template, 'spec'].reduce<unknown>((at, key) => record(at)?.[key], object));
  for (const field of ['initContainers', 'containers', 'ephemeralContainers']) {
    list(spec?.[field]).forEach((item, index) => {
      const container = record(item);
      const image = text(container?.['image']);
      if (!container || image === undefined) return;
      const at = source.document.contents === node ? offsetAt(node, [...template, 'spec', field, index, 'image']) : undefined;
      facts.containers.push({
        workload: `${kind.toLowerCase()}/${name}`,
        name: text(container['name']) ?? '',
        image,
        command: words(container['command']),
        args: words(container['args']),
        isAside: field !== 'containers' && container['restartPolicy'] !== 'Always',
        location: at === undefined ? location : locationOf(source, at),
      });
    });
  }
}

/** Where a kind of workload has its pod template; a Pod is its own. */
function podTemplate(kind: string): readonly string[] | undefined {
  switch (kind) {
    case 'Pod':
      return [];
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'Job':
      return ['spec', 'template'];
    case 'CronJob':
      return ['spec', 'jobTemplate', 'spec', 'template'];
    default:
      return undefined;
  }
}

function offsetAt(node: Node, keys: readonly (string | number)[]): number | undefined {
  const found: unknown = yaml().isMap(node) || yaml().isSeq(node) ? node.getIn(keys, true) : undefined;
  return yaml().isScalar(found) ? found.range?.[0] : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function words(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}
