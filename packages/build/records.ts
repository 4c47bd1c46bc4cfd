import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentDigest, dirEntry, fileEntry, linkEntry, type DirEntry, type Entry, type Snapshot } from '../model';

/** How many are kept: a container is synced only while the record of its image is here. */
const keptRecords = 200;

/**
 * Remembers what an image was made from. What cannot be written is not remembered, and only costs a build: so there is nothing to fail.
 * A reader sees the whole record or none.
 */
export function writeImageRecord(cacheDir: string, snapshot: Snapshot): void {
  const { inputsHash, rebuildHash, layoutHash, sources, tree, imageTree } = snapshot;
  const stored: StoredRecord = {
    inputsHash,
    rebuildHash,
    layoutHash,
    sources: storedOf(sources),
    tree: storedOf(tree),
    ...(imageTree && { imageTree: storedOf(imageTree) }),
  };
  const text = JSON.stringify(stored);
  const path = pathOf(cacheDir, inputsHash);
  const content = `${contentDigest(text)}\n${text}`;
  if (isKept(path, content)) return;
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(cacheDir, { recursive: true });
    writeFileSync(unfinished, content);
    renameSync(unfinished, path);
    prune(cacheDir);
  } catch {
    discard(unfinished);
  }
}

/** Whether a file is there that says the same; then it counts as used now. */
function isKept(path: string, content: string): boolean {
  try {
    if (readFileSync(path, 'utf8') !== content) return false;
    const now = new Date();
    utimesSync(path, now, now);
    return true;
  } catch {
    return false;
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was never there.
  }
}

/** What an image was made from, if this machine remembers. A damaged record is as good as none. */
export function readImageRecord(cacheDir: string, inputsHash: string): Snapshot | undefined {
  const path = pathOf(cacheDir, inputsHash);
  try {
    const content = readFileSync(path, 'utf8');
    const end = content.indexOf('\n');
    const text = content.slice(end + 1);
    if (content.slice(0, end) !== contentDigest(text)) return undefined;
    // The digest says that these are the bytes that were written, so they are of this shape.
    const { sources, tree, imageTree, ...hashes } = JSON.parse(text) as StoredRecord;
    if (hashes.inputsHash !== inputsHash) return undefined;
    const now = new Date();
    utimesSync(path, now, now);
    return { ...hashes, sources: dirOf(sources), tree: dirOf(tree), ...(imageTree && { imageTree: dirOf(imageTree) }) };
  } catch {
    return undefined;
  }
}

/** A file is an array of three, a link a string, a directory an array of pairs: names such as `__proto__` are no keys. */
type StoredEntry = readonly [digest: string, size: number, mode: number] | string | StoredDir;
interface StoredDir {
  readonly dir: readonly (readonly [name: string, entry: StoredEntry])[];
}

interface StoredRecord {
  readonly inputsHash: string;
  readonly rebuildHash: string;
  readonly layoutHash: string;
  readonly sources: StoredDir;
  readonly tree: StoredDir;
  readonly imageTree?: StoredDir;
}

function storedOf({ entries }: DirEntry): StoredDir {
  return { dir: [...entries].map(([name, entry]) => [name, storedEntry(entry)]) };
}

function storedEntry(entry: Entry): StoredEntry {
  switch (entry.kind) {
    case 'file':
      return [entry.digest, entry.size, entry.mode];
    case 'link':
      return entry.target;
    case 'dir':
      return storedOf(entry);
  }
}

function dirOf({ dir }: StoredDir): DirEntry {
  return dirEntry(new Map(dir.map(([name, stored]) => [name, entryOf(stored)])));
}

function entryOf(stored: StoredEntry): Entry {
  if (typeof stored === 'string') return linkEntry(stored);
  if ('dir' in stored) return dirOf(stored);
  const [digest, size, mode] = stored;
  return fileEntry({ digest, size, mode });
}

/** A hash may hold signs that no file name may. */
function pathOf(cacheDir: string, inputsHash: string): string {
  return join(cacheDir, `${contentDigest(inputsHash).slice(0, 40)}.json`);
}

/** Those that were longest not asked for go. */
function prune(cacheDir: string): void {
  const names = readdirSync(cacheDir).filter((name) => name.endsWith('.json'));
  if (names.length <= keptRecords) return;
  const usedAt = new Map(names.map((name) => [name, statSync(join(cacheDir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  names.sort((one, other) => (usedAt.get(other) ?? 0) - (usedAt.get(one) ?? 0));
  for (const name of names.slice(keptRecords)) rmSync(join(cacheDir, name), { force: true });
}
