import type { Document, LineCounter, Tags } from 'yaml';
import type { WorkspacePath } from '../model';
import { yaml } from './yaml';

export interface ManifestText {
  readonly path: WorkspacePath;
  readonly text: string;
}

/** The documents of a manifest up to the first that has a mistake: where that ends is not known. */
export interface ParsedManifest {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

const parsedBefore = new Map<WorkspacePath, { readonly text: string; readonly parsed: ParsedManifest }>();

/** `again` says that the same text will be parsed once more: YAML is slow to read. It is kept until then. */
export function parseManifest({ path, text }: ManifestText, again: boolean): ParsedManifest {
  const before = parsedBefore.get(path);
  const parsed = before?.text === text ? before.parsed : parse(text);
  if (again) parsedBefore.set(path, { text, parsed });
  else parsedBefore.delete(path);
  return parsed;
}

function parse(text: string): ParsedManifest {
  const lines = new (yaml().LineCounter)();
  // Without `prettyErrors: false` a message quotes the lines around a mistake, which may be a Secret's.
  const found = yaml().parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, version: '1.1', customTags: withoutTimes });
  const documents = Array.isArray(found) ? found : [];
  const mistaken = documents.findIndex(({ errors }) => errors.length > 0);
  return { documents: mistaken === -1 ? documents : documents.slice(0, mistaken + 1), lines };
}

/**
 * Kubernetes reads YAML 1.1 (`0644` is octal, `yes` is true), but neither times nor base-60 numbers: `22:22` is text.
 * Source: sigs.k8s.io/yaml.
 */
function withoutTimes(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && tag.tag !== 'tag:yaml.org,2002:timestamp'));
}
