import { fileSetsOf, type InputsRequest } from './targetInputs';

const projects = new Map([
  ['api', { root: 'apps/api', dependencies: ['catalog'] }],
  ['catalog', { root: 'libs/catalog', dependencies: ['money'] }],
  ['money', { root: 'libs/money', dependencies: [] }],
  ['tools', { root: '', dependencies: [] }],
]);
const shared = {
  production: ['default', '!{projectRoot}/**/*.spec.ts'],
  sharedGlobals: ['{workspaceRoot}/tsconfig.base.json'],
};

function sets(declared: readonly unknown[] | undefined, more: Partial<InputsRequest> = {}): Record<string, readonly string[]> | undefined {
  const found = fileSetsOf({ declared, project: 'api', projects, namedInputs: () => shared, ...more });
  return found && Object.fromEntries(found.map(({ project, patterns }) => [project, patterns]));
}

describe('the inputs of a target', () => {
  it.each<[string, readonly unknown[] | undefined, ReturnType<typeof sets>]>([
    [
      'that declares none are all files of its project and of all that it depends on',
      undefined,
      { api: ['apps/api/**/*'], catalog: ['libs/catalog/**/*'], money: ['libs/money/**/*'] },
    ],
    [
      'with named ones are what nx.json says, for dependencies too',
      ['production', '^production'],
      {
        api: ['!apps/api/**/*.spec.ts', 'apps/api/**/*'],
        catalog: ['!libs/catalog/**/*.spec.ts', 'libs/catalog/**/*'],
        money: ['!libs/money/**/*.spec.ts', 'libs/money/**/*'],
      },
    ],
    ['leave out dependencies that it does not name', ['{projectRoot}/src/**'], { api: ['apps/api/src/**'] }],
    ['may be files of the whole workspace', ['sharedGlobals'], { '': ['tsconfig.base.json'] }],
    ['may be of other projects', [{ input: 'default', projects: ['money'] }], { money: ['libs/money/**/*'] }],
    [
      'may be of its dependencies in the longer form',
      [{ input: 'default', dependencies: true }],
      { catalog: ['libs/catalog/**/*'], money: ['libs/money/**/*'] },
    ],
    [
      'are no files where they are variables, versions or the outputs of others',
      [
        { fileset: '{projectRoot}/a' },
        { env: 'X' },
        { runtime: 'node -v' },
        { externalDependencies: ['esbuild'] },
        { dependentTasksOutputFiles: '**/*' },
      ],
      { api: ['apps/api/a'] },
    ],
    ['are not known when a named one does not exist', ['productoin'], undefined],
    ['are not known when one has a form that is not known', ['default', { somethingNew: true }], undefined],
  ])('%s', (_name, declared, expected) => {
    expect(sets(declared)).toEqual(expected);
  });

  it('are those that the project itself names', () => {
    const namedInputs = (project: string) => (project === 'catalog' ? { ...shared, production: ['{projectRoot}/lib/**'] } : shared);
    expect(sets(['^production'], { namedInputs })).toEqual({
      catalog: ['libs/catalog/lib/**'],
      money: ['!libs/money/**/*.spec.ts', 'libs/money/**/*'],
    });
  });

  it('of a project at the root have paths without its name', () => {
    expect(sets(['{projectRoot}/src/**'], { project: 'tools' })).toEqual({ tools: ['src/**'] });
  });
});
