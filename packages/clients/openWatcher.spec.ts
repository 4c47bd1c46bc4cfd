import { mkdirSync, mkdtempSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchDirectories, watchTrees } from './openWatcher';
import type { OpenWatcher, Watcher } from './watcher';

interface Watched {
  readonly root: string;
  readonly watcher: Watcher;
  /** Resolves when a hint about a directory, and a name in it, has come. */
  readonly hinted: (directory: string, name?: string) => Promise<void>;
  readonly hints: readonly string[];
}

const opened: { readonly watcher: Watcher; readonly root: string }[] = [];
afterEach(async () => {
  for (const { watcher, root } of opened.splice(0)) {
    await watcher.close();
    rmSync(root, { recursive: true });
  }
});

function open(openWatcher: OpenWatcher): Watched {
  const root = mkdtempSync(join(tmpdir(), 'watched-'));
  const hints: string[] = [];
  const waiting: { readonly wanted: string; readonly resolve: () => void }[] = [];
  const watcher = openWatcher({
    onHint(directory, name) {
      const hint = join(directory, name ?? '');
      hints.push(hint);
      for (const wait of waiting) if (wait.wanted === hint) wait.resolve();
    },
    onUnwatchable: (directory, message) => {
      throw new Error(`${directory}: ${message}`);
    },
  });
  opened.push({ watcher, root });
  return {
    root,
    watcher,
    hints,
    hinted: (directory, name = '') =>
      new Promise((resolve) => {
        waiting.push({ wanted: join(directory, name), resolve });
      }),
  };
}

describe.each<[string, OpenWatcher]>([
  ['one watch per directory', watchDirectories],
  ['one watch per tree', watchTrees],
])('%s', (_name, openWatcher) => {
  it('hints at a file that is written, and at one that is removed', async () => {
    const { root, watcher, hinted } = open(openWatcher);
    watcher.add([root]);
    const written = hinted(root, 'a');
    writeFileSync(join(root, 'a'), 'x');
    await written;
    const removed = hinted(root, 'a');
    rmSync(join(root, 'a'));
    await removed;
  });

  it('hints at directories that were added, not at others below them', async () => {
    const { root, watcher, hinted, hints } = open(openWatcher);
    const [wanted, other] = [join(root, 'wanted'), join(root, 'other')];
    mkdirSync(wanted);
    mkdirSync(other);
    watcher.add([root, wanted]);
    writeFileSync(join(other, 'b'), 'x');
    const seen = hinted(wanted, 'a');
    writeFileSync(join(wanted, 'a'), 'x');
    await seen;
    expect(hints).not.toContain(join(other, 'b'));
  });

  it('goes on with a directory that is added again', async () => {
    const { root, watcher, hinted } = open(openWatcher);
    watcher.add([root]);
    watcher.add([root]);
    const seen = hinted(root, 'a');
    writeFileSync(join(root, 'a'), 'x');
    await seen;
  });

  it('hints at nothing in a directory that is removed from it', async () => {
    const { root, watcher, hinted, hints } = open(openWatcher);
    const [kept, left] = [join(root, 'kept'), join(root, 'left')];
    mkdirSync(kept);
    mkdirSync(left);
    watcher.add([kept, left]);
    watcher.remove(left);
    writeFileSync(join(left, 'a'), 'x');
    const seen = hinted(kept, 'a');
    writeFileSync(join(kept, 'a'), 'x');
    await seen;
    expect(hints).not.toContain(join(left, 'a'));
  });
});

describe('one watch per directory', () => {
  it('sees at once what happens in a directory that was replaced by another of the same name and added again', async () => {
    const { root, watcher, hinted } = open(watchDirectories);
    const directory = join(root, 'd');
    mkdirSync(directory);
    watcher.add([directory]);
    rmdirSync(directory);
    mkdirSync(directory);
    watcher.add([directory]);
    const seen = hinted(directory, 'a');
    writeFileSync(join(directory, 'a'), 'x');
    await seen;
  });

  it('goes over by itself to a directory that took the place of another', async () => {
    const { root, watcher, hinted } = open(watchDirectories);
    const directory = join(root, 'd');
    mkdirSync(directory);
    watcher.add([directory]);
    const moved = hinted(directory, 'd');
    renameSync(directory, join(root, 'elsewhere'));
    mkdirSync(directory);
    await moved;
    const seen = hinted(directory, 'a');
    writeFileSync(join(directory, 'a'), 'x');
    await seen;
  });

  it('hints at a directory that is not there, so that somebody looks again', async () => {
    const { root, watcher, hinted } = open(watchDirectories);
    const seen = hinted(join(root, 'gone'));
    watcher.add([join(root, 'gone')]);
    await seen;
  });
});
