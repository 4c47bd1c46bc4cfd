import { isMap, isScalar, parseAllDocuments, type Node } from 'yaml';
import { followPath, mayBecome, unwritten } from '../kubectl/fieldPath';

/** Where a field stands in a template of a chart, and what of `.Values` it is made from. */
export interface FieldInTemplate {
  readonly offset: number;
  /** `image.repository`: of each value that the field is written with. Empty when the template says itself what it is. */
  readonly values: readonly string[];
  /** What of the field's path is below those values. */
  readonly rest: string;
}

/**
 * Finds a field of an object in a template, as well as a template can be read without running it: all that is between braces may be
 * anything, and what only steers makes nothing. Undefined when the template has no such object.
 */
export function fieldInTemplate(
  template: string,
  { kind, name }: { readonly kind: string; readonly name: string },
  fieldPath = '',
): FieldInTemplate | undefined {
  const roots = parseAllDocuments(asYaml(template), { prettyErrors: false, uniqueKeys: false, strict: false, logLevel: 'silent' });
  const objects = (Array.isArray(roots) ? roots : []).flatMap(({ contents }) => (contents && isMap(contents) ? [contents] : []));
  const ofKind = objects.filter((object) => textAt(object, 'kind', kind));
  const object = ofKind.find((each) => textAt(each, 'metadata.name', name)) ?? ofKind[0];
  if (!object) return undefined;
  const { offset = 0, node, rest } = followPath(object, fieldPath);
  const written = node && isScalar(node) && node.value !== null && node.range ? template.slice(node.range[0], node.range[1]) : undefined;
  const isMadeHere = written === undefined ? node !== undefined && !isScalar(node) : !written.includes('{{');
  if (isMadeHere || fieldPath === '') return { offset, values: [], rest: '' };
  return { offset, values: valuesIn(written ?? blockAt(template, offset), template.slice(0, offset)), rest };
}

/** Whether the text of a field is one, or may become it. */
function textAt(object: Node, fieldPath: string, wanted: string): boolean {
  const { node, rest } = followPath(object, fieldPath);
  return rest === '' && node !== undefined && isScalar(node) && mayBecome(String(node.value), wanted);
}

/** The same text with the same offsets, which YAML can read. */
function asYaml(template: string): string {
  const steers = /^\{\{-?\s*(\/\*|if\b|else\b|end\b|with\b|range\b|define\b|block\b|\$\w+\s*:?=)/;
  return template
    .replace(/\{\{[\s\S]*?\}\}/g, (action) => action.replace(/[^\n]/g, steers.test(action) ? ' ' : unwritten))
    .replace(new RegExp(`^[ ${unwritten}]+$`, 'gm'), (line) => ' '.repeat(line.length));
}

/** The lines of a key: its own, and those below it that are further in. */
function blockAt(template: string, offset: number): string {
  const start = template.lastIndexOf('\n', offset - 1) + 1;
  const column = offset - start;
  const [own = '', ...lines] = template.slice(start).split('\n');
  const end = lines.findIndex((line) => line.trim() !== '' && line.search(/\S/) <= column && !/^\s*\{\{-? *toYaml/.test(line));
  return [own.slice(column), ...lines.slice(0, end < 0 ? undefined : end)].join('\n');
}

/** The values that a text names. A dot alone is that of the `with` around it. */
function valuesIn(text: string, before: string): readonly string[] {
  const path = /\.Values\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)/g;
  const named = [...text.matchAll(path)].flatMap(([, found]) => found ?? []);
  if (named.length > 0 || !/\{\{-? *(toYaml )?\. *[|}-]/.test(text)) return named;
  const around = [...before.matchAll(/\{\{-?\s*with\s+\$?\.Values\.([\w.]+)/g)].at(-1)?.[1];
  return around === undefined ? [] : [around];
}
