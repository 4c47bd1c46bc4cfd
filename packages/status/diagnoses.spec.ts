import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(__dirname, '..', '..', 'packages');

/** Every code of a problem in the sources of a folder. */
function codesIn(folder: string, isPart: (file: string) => boolean): readonly string[] {
  return readdirSync(join(packages, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && isPart(file))
    .flatMap((file) => [...readFileSync(join(packages, folder, file), 'utf8').matchAll(/\bcode: ([^,;\n]*)/g)])
    .flatMap(([, value = '']) => [...value.matchAll(/'([a-zA-Z]+)'/g)].map(([, code = '']) => code));
}

test('DIAGNOSES.md has every code of a deploy that fails, each once and with its next step, and no other', () => {
  const page = readFileSync(join(packages, 'status', 'DIAGNOSES.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-zA-Z]+)` +\| ([^|]+) \| ([^|]+) \|$/gm)];
  const all = () => true;
  const codes = [
    ...codesIn('status', all),
    ...codesIn('deploy', all),
    ...codesIn('plan', (file) => file === 'patience.ts'),
    ...codesIn('clients', (file) => file.startsWith('kube') || file === 'connectKube.ts'),
  ];
  expect(rows.map(([, code]) => code).sort()).toEqual([...new Set(codes)].sort());
  expect(rows.filter(([, , , next = '']) => next.trim() === '')).toEqual([]);
});
