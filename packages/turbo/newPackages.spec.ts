import { parse } from 'yaml';
import { withFiles, type WorkspaceFiles } from '../graph';
import { newPackagesChange } from './newPackages';

const none: WorkspaceFiles = { textOf: () => undefined, kindOf: () => undefined, namesIn: () => [] };
const change = (files: Readonly<Record<string, string>>, manager: 'npm' | 'pnpm' = 'npm') =>
  newPackagesChange(['apps/cache'], { files: withFiles(none, new Map(Object.entries(files))), manager });

describe('new packages', () => {
  it('need nothing where a pattern covers them', () => {
    expect(change({ 'package.json': '{"workspaces": ["apps/*"]}' })).toEqual([]);
    expect(change({ 'pnpm-workspace.yaml': 'packages: ["apps/*"]' }, 'pnpm')).toEqual([]);
  });

  it.each([
    ['{"workspaces": ["app", "web"]}', { workspaces: ['app', 'web', 'apps/cache'] }],
    ['{"workspaces": {"packages": ["app"], "nohoist": []}}', { workspaces: { packages: ['app', 'apps/cache'], nohoist: [] } }],
    ['{"name": "shop"}', { name: 'shop', workspaces: ['apps/cache'] }],
  ])('come to %s, which is said', (before, after) => {
    const [made] = change({ 'package.json': before });
    expect(made).toMatchObject({ path: 'package.json', created: false, because: [expect.stringContaining('apps/cache') as unknown] });
    expect(JSON.parse(made?.text ?? '')).toEqual(after);
  });

  it('come to the file of pnpm, with its comments, which is made where it is missing', () => {
    const [made] = change({ 'pnpm-workspace.yaml': 'packages:\n  # ours\n  - app\n', 'package.json': '{}' }, 'pnpm');
    expect(made).toMatchObject({ path: 'pnpm-workspace.yaml', created: false, text: 'packages:\n  # ours\n  - app\n  - apps/cache\n' });
    const [created] = change({ 'package.json': '{}' }, 'pnpm');
    expect(created).toMatchObject({ path: 'pnpm-workspace.yaml', created: true });
    expect(parse(created?.text ?? '')).toEqual({ packages: ['apps/cache'] });
  });
});
