import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GraphSource } from '../graph';
import { succeeded } from '../model';
import { init } from './init';

describe('the next command that init tells', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-init-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it.each([
    { kind: 'turbo', manager: 'npm', next: 'npx turbo run dev --filter=@shop/api' },
    { kind: 'turbo', manager: 'yarn', next: 'yarn turbo run dev --filter=@shop/api' },
    // Through `pnpm turbo`, Ctrl+C would leave behind what was deployed.
    { kind: 'turbo', manager: 'pnpm', next: 'pnpm --filter @shop/api run dev' },
    { kind: 'workspaces', manager: 'npm', next: 'npm run dev --workspace @shop/api' },
    { kind: 'workspaces', manager: 'pnpm', next: 'pnpm --filter @shop/api run dev' },
  ] as const)('is `$next` for $manager and $kind', async ({ kind, manager, next }) => {
    const files: Readonly<Record<string, string>> = {
      'package.json': JSON.stringify({ packageManager: `${manager}@10.0.0` }),
      'turbo.json': '{}',
      'apps/api/package.json': '{"name": "@shop/api"}',
      'apps/api/k8s/api.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: api}\n',
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const workspace: GraphSource = {
      kind,
      root,
      watch: [],
      read: () =>
        Promise.resolve(
          succeeded({ projects: [{ name: '@shop/api', root: 'apps/api', dependencies: [], targets: new Map() }], runsDependencies: true }),
        ),
      runTarget: () => ({ command: 'false', args: [] }),
    };
    const { document } = await init({ workspace, dryRun: false, json: false });
    expect(document.survey.slice(-2)).toEqual(['Next:', `  ${next}`]);
  });
});
