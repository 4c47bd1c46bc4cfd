import fc from 'fast-check';
import { contentDigest, dirEntry, fileEntry, linkEntry, type Entry } from '../model';
import { oddNames } from './agentPlace';

export type Tree =
  | { readonly kind: 'dir'; readonly children: Readonly<Record<string, Tree>> }
  | { readonly kind: 'file'; readonly text: string; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string };

/** Trees of few names, so that two of them often have different things under one name. */
export const treeArbitrary = fc.letrec<{ dir: Tree; any: Tree }>((tie) => ({
  dir: fc.record({
    kind: fc.constant('dir'),
    children: fc.dictionary(fc.constantFrom(...oddNames, ...Array.from('cdefghijklmno')), tie('any'), {
      maxKeys: 16,
      noNullPrototype: true,
    }),
  }),
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('file'),
        text: fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => text.repeat(3000)),
        ),
        mode: fc.constantFrom(0o644, 0o755, 0o600),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('link'), target: fc.constantFrom('../b', '/nowhere', ...oddNames) }) },
    { weight: 2, arbitrary: tie('dir') },
  ),
})).dir;

export function entryOf(tree: Tree, path: string, contents: Map<string, Buffer>): Entry {
  switch (tree.kind) {
    case 'file': {
      const bytes = Buffer.from(tree.text);
      contents.set(path, bytes);
      return fileEntry({ digest: contentDigest(bytes), size: bytes.length, mode: tree.mode });
    }
    case 'link':
      return linkEntry(tree.target);
    case 'dir':
      return dirEntry(new Map(Object.entries(tree.children).map(([name, child]) => [name, entryOf(child, `${path}/${name}`, contents)])));
  }
}
