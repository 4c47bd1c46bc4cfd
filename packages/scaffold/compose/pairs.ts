import type { Field } from '../imports/field';

/** Names and values, as a map or as a list of `NAME=VALUE`; without a value where none is said. */
export function pairsOf(field: Field | undefined, between = '='): readonly (readonly [string, string | undefined])[] {
  const entries = (field?.entries() ?? []).map(([name, value]) => {
    const text = value.text();
    value.skip();
    return [name, text] as const;
  });
  const listed = (field?.texts() ?? []).map((text) => {
    const at = text.indexOf(between);
    return at < 0 ? ([text, undefined] as const) : ([text.slice(0, at), text.slice(at + 1)] as const);
  });
  return [...entries, ...listed];
}
