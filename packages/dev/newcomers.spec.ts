import { newcomers } from './newcomers';

const { accepts } = newcomers({ roots: new Set(['tools', 'apps/api']), ignored: 'dist\n/tmp/\n!dist/kept\n' });

it.each<readonly ['file' | 'dir', string, boolean]>([
  ['dir', 'services', true],
  ['dir', 'services/api', true],
  ['dir', 'services/api/src', false],
  ['file', 'services/package.json', true],
  ['file', 'services/api/project.json', true],
  ['file', 'services/api/src/package.json', false],
  ['file', 'services/api/main.ts', false],
  ['file', 'README.md', false],
  // The root's own is named for its own sake.
  ['file', 'package.json', false],
  ['dir', 'node_modules', false],
  ['dir', 'services/node_modules', false],
  ['file', 'node_modules/x/package.json', false],
  ['dir', '.cache', false],
  ['dir', 'dist', false],
  ['file', 'dist/api/package.json', false],
  ['dir', 'tmp', false],
  // A project says itself what of it counts.
  ['dir', 'tools', false],
  ['file', 'tools/inner/package.json', false],
  ['dir', 'apps/api', false],
  ['dir', 'apps/web', true],
])('of new projects a %s at %s tells: %s', (kind, path, tells) => {
  expect(accepts?.(path, kind)).toBe(tells);
});
