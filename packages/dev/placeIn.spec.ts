import { placeIn } from './placeIn';

const files = new Set(['apps/api/src/main.ts', 'libs/catalog/src/index.ts', 'apps/pricing/main.go']);
const place = (...lines: string[]) =>
  placeIn(lines, { root: '/w', folders: ['', 'apps/api', 'apps/pricing'], isFile: (path) => files.has(path) });

it.each([
  ['esbuild', '    apps/api/src/main.ts:10:9:', 'apps/api/src/main.ts', 10, 9],
  ['tsc in the folder of its project', 'src/main.ts(3,5): error TS2322: Type', 'apps/api/src/main.ts', 3, 5],
  ['tsc with colours', '\u001b[96msrc/main.ts\u001b[0m:\u001b[93m3\u001b[0m:\u001b[93m5\u001b[0m - error', 'apps/api/src/main.ts', 3, 5],
  ['an absolute path', 'ERROR in /w/libs/catalog/src/index.ts:7', 'libs/catalog/src/index.ts', 7, undefined],
  ['a path that goes up', '../../libs/catalog/src/index.ts:2:1 - error', 'libs/catalog/src/index.ts', 2, 1],
  ['go', './main.go:12:2: undefined: x', 'apps/pricing/main.go', 12, 2],
])('finds the place that %s names', (_tool, text, file, line, column) => {
  expect(place('something else', text)).toEqual({ file, line, ...(column !== undefined && { column }) });
});

it('finds none in what is no file of the workspace', () => {
  expect(place('at Object.<anonymous> (/usr/lib/node.js:3:5)', 'http://localhost:3000', 'took 3.2s at 10:30:12')).toBeUndefined();
});
