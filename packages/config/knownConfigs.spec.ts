import type * as Known from './knownConfigs';
import type * as Reading from './readConfig';

/** The modules of a process that has just begun. */
function begun(): { readonly known: typeof Known; readonly reading: typeof Reading } {
  let modules: ReturnType<typeof begun> | undefined;
  jest.isolateModules(() => {
    modules = {
      known: jest.requireActual('./knownConfigs'),
      reading: jest.requireActual('./readConfig'),
    };
  });
  if (!modules) throw new Error('not loaded');
  return modules;
}

const right = { path: 'apps/api/slipway.yaml', text: 'version: 1\nimage: {name: shop/api}\n', isRoot: false };
const wrong = { path: 'apps/web/slipway.yaml', text: 'version: 1\nimagge: {}\n', isRoot: false };

/** What a process that has read both hands on. */
function handedOn(): string {
  const { known, reading } = begun();
  reading.readConfig(right);
  reading.readConfig(wrong);
  const json = known.configsRead();
  if (json === undefined) throw new Error('nothing was read');
  return json;
}

describe('configs that an earlier process has read', () => {
  it('are taken as they were, with places where they are asked for', () => {
    const { known, reading } = begun();
    known.rememberConfigs(handedOn());
    const read = reading.readConfig(right);
    expect(read).toMatchObject({ config: { version: 1, image: { name: 'shop/api' } }, problems: [] });
    expect(read.locate(['image', 'name'])).toEqual({ file: right.path, line: 2, column: 9 });
    expect(known.configsRead()).toBeUndefined();
  });

  it('are read again when their text is another, and when they are wrong', () => {
    const { known, reading } = begun();
    known.rememberConfigs(handedOn());
    expect(reading.readConfig({ ...right, text: 'version: 1\nimage: {name: shop/app}\n' }).config?.image?.name).toBe('shop/app');
    expect(reading.readConfig(wrong).problems).toMatchObject([{ message: expect.stringContaining('imagge') as string }]);
    expect(known.configsRead()).toContain('shop/app');
  });

  it('are not taken for what they are not: a config of the root, one of other rules, what nobody can read', () => {
    const atRoot = begun();
    atRoot.known.rememberConfigs(handedOn());
    expect(atRoot.reading.readConfig({ ...right, isRoot: true }).config).toEqual({ version: 1, image: { name: 'shop/api' } });
    expect(atRoot.known.configsRead()).toBeDefined();
    for (const json of [handedOn().replace('"by":"1 ', '"by":"0 '), handedOn().slice(0, -9), 'null', '[]']) {
      const { known, reading } = begun();
      known.rememberConfigs(json.replaceAll('shop/api', 'shop/old'));
      expect(reading.readConfig(right).config?.image?.name).toBe('shop/api');
    }
  });
});
