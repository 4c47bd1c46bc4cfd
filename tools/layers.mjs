// Writes each folder's tsconfig.json and project.json from layers.json, the one list of who may import whom.
// A folder that imports one it does not reference does not compile.
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';

const layers = JSON.parse(readFileSync(new URL('./layers.json', import.meta.url), 'utf8'));
const json = (value) => format(JSON.stringify(value), { parser: 'json', printWidth: 140 });

for (const [name, lower] of Object.entries(layers)) {
  const folder = new URL(`../packages/${name}/`, import.meta.url);
  writeFileSync(
    new URL('tsconfig.json', folder),
    await json({
      extends: '../../tsconfig.base.json',
      compilerOptions: { rootDir: '..', outDir: '../../dist' },
      include: ['**/*.ts'],
      exclude: ['**/*.spec.ts'],
      references: lower.map((other) => ({ path: `../${other}` })),
    }),
  );
  writeFileSync(
    new URL('project.json', folder),
    await json({
      $schema: '../../node_modules/nx/schemas/project-schema.json',
      name,
      projectType: 'library',
      sourceRoot: `packages/${name}`,
    }),
  );
}
const folders = Object.keys(layers);
writeFileSync(
  new URL('../packages/tsconfig.spec.json', import.meta.url),
  await json({
    extends: '../tsconfig.base.json',
    compilerOptions: { rootDir: '.', outDir: '../dist', types: ['node', 'jest'], tsBuildInfoFile: '../dist/spec.tsbuildinfo' },
    include: ['**/*.spec.ts'],
    references: folders.map((name) => ({ path: `./${name}` })),
  }),
);
writeFileSync(
  new URL('../tsconfig.json', import.meta.url),
  await json({
    files: [],
    references: [
      ...folders.map((name) => ({ path: `./packages/${name}` })),
      { path: './packages/tsconfig.spec.json' },
      { path: './cluster' },
      { path: './cluster/tsconfig.spec.json' },
      { path: './e2e' },
      { path: './bench' },
    ],
  }),
);
