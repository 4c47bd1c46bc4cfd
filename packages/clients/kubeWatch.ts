import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Problem, type Result, succeeded } from '../model';
import type { KindRef, KubeObject, WatchEvents } from './kube';
import type { KubeHttp } from './kubeHttp';
import { type KubeStatus, problemOfStatus } from './kubeProblem';
import { eachLine } from './lines';

export interface ListedObjects {
  readonly objects: readonly KubeObject[];
  readonly resourceVersion: string;
}

interface ObjectList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
}

export interface ListRequest {
  readonly kind: KindRef;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Only the first so many. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** All objects of a collection, page by page. Items of a list come without their kind; it is put back. */
export async function listObjects(http: KubeHttp, { kind, path, query, limit, signal }: ListRequest): Promise<Result<ListedObjects>> {
  const objects: KubeObject[] = [];
  const page = new URLSearchParams(query);
  page.set('limit', String(limit ?? 500));
  for (;;) {
    const request = { method: 'GET', path: `${path}?${page.toString()}`, subject: `the list of ${kind.kind}` } as const;
    const answer = await http.json(signal ? { ...request, signal } : request);
    if (!answer.ok) return answer;
    const list = answer.value as ObjectList;
    for (const item of list.items ?? []) objects.push({ ...item, apiVersion: kind.apiVersion, kind: kind.kind });
    const next = list.metadata?.continue;
    if (!next || limit !== undefined) return succeeded({ objects, resourceVersion: list.metadata?.resourceVersion ?? '' });
    page.set('continue', next);
  }
}

export interface WatchedCollection {
  readonly kind: KindRef;
  /** Looked up at every try: the kind's definition may come later. */
  readonly path: () => Promise<Result<string>>;
  readonly query: URLSearchParams;
}

/** How a watch connection ended: go on from a version, or list again because the server no longer has the changes since then. */
type WatchEnd = { readonly kind: 'goOn'; readonly problem?: Problem } | { readonly kind: 'listAgain'; readonly problem?: Problem };

const firstDelayMs = 200;
const longestDelayMs = 5_000;
/** A server, or a proxy before it, that closes each watch at once must not be asked in a tight loop. */
const shortestWatchMs = 1_000;
/** Whoever finds in the list what it looks for has stopped by then, and no connection is made for it; the watch tells what has changed since the list. */
const listSufficesMs = 100;
/** The server closes by itself after this long; then the watch goes on from where it was, which costs nothing. */
const watchSeconds = 240;
/** A bookmark comes every minute; a connection that is silent for longer may be dead without anyone having said so. */
const silenceMs = 75_000;

/** Lists, then watches, until stopped. */
export function watchObjects(http: KubeHttp, collection: WatchedCollection, events: WatchEvents): { stop(): void } {
  const stopped = new AbortController();
  void keepWatching(http, collection, events, stopped.signal);
  return { stop: () => stopped.abort() };
}

async function keepWatching(http: KubeHttp, collection: WatchedCollection, events: WatchEvents, signal: AbortSignal): Promise<void> {
  let version: string | undefined;
  let delayMs = firstDelayMs;
  const onVersion = (next: string): void => {
    version = next;
    delayMs = firstDelayMs;
  };
  while (!signal.aborted) {
    const startedAt = performance.now();
    const problem = await watchOnce();
    if (isAborted(signal)) return;
    if (problem) events.onTrouble(problem);
    else if (performance.now() - startedAt > shortestWatchMs) continue;
    // Everything that watches loses its connection at the same moment, and must not come back at the same moment.
    await pause(delayMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
    delayMs = Math.min(delayMs * 2, longestDelayMs);
  }

  async function watchOnce(): Promise<Problem | undefined> {
    const path = await collection.path();
    if (!path.ok) return path.problem;
    let from = version;
    if (from === undefined) {
      const listed = await listObjects(http, { kind: collection.kind, path: path.value, query: collection.query, signal });
      if (!listed.ok) return listed.problem;
      if (signal.aborted) return undefined;
      onVersion((from = listed.value.resourceVersion));
      events.onList(listed.value.objects, listed.value.resourceVersion);
      await pause(listSufficesMs, undefined, { signal }).catch(() => undefined);
      if (isAborted(signal)) return undefined;
    }
    const ended = await followChanges(http, path.value, { collection, version: from, events, onVersion, signal });
    if (ended.kind === 'listAgain') version = undefined;
    return ended.problem;
  }
}

/** Its value changes while something is awaited, which the compiler cannot know. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

interface WatchLine {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject & KubeStatus;
}

interface Following {
  readonly collection: WatchedCollection;
  readonly version: string;
  readonly events: WatchEvents;
  readonly onVersion: (version: string) => void;
  readonly signal: AbortSignal;
}

async function followChanges(http: KubeHttp, path: string, following: Following): Promise<WatchEnd> {
  const { version, events, onVersion, signal } = following;
  const { kind, query } = following.collection;
  const search = new URLSearchParams(query);
  search.set('watch', 'true');
  search.set('allowWatchBookmarks', 'true');
  search.set('resourceVersion', version);
  search.set('timeoutSeconds', String(watchSeconds));
  const subject = `the watch of ${kind.kind}`;
  const answer = await http.stream({ method: 'GET', path: `${path}?${search.toString()}`, subject, signal });
  if (!answer.ok) return isExpired(answer.problem) ? { kind: 'listAgain' } : { kind: 'goOn', problem: answer.problem };
  events.onConnected?.();
  let end: WatchEnd = { kind: 'goOn' };
  await readLines(answer.value, (text) => {
    const line = parsedLine(text);
    // The rest of a line that was cut off: its change comes again with the next connection.
    if (!line || isAborted(signal) || end.kind === 'listAgain') return;
    const { type, object } = line;
    if (type === 'ERROR') {
      const problem = problemOfStatus(object, subject);
      end = isExpired(problem) ? { kind: 'listAgain' } : { kind: 'listAgain', problem };
      answer.value.destroy();
      return;
    }
    onVersion(object.metadata.resourceVersion ?? version);
    if (type === 'ADDED') events.onChange('added', object);
    else if (type === 'MODIFIED') events.onChange('modified', object);
    else if (type === 'DELETED') events.onChange('deleted', object);
  });
  return end;
}

function parsedLine(text: string): WatchLine | undefined {
  try {
    return JSON.parse(text) as WatchLine;
  } catch {
    return undefined;
  }
}

function isExpired(problem: Problem): boolean {
  return problem.code === 'versionExpired';
}

function readLines(answer: IncomingMessage, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const silent = setTimeout(() => answer.destroy(), silenceMs);
    eachLine(answer, (line) => {
      silent.refresh();
      if (line !== '') onLine(line);
    });
    answer.once('close', () => {
      clearTimeout(silent);
      resolve();
    });
  });
}
