import { buildOutputs } from './buildOutputs';
import type { PackageJson } from './packageManager';

const tables: { what: string; json: PackageJson; there?: string[]; outputs: string[] }[] = [
  { what: 'dist, where nothing says anything', json: {}, outputs: ['dist'] },
  { what: 'what main says', json: { main: './build/index.js' }, there: ['dist'], outputs: ['build'] },
  {
    what: 'what exports, types and bin say, of any depth',
    json: { exports: { '.': { import: './esm/i.js', require: ['./cjs/i.js'] } }, types: 'dist/i.d.ts', bin: { x: 'out/x.js' } },
    outputs: ['dist', 'out', 'esm', 'cjs'],
  },
  { what: 'what files say, without the sources that are published too', json: { files: ['src', 'dist', 'README.md'] }, outputs: ['dist'] },
  { what: 'no folder of sources, though main is in it', json: { main: 'src/index.js' }, outputs: ['dist'] },
  { what: 'lib where the sources are in src', json: { main: 'lib/index.js' }, there: ['src'], outputs: ['lib'] },
  { what: 'dist where lib may be the sources', json: { main: 'lib/index.js' }, there: ['lib'], outputs: ['dist'] },
  { what: 'what is there, where package.json names nothing', json: {}, there: ['.next', 'src', 'public'], outputs: ['.next'] },
];

it.each(tables)('a build writes $what', ({ json, there = [], outputs }) => {
  expect(buildOutputs(json, new Set(there))).toEqual(outputs);
});
