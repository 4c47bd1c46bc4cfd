import { isAlias, isCollection, isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type YAMLMap } from 'yaml';
import type { Location, WorkspacePath } from '../../model';

/** The file that a field stands in, and what has been taken of it. */
export interface Sheet {
  readonly file: WorkspacePath;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly taken: Set<Node>;
}

/** A value in a YAML file, which remembers what of it was taken: what nobody takes can be told. */
export class Field {
  private readonly node: Node | undefined;

  constructor(
    private readonly sheet: Sheet,
    node: unknown,
    /** As people write it: `build.artifacts[0].image`. */
    readonly path: string,
  ) {
    this.node = (isAlias(node) ? node.resolve(sheet.document) : node) as Node | undefined;
  }

  /** Undefined also where it says null. What a map takes over by `<<` is its own. */
  at(key: string): Field | undefined {
    const value = isMap(this.node)
      ? (this.node.get(key, true) ??
        this.merged()
          .find((each) => each.has(key))
          ?.get(key, true))
      : undefined;
    if (value === undefined) return undefined;
    const field = new Field(this.sheet, value, this.below(key));
    const isNull = isScalar(value) && value.value === null;
    if (isNull || (isCollection(value) && value.items.length === 0)) field.skip();
    return isNull ? undefined : field;
  }

  private below(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  /** Whether a key is there, with null too, as in `sha256: {}` and `gitCommit:`. */
  has(key: string): boolean {
    return isMap(this.node) && this.node.has(key);
  }

  items(): readonly Field[] {
    return isSeq(this.node) ? this.node.items.map((item, at) => new Field(this.sheet, item, `${this.path}[${String(at)}]`)) : [];
  }

  entries(): readonly (readonly [string, Field])[] {
    if (!isMap(this.node)) return [];
    const entries = new Map<string, Field>();
    for (const { key, value } of [this.node, ...this.merged()].flatMap(({ items }) => items)) {
      const name = String(isScalar(key) ? key.value : key);
      if (name !== '<<' && !entries.has(name)) entries.set(name, new Field(this.sheet, value, this.below(name)));
    }
    return [...entries];
  }

  /** The maps that this one takes over; what an earlier one says wins. */
  private merged(): readonly YAMLMap[] {
    const value = isMap(this.node) ? this.node.get('<<', true) : undefined;
    return (isSeq(value) ? value.items : [value]).flatMap((each) => {
      const map = isAlias(each) ? each.resolve(this.sheet.document) : each;
      return isMap(map) ? [map] : [];
    });
  }

  /** A number or a truth as text too. */
  text(): string | undefined {
    const text = this.peek();
    if (text !== undefined) this.skip();
    return text;
  }

  /** As `text`, of what may not be taken. */
  peek(): string | undefined {
    const value: unknown = isScalar(this.node) ? this.node.value : undefined;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  }

  texts(): readonly string[] {
    return this.items().flatMap((item) => item.text() ?? []);
  }

  /** All of it, as it is. */
  value(): unknown {
    this.skip();
    return this.node?.toJS(this.sheet.document);
  }

  /** Nobody needs to be told of it. */
  skip(): void {
    if (this.node) this.sheet.taken.add(this.node);
  }

  location(): Location {
    const { line, col } = this.sheet.lines.linePos(this.node?.range?.[0] ?? 0);
    return { file: this.sheet.file, line, column: col };
  }

  /** The fields of which nothing was taken, the outermost only. */
  untaken(): readonly Field[] {
    if (!this.node || this.sheet.taken.has(this.node)) return [];
    const inner = [...this.entries().map(([, field]) => field), ...this.items()];
    if (inner.length === 0) return [this];
    const left = inner.map((field) => ({ field, left: field.untaken() }));
    const isWhole = this.path !== '' && left.every((each) => each.left.length === 1 && each.left[0] === each.field);
    return isWhole ? [this] : left.flatMap((each) => each.left);
  }
}
