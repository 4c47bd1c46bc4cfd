// Copies what the compiler leaves out, such as schema.json files, from packages/ into dist/.
import { cpSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const packages = fileURLToPath(new URL('../packages/', import.meta.url));
const dist = fileURLToPath(new URL('../dist/', import.meta.url));

// What describes the folder as a part of this workspace is not part of what it makes.
const ofTheWorkspace = new Set(['project.json', 'tsconfig.json', 'tsconfig.spec.json', 'README.md']);

for (const entry of readdirSync(packages, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name.endsWith('.ts') || ofTheWorkspace.has(entry.name)) continue;
  const file = join(entry.parentPath, entry.name);
  cpSync(file, join(dist, file.slice(packages.length)));
}
