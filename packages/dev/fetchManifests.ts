import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fetchedPath, type NotFetched } from '../graph';
import { messageOf } from '../model';

const patienceMs = 20_000;
/** More than any list of manifests has, less than hurts. */
const largestBytes = 16 * 1024 * 1024;

/** A `dev` that reads its workspace again goes on with what it has. */
const fetched = new Set<string>();

/** Brings what is behind URLs to where the workspace is read from, all at once; says why of those that cannot be had. Once a process. */
export async function fetchManifests(urls: readonly string[], root: string): Promise<NotFetched> {
  const tried = await Promise.all(
    [...new Set(urls)].map(async (url) => {
      const file = join(root, fetchedPath(url));
      if (fetched.has(file)) return [];
      try {
        await keep(file, await textBehind(url));
        fetched.add(file);
        return [];
      } catch (error) {
        // What was there before may be another thing than what is there now.
        await rm(file, { force: true });
        return [[url, reasonOf(error)] as const];
      }
    }),
  );
  return new Map(tried.flat());
}

async function textBehind(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
  if (!answer.ok) throw new Error(`the answer is ${answer.status} ${answer.statusText}`.trim());
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > largestBytes) throw new Error(`it is larger than ${largestBytes / 1024 / 1024} MB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function keep(file: string, text: string): Promise<void> {
  // A watcher need not wake up for what is the same.
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** `fetch` hides what happened behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { name, cause } = Object(error) as { readonly name?: unknown; readonly cause?: unknown };
  return name === 'TimeoutError' ? `it did not come within ${patienceMs / 1000} s` : messageOf(cause ?? error);
}
