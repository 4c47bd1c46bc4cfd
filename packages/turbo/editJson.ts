import { findNodeAtLocation, getNodeValue, parseTree, type JSONPath, type Node } from 'jsonc-parser';

/** The value at a path of a JSON file, which may have comments. */
export function valueIn(text: string, path: JSONPath): unknown {
  const node = nodeAt(text, path);
  return node && (getNodeValue(node) as unknown);
}

/** The text with one more property at the end of an object, which is made where it is missing. Nothing that was there is touched, nor are comments. */
export function withProperty(text: string, path: JSONPath, name: string, value: unknown): string {
  const object = nodeAt(text, path);
  if (object?.type !== 'object') {
    return path.length === 0 ? text : withProperty(text, path.slice(0, -1), String(path.at(-1)), { [name]: value });
  }
  const style = styleOf(text);
  const added = (count: string) => `${count}${JSON.stringify(name)}: ${rendered(value, count, style)}`;
  return withItem(text, object, { style, added: added(style.unit.repeat(path.length + 1)), outer: style.unit.repeat(path.length) });
}

/** The text with more texts at the end of a list that is there. */
export function withItems(text: string, path: JSONPath, items: readonly string[]): string {
  const list = nodeAt(text, path);
  if (list?.type !== 'array') return text;
  const last = list.children?.at(-1);
  const written = items.map((item) => JSON.stringify(item));
  const isWide = text.slice(list.offset, list.offset + list.length).includes('\n');
  if (last && !isWide) return spliced(text, endOf(last), [', ', written.join(', ')].join(''));
  const style = styleOf(text);
  const indent = style.unit.repeat(path.length + 1);
  const added = written.map((item) => `${indent}${item}`).join(`,${style.newline}`);
  return withItem(text, list, { style, added, outer: style.unit.repeat(path.length) });
}

interface Style {
  readonly unit: string;
  readonly newline: string;
}

interface Item {
  readonly style: Style;
  /** With its own indentation. */
  readonly added: string;
  /** The indentation of the bracket at the end. */
  readonly outer: string;
}

function withItem(text: string, container: Node, { style: { newline }, added, outer }: Item): string {
  const closing = endOf(container) - 1;
  const last = container.children?.at(-1);
  if (!last) {
    const inside = text.slice(container.offset + 1, closing).trimEnd();
    return `${text.slice(0, container.offset + 1)}${inside}${newline}${added}${newline}${outer}${text.slice(closing)}`;
  }
  const rest = text.slice(endOf(last), closing);
  // What stands behind the last one, such as a comment, stays on its line.
  const line = rest.split(/\r?\n/)[0] ?? '';
  const hasComma = line.trimStart().startsWith(',');
  const isWide = rest.length > line.length;
  const before = text.slice(0, endOf(last));
  if (!isWide) {
    const first = container.children?.[0]?.offset ?? 0;
    const opened = `${text.slice(0, container.offset + 1)}${newline}${/^[ \t]*/.exec(added)?.[0] ?? ''}${text.slice(first, endOf(last))}`;
    const isOneLine = !text.slice(container.offset, closing).includes('\n');
    return `${isOneLine ? opened : before},${newline}${added}${newline}${outer}${text.slice(closing)}`;
  }
  return `${before}${hasComma ? '' : ','}${line}${newline}${added}${hasComma ? ',' : ''}${rest.slice(line.length)}${text.slice(closing)}`;
}

/** Objects over several lines, lists on one as long as that is short. */
function rendered(value: unknown, indent: string, style: Style): string {
  const inner = indent + style.unit;
  const lines = (open: string, items: readonly string[], close: string) =>
    `${open}${style.newline}${items.map((item) => `${inner}${item}`).join(`,${style.newline}`)}${style.newline}${indent}${close}`;
  if (Array.isArray(value)) {
    const items = value.map((item) => rendered(item, inner, style));
    const short = `[${items.join(', ')}]`;
    return short.length <= 100 ? short : lines('[', items, ']');
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${rendered(each, inner, style)}`);
  return lines('{', entries, '}');
}

/** As the file itself is written; two spaces where it has one line. */
function styleOf(text: string): Style {
  return { unit: /^([ \t]+)["}]/m.exec(text)?.[1] ?? '  ', newline: text.includes('\r\n') ? '\r\n' : '\n' };
}

function nodeAt(text: string, path: JSONPath): Node | undefined {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  return tree && findNodeAtLocation(tree, path);
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

function spliced(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at);
}
