import type { WorkspaceFiles } from '../graph';
import { isPackageFolder, packagePatterns, serviceFolder } from './packagePatterns';

const filesOf = (texts: Readonly<Record<string, string>>): WorkspaceFiles => ({
  textOf: (path) => texts[path],
  kindOf: () => undefined,
  namesIn: () => [],
});

describe('where the packages of a workspace are', () => {
  const cases: { what: string; files: Record<string, string>; patterns: string[] | undefined; folder: string }[] = [
    { what: 'nowhere', files: { 'package.json': '{}' }, patterns: undefined, folder: 'apps' },
    {
      what: 'as npm has it',
      files: { 'package.json': '{"workspaces":["./libs/*/","apps/*"]}' },
      patterns: ['libs/*', 'apps/*'],
      folder: 'apps',
    },
    {
      what: 'as yarn had it',
      files: { 'package.json': '{"workspaces":{"packages":["packages/**"]}}' },
      patterns: ['packages/**'],
      folder: 'packages',
    },
    {
      what: 'as pnpm has it, before package.json',
      files: { 'pnpm-workspace.yaml': 'packages: ["backend/*"]\n', 'package.json': '{"workspaces":["apps/*"]}' },
      patterns: ['backend/*'],
      folder: 'backend',
    },
    { what: 'in a file that cannot be read', files: { 'package.json': '{' }, patterns: undefined, folder: 'apps' },
    { what: 'in folders by name', files: { 'package.json': '{"workspaces":["a","b"]}' }, patterns: ['a', 'b'], folder: 'apps' },
  ];
  it.each(cases)('$what', ({ files, patterns, folder }) => {
    expect(packagePatterns(filesOf(files))).toEqual(patterns);
    expect(serviceFolder(patterns)).toBe(folder);
  });

  it('is asked for one folder', () => {
    const patterns = ['apps/*', '!apps/old'];
    expect(['apps/new', 'apps/old', 'apps/a/b', 'libs/a'].map((folder) => isPackageFolder(folder, patterns))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(isPackageFolder('apps/new', undefined)).toBe(false);
  });
});
