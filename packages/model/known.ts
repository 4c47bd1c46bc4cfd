/** What was looked up: there, not there, or not known yet. `unknown` is never a reason to decide. */
export type Known<T> = { readonly state: 'unknown' } | { readonly state: 'absent' } | { readonly state: 'found'; readonly value: T };

export const unknown = { state: 'unknown' } as const;
export const absent = { state: 'absent' } as const;

export function found<T>(value: T): Known<T> {
  return { state: 'found', value };
}
