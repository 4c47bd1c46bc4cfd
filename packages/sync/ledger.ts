import { emptyDir, fileEntry, linkEntry, type ContainerPath, type Entry } from '../model';

/**
 * What was done to a path, as frames and ledgers write it: a file, a link, a directory (which keeps what is in it), a directory
 * that is emptied, a removal.
 */
export type ChangeKind = 'f' | 'l' | 'd' | 'e' | '-';

export type LedgerEntry = readonly [ContainerPath, Entry | undefined | null];

/**
 * What an agent wrote, kept in the container's own file system: a text of lines, each `field TAB field … TAB .`, so that a line
 * cut off by a kill is known by its missing end. Before a path is touched its intention is appended (`?`), afterwards its
 * record (`=`). Agents append and return these lines; only this file knows what they mean.
 */
export interface Ledger {
  /** What each path was left with, parents first: an entry, undefined (removed) or null (a write that was never acknowledged). */
  readonly entries: readonly LedgerEntry[];
  /** Uncertain paths where a directory may stand with something left in it: making one there must empty it. */
  readonly halfDone: ReadonlySet<ContainerPath>;
  /** What was brought below directories that are uncertain now: it may still be there. */
  readonly perhaps: readonly ContainerPath[];
}

const lineEnd = '\t.';

/**
 * What an agent writes behind the lines of another container: one that was started again in the same place, with the ledger on a volume that outlived it, or one that
 * was taken for the one before it. What those lines tell of may be there, or be gone with that container.
 */
export const ledgerOfAnother = `slipway-another${lineEnd}`;

/** The first line: a container that was restarted in place has another id. */
export function ledgerHeader(containerId: string): string {
  return `slipway-ledger\t1\t${escaped(containerId)}${lineEnd}`;
}

/** Says that a path is about to be touched. */
export function intentionLine(kind: ChangeKind, path: ContainerPath): string {
  return `?\t${kind}\t${escaped(path)}${lineEnd}`;
}

/** Says what a path holds from now on. */
export function recordLine(kind: ChangeKind, path: ContainerPath, entry: Entry | undefined): string {
  const about =
    entry?.kind === 'file'
      ? `${entry.mode.toString(8)}\t${entry.size}\t${entry.digest}\t`
      : entry?.kind === 'link'
        ? `${escaped(entry.target)}\t`
        : '';
  return `=\t${kind}\t${about}${escaped(path)}${lineEnd}`;
}

/** Whether a path stands in the ledger as it is, so that an agent can take it from there. */
export function isPlain(path: ContainerPath): boolean {
  return escaped(path) === path;
}

interface State {
  /** The line that spoke of it last, by number. */
  readonly at: number;
  /** The last line after which nothing that was known below it still counts; -1 when there is none. */
  readonly clearedAt: number;
  readonly kind: ChangeKind;
  readonly entry: Entry | undefined | null;
}

/** What the lines come to. A line that is cut off, or not ours, counts for nothing. */
export function replayLedger(lines: readonly string[]): Ledger {
  const states = new Map<ContainerPath, State>();
  for (const [at, line] of lines.entries()) {
    if (line === ledgerOfAnother) forgetCertainty(states);
    const read = readLine(line);
    if (!read) continue;
    // A directory that is made where there is one already keeps what is in it; everything else ends what was below.
    states.set(read.path, { ...read, at, clearedAt: read.kind === 'd' ? (states.get(read.path)?.clearedAt ?? -1) : at });
  }
  const standing = [...states]
    .filter(([path, state]) => !above(path, states).some((each) => endsBelow(each, state)))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const isStanding = new Set(standing.map(([path]) => path));
  const perhaps = [...states]
    .filter(([path, state]) => !isStanding.has(path) && state.entry !== undefined)
    .filter(([path, state]) => !above(path, states).some((each) => each.entry !== null && each.clearedAt > state.at))
    .map(([path]) => path);
  // What was begun below a directory may stand there, though nothing is said of it.
  const begun = new Set([...states.keys()].flatMap((path) => above(path, states)));
  return {
    entries: standing.map(([path, { entry }]) => [path, entry] as const),
    halfDone: new Set(
      standing.filter(([, state]) => state.entry === null && (state.kind !== 'd' || begun.has(state))).map(([path]) => path),
    ),
    perhaps,
  };
}

/** What was brought may be there; what was removed may be there again, as the image has it; a directory with something in it is there if that is. */
function forgetCertainty(states: Map<ContainerPath, State>): void {
  const inhabited = new Set([...states].flatMap(([path, { entry }]) => (entry === undefined ? [] : above(path, states))));
  for (const [path, state] of [...states]) {
    if (state.entry === undefined || (state.entry?.kind === 'dir' && inhabited.has(state))) states.delete(path);
    else states.set(path, { ...state, entry: null });
  }
}

/** The same ledger in as few lines as it needs. */
export function compactedLedger(header: string, { entries, halfDone, perhaps }: Ledger): string {
  const begun = perhaps.map((path) => intentionLine('f', path));
  const lines = entries.map(([path, entry]) => {
    if (entry === null) return intentionLine(halfDone.has(path) ? '-' : 'd', path);
    return recordLine(entry === undefined ? '-' : entry.kind === 'file' ? 'f' : entry.kind === 'link' ? 'l' : 'd', path, entry);
  });
  return [header, ...begun, ...lines, ''].join('\n');
}

/** What was said of the directories above a path. */
function above(path: ContainerPath, states: ReadonlyMap<ContainerPath, State>): State[] {
  const found: State[] = [];
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const state = states.get(path.slice(0, slash));
    if (state) found.push(state);
  }
  return found;
}

/** Whether what was said of something below a directory counts no more: it was cleared since, or nobody knows what it is. */
function endsBelow(directory: State, below: State): boolean {
  return directory.entry === null || directory.clearedAt > below.at;
}

function readLine(
  line: string,
): { readonly path: ContainerPath; readonly kind: ChangeKind; readonly entry: Entry | undefined | null } | undefined {
  if (!line.endsWith(lineEnd)) return undefined;
  const [sort, kind, ...about] = line.slice(0, -lineEnd.length).split('\t').map(unescaped);
  const path = about.pop();
  if (path?.startsWith('/') !== true) return undefined;
  if (kind !== 'f' && kind !== 'l' && kind !== 'd' && kind !== 'e' && kind !== '-') return undefined;
  if (sort === '?' && about.length === 0) return { path, kind, entry: null };
  if (sort !== '=') return undefined;
  if (kind === '-' && about.length === 0) return { path, kind, entry: undefined };
  if ((kind === 'd' || kind === 'e') && about.length === 0) return { path, kind, entry: emptyDir };
  const [first, size, digest] = about;
  if (kind === 'l' && first !== undefined && about.length === 1) return { path, kind, entry: linkEntry(first) };
  if (kind !== 'f' || first === undefined || size === undefined || digest === undefined || about.length > 3) return undefined;
  return { path, kind, entry: fileEntry({ mode: parseInt(first, 8), size: Number(size), digest }) };
}

function escaped(text: string): string {
  return text.replace(/[%\p{Cc}]/gu, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}
