import type { SyncChange } from '../model';
import type { PartForm } from './frames';
import { isPlain } from './ledger';

/** Changes that go over the wire together and are acknowledged together. */
export interface Group {
  readonly form: PartForm;
  readonly changes: readonly SyncChange[];
}

interface Limits {
  readonly changes: number;
  readonly bytes: number;
}

const nodeLimits: Limits = { changes: 256, bytes: 512 * 1024 };
// An archive costs a few processes, an operation by itself two or three each; names are read byte by byte by a shell.
const archiveLimits: Limits = { changes: 2000, bytes: 4 * 1024 * 1024 };
const singleLimits: Limits = { changes: 32, bytes: 1024 * 1024 };
const fewest = { archive: 10, removals: 5 };
/** What goes into an archive is held in memory. */
const archivedFileBytes = 1024 * 1024;

export interface Grouping {
  readonly agent: 'node' | 'sh';
  /** Directories to be emptied when they are made. */
  readonly halfDone: ReadonlySet<string>;
  /** Paths that take others with them when they fail again. */
  readonly refused: ReadonlySet<string>;
}

/** A batch in the groups that suit an agent; in each a directory comes before what is in it, as it does in the batch. */
export function groupChanges(changes: readonly SyncChange[], { agent, halfDone, refused }: Grouping): Group[] {
  if (agent === 'node') return split('o', changes, nodeLimits);
  const fresh = changes.filter(({ path }) => !refused.has(path));
  const removals = fresh.filter(({ path, after }) => after === undefined && isPlain(path));
  const archived = fresh.filter((change) => isArchivable(change) && !(change.after?.kind === 'dir' && halfDone.has(change.path)));
  const together = new Set([
    ...(removals.length >= fewest.removals ? removals : []),
    ...(archived.length >= fewest.archive ? archived : []),
  ]);
  const single = changes.filter((change) => !together.has(change));
  // A directory that must be emptied first comes before an archive puts files into it.
  const emptied = single.filter(({ path, after }) => after?.kind === 'dir' && halfDone.has(path));
  return [
    ...(removals.length >= fewest.removals ? split('r', removals, archiveLimits) : []),
    ...split('o', emptied, singleLimits),
    ...(archived.length >= fewest.archive ? byMode(archived).flatMap((each) => split('t', each, archiveLimits)) : []),
    ...split(
      'o',
      single.filter((change) => !emptied.includes(change)),
      singleLimits,
    ),
  ];
}

function isArchivable({ path, after, write }: SyncChange): boolean {
  // What an archive brings is seen while it grows.
  return write !== 'atomic' && after !== undefined && isPlain(path) && (after.kind !== 'file' || after.size <= archivedFileBytes);
}

/** Files of one mode together, so that those that exist can be given it at once; directories and links come first, in their order. */
function byMode(changes: readonly SyncChange[]): readonly (readonly SyncChange[])[] {
  const modeOf = ({ after }: SyncChange): number | undefined => (after?.kind === 'file' ? after.mode : undefined);
  const [first, ...others] = new Set(changes.flatMap((change) => modeOf(change) ?? []));
  const isFirst = (change: SyncChange): boolean => modeOf(change) === undefined || modeOf(change) === first;
  return [changes.filter(isFirst), ...others.map((mode) => changes.filter((change) => modeOf(change) === mode))];
}

function split(form: PartForm, changes: readonly SyncChange[], limits: Limits): Group[] {
  const groups: { readonly form: PartForm; readonly changes: SyncChange[]; bytes: number }[] = [];
  for (const change of changes) {
    const bytes = change.after?.kind === 'file' ? change.after.size : 0;
    const last = groups.at(-1);
    if (!last || last.changes.length >= limits.changes || last.bytes + bytes > limits.bytes)
      groups.push({ form, changes: [change], bytes });
    else {
      last.changes.push(change);
      last.bytes += bytes;
    }
  }
  return groups;
}
