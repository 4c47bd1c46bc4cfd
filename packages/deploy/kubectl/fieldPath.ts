import { isMap, isPair, isScalar, isSeq, type Node } from 'yaml';

/** How far a field path leads. */
export interface Followed {
  /** Where the last key of it stands, or the item of a list. */
  readonly offset: number | undefined;
  /** What is there; undefined where the key has nothing. */
  readonly node: Node | undefined;
  /** What of the path is not there. */
  readonly rest: string;
}

/** Stands in a text for what is not known yet: what a template will put there. */
export const unwritten = '\uE000';

/** Whether a text may become another one, once what is not known in it is. */
export function mayBecome(text: string, wanted: string): boolean {
  if (!text.includes(unwritten)) return text === wanted;
  const parts = text.split(new RegExp(`${unwritten}+`)).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(wanted);
}

/**
 * Follows a field path as far as it goes: `spec.template.spec.containers[0].image`, `.spec.containers[name="web"].ports`,
 * `metadata.labels.app.kubernetes.io/name` (a key with dots), `data[key]`.
 */
export function followPath(node: Node, fieldPath: string): Followed {
  let at: unknown = node;
  let offset = node.range?.[0];
  let rest = fieldPath.replace(/^\./, '');
  while (rest !== '') {
    const step: Step | undefined = isMap(at) ? intoMap(at.items, rest) : isSeq(at) ? intoSeq(at.items, rest) : undefined;
    if (!step) break;
    at = step.value;
    offset = step.offset ?? offset;
    rest = step.rest.replace(/^\./, '');
  }
  return { offset, node: isNode(at) ? at : undefined, rest };
}

interface Step {
  readonly value: unknown;
  readonly offset: number | undefined;
  readonly rest: string;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value);
}

function intoMap(pairs: readonly unknown[], rest: string): Step | undefined {
  const bracketed = /^\[([^\]]*)\]/.exec(rest);
  const wanted = bracketed?.[1]?.replace(/^["']|["']$/g, '');
  let best: (Step & { readonly length: number }) | undefined;
  for (const pair of pairs) {
    if (!isPair(pair) || !isScalar(pair.key)) continue;
    const key = String(pair.key.value);
    const matches = wanted === undefined ? rest.startsWith(key) && /^($|[.[])/.test(rest.slice(key.length)) : key === wanted;
    // The longest key: `app` and `app.kubernetes.io/name` may stand in one map.
    if (!matches || (best && best.length >= key.length)) continue;
    best = {
      value: pair.value,
      offset: pair.key.range?.[0],
      rest: rest.slice(bracketed ? bracketed[0].length : key.length),
      length: key.length,
    };
  }
  return best;
}

function intoSeq(items: readonly unknown[], rest: string): Step | undefined {
  const bracketed = /^\[([^\]]*)\]/.exec(rest);
  if (bracketed?.[1] === undefined) return undefined;
  const conditions = bracketed[1].split(',').map((condition) => /^([^=]+)="?([^"]*)"?$/.exec(condition));
  const suits = (isIt: (held: string, wanted: string) => boolean) => (candidate: unknown) =>
    // The server adds defaults to the keys of a list (`protocol="TCP"`) which the manifest need not have.
    conditions.every((condition) => {
      const [, key, wanted = ''] = condition ?? [];
      if (key === undefined || !isMap(candidate)) return false;
      const held = candidate.get(key);
      return held === undefined ? condition !== conditions[0] : isIt(JSON.stringify(held).replace(/^"|"$/g, ''), wanted);
    });
  const item = /^\d+$/.test(bracketed[1])
    ? items[Number(bracketed[1])]
    : (items.find(suits((held, wanted) => held === wanted)) ?? items.find(suits(mayBecome)));
  if (!isNode(item)) return undefined;
  return { value: item, offset: item.range?.[0], rest: rest.slice(bracketed[0].length) };
}
