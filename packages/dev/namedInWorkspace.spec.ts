import { contentDigest, emptyDir, fileEntry, withEntries } from '../model';
import { namedInWorkspace } from './namedInWorkspace';

const file = fileEntry({ digest: contentDigest(''), size: 0, mode: 0o644 });
const files = withEntries(
  emptyDir,
  ['src/main.go', 'src/price/price.go', 'src/tax/tax.go', 'src/a/util.go', 'src/b/util.go'].map((path) => [path, file] as const),
);
const sourceOf = (path: string) => (path.startsWith('/src/') ? `apps/pricing/${path.slice('/src/'.length)}` : undefined);

it.each([
  [
    '# pricing\n./main.go:12:2: undefined: x',
    '# pricing\napps/pricing/main.go:12:2: undefined: x',
    { file: 'apps/pricing/main.go', line: 12, column: 2 },
  ],
  ['price/price.go:3: wrong', 'apps/pricing/price/price.go:3: wrong', { file: 'apps/pricing/price/price.go', line: 3 }],
  ['/src/tax/tax.go(3,5): wrong', 'apps/pricing/tax/tax.go(3,5): wrong', { file: 'apps/pricing/tax/tax.go', line: 3, column: 5 }],
  ['/usr/lib/go/fmt.go:3:1: wrong', '/usr/lib/go/fmt.go:3:1: wrong', undefined],
  // Two files end so.
  ['util.go:1:1: wrong', 'util.go:1:1: wrong', undefined],
])('%j is told with the paths of the workspace', (output, text, location) => {
  expect(namedInWorkspace(output, { files, sourceOf })).toEqual({ text, location });
});
