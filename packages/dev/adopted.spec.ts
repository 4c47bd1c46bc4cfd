import { contentDigest, emptyDir, fileEntry, linkEntry, withEntries, type Entry } from '../model';
import { adopted, withDirectories } from './adopted';

const file = (text: string, mode = 0o644): Entry => fileEntry({ digest: contentDigest(text), size: text.length, mode });
const unknown = null;

interface Case {
  readonly what: string;
  readonly wanted: Readonly<Record<string, Entry>>;
  readonly brought?: Readonly<Record<string, Entry | undefined | null>>;
  readonly found: Readonly<Record<string, Entry | undefined>>;
  readonly held: Readonly<Record<string, Entry | undefined | null>>;
}

describe('what is known of a container that somebody else made', () => {
  it.each<Case>([
    {
      what: 'is what was found',
      wanted: { '/www/a': file('a'), '/www/d/b': file('b') },
      found: { '/www/a': file('other'), '/www/d': emptyDir, '/www/d/b': file('b') },
      held: { '/www/a': file('other'), '/www/d': emptyDir, '/www/d/b': file('b') },
    },
    {
      what: 'has the mode that was found',
      wanted: { '/www/a': file('a', 0o600) },
      found: { '/www/a': file('a', 0o644) },
      held: { '/www/a': file('a', 0o644) },
    },
    {
      what: 'has the mode that was brought, where another had to stay',
      wanted: { '/www/a': file('a', 0o600) },
      brought: { '/www/a': file('a', 0o600) },
      found: { '/www/a': file('a', 0o644) },
      held: { '/www/a': file('a', 0o600) },
    },
    {
      what: 'is nothing below a link that was brought, wherever it leads',
      wanted: { '/www/d/b': file('b') },
      brought: { '/www/d': linkEntry('e'), '/www/d/old': file('old') },
      found: { '/www/d': linkEntry('e'), '/www/d/b': file('b'), '/www/d/old': file('of e') },
      held: { '/www/d': linkEntry('e') },
    },
    {
      what: 'is what a link of theirs leads to',
      wanted: { '/www/d/b': file('b') },
      found: { '/www/d': linkEntry('e'), '/www/d/b': file('b') },
      held: { '/www/d': emptyDir, '/www/d/b': file('b') },
    },
    {
      what: 'is nothing below what could not be looked at',
      wanted: { '/www/d\n/b': file('b') },
      found: {},
      held: { '/www/d\n': unknown },
    },
  ])('$what', ({ wanted, brought = {}, found, held }) => {
    const paths = withDirectories([...Object.keys(wanted), ...Object.keys(brought)], ['/www']);
    const tree = withEntries(emptyDir, Object.entries(wanted));
    const about = { wanted: tree, brought: new Map(Object.entries(brought)), found: new Map(Object.entries(found)) };
    expect(Object.fromEntries(adopted(paths, about))).toEqual(held);
  });
});
