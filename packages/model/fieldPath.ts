/**
 * Calls back with every text at a path of an object: `spec.template.spec.containers[].image`, where `[]` stands for every item of a
 * list. `replace` writes another text there.
 */
export function eachTextAt(value: unknown, path: string, visit: (text: string, replace: (text: string) => void) => void): void {
  const [first = '', ...rest] = path.replace(/\[\*?\]/g, '.[]').split('.');
  walk({ value, key: first, rest, visit });
}

interface Walk {
  readonly value: unknown;
  readonly key: string;
  readonly rest: readonly string[];
  readonly visit: Parameters<typeof eachTextAt>[2];
}

function walk({ value, key, rest, visit }: Walk): void {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Record<string | number, unknown>;
  const keys = key === '[]' ? (Array.isArray(value) ? [...value.keys()] : []) : [key];
  const [next, ...further] = rest;
  for (const at of keys) {
    const found = holder[at];
    if (next !== undefined) walk({ value: found, key: next, rest: further, visit });
    else if (typeof found === 'string') visit(found, (text) => (holder[at] = text));
  }
}
