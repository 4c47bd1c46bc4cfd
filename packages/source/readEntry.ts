import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { dirEntry, failed, fileEntry, linkEntry, succeeded, type Entry, type Result, type WorkspacePath } from '../model';
import { hashFile } from './hashFile';
import { unreadableProblem } from './look';
import { paceOf } from './pace';
import { reachOf, type Scope } from './scope';
import { statOf } from './statOf';

/** A file that is being written is read so often before what was read last is taken. */
const attempts = 3;

/**
 * What is at a path now, read at once and whole; undefined when nothing is there. For the outputs of a target that has just ended. It
 * leaves out what a source leaves out whose scope names the path, so that both tell the same. Failure: `fileUnreadable`.
 */
export async function readEntry(root: string, path: WorkspacePath, accepts?: Scope['accepts']): Promise<Result<Entry | undefined>> {
  const reach = reachOf({ paths: [path], ...(accepts && { accepts }) });
  const pace = paceOf(8);
  const read = async (at: WorkspacePath, name: string | undefined, attempt = 1): Promise<Result<Entry | undefined>> => {
    const absolute = join(root, at);
    try {
      const stats = statOf(absolute);
      if (!stats || (name !== undefined && reach.placeOf('inside', at, name, stats.isDirectory() ? 'dir' : 'file') === 'outside'))
        return succeeded(undefined);
      if (stats.isSymbolicLink()) return succeeded(linkEntry(readlinkSync(absolute)));
      if (stats.isFile()) {
        const file = await hashFile(absolute, stats, pace);
        return file.steady || attempt === attempts
          ? succeeded(fileEntry({ ...file, mode: stats.mode }))
          : await read(at, name, attempt + 1);
      }
      if (!stats.isDirectory()) return succeeded(undefined);
      const entries = new Map<string, Entry>();
      for (const child of readdirSync(absolute)) {
        if (pace.due()) await pace.rest();
        const entry = await read(at === '' ? child : `${at}/${child}`, child);
        if (!entry.ok) return entry;
        if (entry.value) entries.set(child, entry.value);
      }
      return succeeded(dirEntry(entries));
    } catch (error) {
      return failed(unreadableProblem(at, error));
    }
  };
  return read(path, undefined);
}
