/** As much of a JSON schema as tells which keys of a map may not stand together. */
export interface Form {
  readonly [keyword: string]: unknown;
  readonly oneOf?: readonly Form[];
  readonly properties?: Readonly<Record<string, Form>>;
  readonly additionalProperties?: boolean | Form;
  readonly maxProperties?: number;
  readonly not?: { readonly anyOf?: readonly { readonly required?: readonly string[] }[] };
}

/** What may stand under a key of a map that has one of these forms. */
export function formsBelow(forms: readonly Form[], key: string): readonly Form[] {
  return forms.flatMap(({ properties, additionalProperties }) => {
    const form = properties?.[key] ?? additionalProperties;
    return typeof form === 'object' ? [form, ...(form.oneOf ?? [])] : [];
  });
}

/** A map without those of its keys that may not stand beside one of `others`. */
export function withoutRivals<Value>(
  map: Readonly<Record<string, Value>>,
  others: readonly string[],
  forms: readonly Form[],
): Readonly<Record<string, Value>> {
  const isRival = (key: string) => others.some((other) => other !== key && forms.some((form) => areRivals(form, key, other)));
  return Object.fromEntries(Object.entries(map).filter(([key]) => !isRival(key)));
}

function areRivals({ maxProperties, not }: Form, key: string, other: string): boolean {
  return maxProperties === 1 || (not?.anyOf?.some(({ required = [] }) => required.includes(key) && required.includes(other)) ?? false);
}
