import fc from 'fast-check';
import { emptyDir, fileEntry, withEntries, type DirEntry, type Entry } from '../model';
import { select, type Selector } from './select';

const names = ['a', 'b.md', 'c', 'd/e', 'd/f.md', 'd/g/h', 'd/g/i.md'];
const file = (digest: string): Entry => fileEntry({ digest, size: 1, mode: 0o644 });
/** What is saved at one of the paths; nothing: it is removed. */
const save = fc.tuple(fc.constantFrom(...names), fc.option(fc.constantFrom('1', '2'), { nil: undefined }));

/** Takes what is not Markdown; of directories only those that hold something of it. */
const withoutMarkdown = (mode?: number): Selector => ({
  path: '',
  accepts: (path, kind) => kind === 'file' && !path.endsWith('.md'),
  ...(mode !== undefined && { mode }),
});

describe('what a selector takes of a tree', () => {
  it.each([undefined, 0o755])('is the same whether or not it has seen the trees before (mode %p)', (mode) => {
    fc.assert(
      fc.property(fc.array(fc.array(save, { minLength: 1, maxLength: 3 }), { maxLength: 8 }), (histories) => {
        const lasting = withoutMarkdown(mode);
        let tree: DirEntry = emptyDir;
        for (const saves of histories) {
          tree = withEntries(
            tree,
            saves.map(([path, digest]) => [path, digest === undefined ? undefined : file(digest)]),
          );
          expect(select(tree, lasting)).toEqual(select(tree, withoutMarkdown(mode)));
        }
      }),
      { numRuns: 300 },
    );
  });
});
