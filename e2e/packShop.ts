import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(__dirname, '..', '..');
const made = new Set(['node_modules', '.nx', '.slipway', 'dist', 'package-lock.json']);

/** Once a run: the package as it would be published, by itself and installed into a copy of examples/shop as a user would. */
export default function packShop(): void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-e2e-')));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const shop = join(folder, 'shop');
  // The compiler alone leaves the program as it was bundled before.
  execFileSync(process.execPath, [join(root, 'tools', 'program.mjs')]);
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], root)) as readonly [{ readonly filename: string }];
  process.env['SLIPWAY_E2E_PACKAGE'] = join(folder, packed.filename);
  cpSync(join(root, 'examples', 'shop'), shop, { recursive: true, filter: (path) => !made.has(basename(path)) });
  npm(['install', '--no-audit', '--no-fund', '--save-dev', join(folder, packed.filename)], shop);
  process.env['SLIPWAY_E2E_SHOP'] = shop;
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', [...args, '--silent'], { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
}
