import { rootSchema } from '.';

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly oneOf?: readonly Described[];
  readonly additionalProperties?: Described | boolean;
}

/** Each key with what is said of it, as the config reference puts it together. */
function keysOf(schema: Described, path = ''): readonly (readonly [path: string, text: string])[] {
  const { properties = {}, items, oneOf = [], additionalProperties } = schema;
  const forms = [...(items ? [items] : []), ...oneOf, ...(typeof additionalProperties === 'object' ? [additionalProperties] : [])];
  return [
    ...Object.entries(properties).flatMap(([name, each]) => {
      const text = [each.items?.description, each.description].filter(Boolean).join(' ');
      return [[`${path}.${name}`, text] as const, ...keysOf(each, `${path}.${name}`)];
    }),
    ...forms.flatMap((form) => keysOf(form, `${path}[]`)),
  ];
}

it('each key has a text that says what it is, before what it is by default and what it may look like', () => {
  const keys = keysOf(rootSchema as object);
  expect(keys.length).toBeGreaterThan(200);
  const onlyExamples = keys.filter(([, text]) => text.startsWith('Default:') || /^[{[]/.test(text) || !/\w \w/.test(text));
  expect(onlyExamples).toEqual([]);
});
