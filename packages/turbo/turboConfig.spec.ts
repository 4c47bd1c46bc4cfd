import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTurboConfig, taskDefinition, type TaskDefinition, type TurboConfig } from './turboConfig';

// As `turbo run TASK --dry=json` resolves the same files.
describe('a task of turbo.json', () => {
  const table: { what: string; root: TurboConfig; packages?: Record<string, TurboConfig>; is: TaskDefinition | undefined }[] = [
    { what: 'is nothing that nobody defines', root: { tasks: { test: {} } }, is: undefined },
    { what: 'is as the root has it', root: { tasks: { build: { outputs: ['dist/**'] } } }, is: { outputs: ['dist/**'] } },
    {
      what: 'is as the root has it for that package, and then nothing else of the root',
      root: { tasks: { build: { outputs: ['dist/**'], dependsOn: ['^build'] }, 'app#build': { outputs: ['out/**'] } } },
      is: { outputs: ['out/**'] },
    },
    {
      what: 'has what its package says over what the root says, key by key',
      root: { tasks: { build: { outputs: ['dist/**'], dependsOn: ['^build'] } } },
      packages: { app: { extends: ['//'], tasks: { build: { outputs: ['.next/**'] } } } },
      is: { outputs: ['.next/**'], dependsOn: ['^build'] },
    },
    {
      what: 'adds to a list where the package says so',
      root: { tasks: { build: { outputs: ['dist/**'], dependsOn: ['^build'] } } },
      packages: { app: { extends: ['//'], tasks: { build: { dependsOn: ['$TURBO_EXTENDS$', 'codegen'] } } } },
      is: { outputs: ['dist/**'], dependsOn: ['^build', 'codegen'] },
    },
    {
      what: 'may be in its package alone',
      root: {},
      packages: { app: { extends: ['//'], tasks: { build: { persistent: true } } } },
      is: { persistent: true },
    },
    {
      what: 'may stand on what another package shares',
      root: { tasks: { build: { outputs: ['dist/**'] } } },
      packages: {
        shared: { extends: ['//'], tasks: { build: { dependsOn: ['^build'] } } },
        app: { extends: ['//', 'shared'], tasks: { build: { outputs: ['out/**'] } } },
      },
      is: { outputs: ['out/**'], dependsOn: ['^build'] },
    },
    {
      what: 'stands on nothing where its package says so',
      root: { tasks: { build: { outputs: ['dist/**'], dependsOn: ['^build'] } } },
      packages: { app: { extends: ['//'], tasks: { build: { extends: false, outputs: ['x/**'] } } } },
      is: { extends: false, outputs: ['x/**'] },
    },
  ];
  it.each(table)('$what', ({ root, packages = {}, is }) => {
    expect(taskDefinition({ root, packages: new Map(Object.entries(packages)) }, 'app', 'build')).toEqual(is);
  });
});

describe('a turbo.json', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-turbo-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('may have comments and a last comma, and may be named turbo.jsonc', () => {
    writeFileSync(join(root, 'turbo.jsonc'), '{\n  // all\n  "tasks": { "build": {}, },\n}');
    expect(readTurboConfig(root, '')).toEqual({ ok: true, value: { tasks: { build: {} } } });
  });

  it('that is no JSON is a problem with its place', () => {
    writeFileSync(join(root, 'turbo.json'), '{\n  "tasks": {\n    "build" {}\n  }\n}');
    expect(readTurboConfig(root, '')).toMatchObject({
      ok: false,
      problem: {
        code: 'turboConfigInvalid',
        message: 'turbo.json is not JSON: colon expected',
        location: { file: 'turbo.json', line: 3, column: 13 },
      },
    });
  });
});
