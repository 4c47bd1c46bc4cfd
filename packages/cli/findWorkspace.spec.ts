import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findWorkspace } from './findWorkspace';

describe('the workspace around a folder', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-workspace-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const found = (from: string) => {
    const workspace = findWorkspace(join(root, from), { isBrief: true });
    return workspace.ok ? [workspace.value.kind, workspace.value.root.slice(root.length)] : workspace.problem.code;
  };

  it('is the nearest one upwards that says so, and Nx where both say so', () => {
    mkdirSync(join(root, 'nx/apps/worker/src'), { recursive: true });
    mkdirSync(join(root, 'nx/examples/plain/packages/a'), { recursive: true });
    writeFileSync(join(root, 'nx/nx.json'), '{}');
    writeFileSync(join(root, 'nx/package.json'), '{"workspaces": ["apps/*"]}');
    writeFileSync(join(root, 'nx/apps/worker/package.json'), '{"name": "worker"}');
    writeFileSync(join(root, 'nx/examples/plain/package.json'), '{"workspaces": ["packages/*"]}');
    expect(found('nx')).toEqual(['nx', '/nx']);
    expect(found('nx/apps/worker/src')).toEqual(['nx', '/nx']);
    expect(found('nx/examples/plain/packages/a')).toEqual(['workspaces', '/nx/examples/plain']);
  });

  it('is a Turborepo where its turbo.json is, and not where a package has one of its own', () => {
    mkdirSync(join(root, 'apps/worker'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"workspaces": ["apps/*"]}');
    writeFileSync(join(root, 'turbo.json'), '{ // everything\n "tasks": {}, }');
    writeFileSync(join(root, 'apps/worker/package.json'), '{"name": "worker"}');
    writeFileSync(join(root, 'apps/worker/turbo.jsonc'), '{"extends": ["//"]}');
    expect(found('apps/worker')).toEqual(['turbo', '']);
    // Half written, in an editor.
    writeFileSync(join(root, 'apps/worker/turbo.jsonc'), '{"ext');
    expect(found('apps/worker')).toEqual(['turbo', '']);
    writeFileSync(join(root, 'turbo.json'), '{"tas');
    expect(found('apps/worker')).toEqual(['turbo', '']);
  });

  it('is a problem where there is none', () => {
    expect(found('')).toBe('workspaceNotFound');
  });
});
