import { emptyDir, fileEntry, type SyncChange } from '../model';
import { groupChanges, type Grouping } from './batches';

const digest = '00'.repeat(32);
const file = (path: string, size = 2000): SyncChange => ({ path, source: path.slice(1), after: fileEntry({ digest, size, mode: 0o644 }) });
const files = (count: number, at = '/app'): SyncChange[] => Array.from({ length: count }, (_, index) => file(`${at}/${index}`));
const removals = (count: number): SyncChange[] =>
  Array.from({ length: count }, (_, index) => ({ path: `/old/${index}`, after: undefined }));
const executable = ({ path }: SyncChange): SyncChange => ({
  path,
  source: path.slice(1),
  after: fileEntry({ digest, size: 1, mode: 0o755 }),
});
const none: ReadonlySet<string> = new Set();
const shape = (changes: readonly SyncChange[], agent: 'node' | 'sh', before: Partial<Grouping> = {}): string[] =>
  groupChanges(changes, { agent, halfDone: none, refused: none, ...before }).map((group) => `${group.form}${group.changes.length}`);

describe('a batch', () => {
  it.each<[string, readonly SyncChange[], 'node' | 'sh', readonly string[]]>([
    ['of one file goes by itself', files(1), 'sh', ['o1']],
    ['of a few goes one by one', [...files(9), ...removals(4)], 'sh', ['o13']],
    ['of many files goes to a shell as archives', files(2500), 'sh', ['t2000', 't500']],
    ['of many files goes to Node in small parts', files(300), 'node', ['o256', 'o44']],
    ['is split by its bytes', files(3).map(({ path }) => file(path, 400_000)), 'node', ['o1', 'o1', 'o1']],
    ['with many removals removes first', [...files(20), ...removals(200)], 'sh', ['r200', 't20']],
    ['sends a large file apart from the archive', [...files(20), file('/app/large', 5_000_000)], 'sh', ['t20', 'o1']],
    ['sends names that no list of lines can hold apart from the archive', [...files(20), file('/app/a\nb')], 'sh', ['t20', 'o1']],
    [
      'of files of several modes goes as an archive of each',
      [...files(12), ...files(3, '/bin').map(executable), { path: '/app/d', after: emptyDir }],
      'sh',
      ['t13', 't3'],
    ],
    ['of nothing is nothing', [], 'sh', []],
  ])('%s', (_, changes, agent, expected) => {
    expect(shape(changes, agent)).toEqual(expected);
  });

  it('sends what was refused before apart from the others, so that it fails alone', () => {
    const refused = new Set(['/app/3', '/old/1']);
    expect(shape([...files(20), ...removals(20)], 'sh', { refused })).toEqual(['r19', 't19', 'o2']);
  });

  it('empties a directory that may be half done before an archive fills it', () => {
    const changes = [{ path: '/app/d', after: emptyDir }, ...files(20, '/app/d')];
    expect(shape(changes, 'sh', { halfDone: new Set(['/app/d']) })).toEqual(['o1', 't20']);
    expect(shape(changes, 'sh')).toEqual(['t21']);
  });
});
