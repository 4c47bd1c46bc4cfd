import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, rmdir, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { announcementsFolder, isOurs } from './announcements';
import { eachLine } from './lines';

/** A line between two processes of one user, for messages as JSON. What is sent to one that has closed is lost. */
export interface Line {
  send(message: object): void;
  /** What came before is told at once. */
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
  /** What was sent is still delivered. */
  close(): void;
}

/** Where those who come later come in. */
export interface Door {
  /** Those that came before are told at once. */
  onVisitor(listener: (line: Line) => void): void;
  /** Nobody comes in any more, and the place is free for the next. The lines stay open. */
  close(): Promise<void>;
}

/** Who comes first to a place has the door, later ones a line to it. `alone`: processes cannot meet here, for the reason that is told. */
export type Seat =
  | { readonly kind: 'first'; readonly door: Door }
  | { readonly kind: 'later'; readonly line: Line }
  | { readonly kind: 'alone'; readonly because: string };

export interface MeetingRequest {
  /** Absolute; it is made where it is missing. */
  readonly folder: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A path of a socket may be 103 bytes long on macOS, 107 on Linux. */
const longestPath = 103;
/** Taking a seat is a matter of milliseconds: who has held the lock for so long was killed. */
const lockLimitMs = 5_000;
const lockRetryMs = 20;

/**
 * Takes a seat: of processes that start at the same time one is the first, and what a killed process has left is in nobody's way. The
 * socket lies in the folder, or, where its path is too long or the file system has no sockets, in a folder of the user's own.
 */
export async function takeSeat({ folder, name, env }: MeetingRequest): Promise<Seat> {
  const id = createHash('sha256').update(join(folder, name)).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return seatAt(`\\\\.\\pipe\\slipway-${name}-${id}`);
  const inFolder = join(folder, `${name}.sock`);
  const first = Buffer.byteLength(inFolder) <= longestPath ? await seatAt(inFolder) : undefined;
  if (first && first.kind !== 'alone') return first;
  const own = announcementsFolder(env);
  if (await isOurs(own)) return seatAt(join(own, `meet-${id}`));
  return first ?? { kind: 'alone', because: `${own} belongs to somebody else` };
}

async function seatAt(path: string): Promise<Seat> {
  for (;;) {
    const there = await called(path);
    if (there !== 'nobody') return there;
    const lock = await locked(path);
    if (lock.state === 'taken') {
      await pause(lockRetryMs);
      continue;
    }
    if (lock.state === 'impossible') return { kind: 'alone', because: lock.because };
    try {
      // Another one may have sat down since.
      const now = await called(path);
      if (now !== 'nobody') return now;
      await unlink(path).catch(() => undefined);
      return await opened(path);
    } finally {
      await lock.unlock();
    }
  }
}

/** A line to who is there. */
async function called(path: string): Promise<'nobody' | Seat> {
  if (process.platform !== 'win32') {
    const stats = await lstat(path).catch(() => undefined);
    if (!stats) return 'nobody';
    if (stats.uid !== process.getuid?.()) return { kind: 'alone', because: `${path} belongs to somebody else` };
  }
  const socket = connect(path);
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('error', resolve);
  });
  if (!problem) return { kind: 'later', line: lineOf(socket) };
  const nobodyListens = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'ENOTSOCK'].includes(problem.code ?? '');
  return nobodyListens ? 'nobody' : { kind: 'alone', because: problem.message };
}

type Lock =
  | { readonly state: 'had'; readonly unlock: () => Promise<void> }
  | { readonly state: 'taken' }
  | { readonly state: 'impossible'; readonly because: string };

async function locked(path: string): Promise<Lock> {
  if (process.platform === 'win32') return { state: 'had', unlock: () => Promise.resolve() };
  const folder = `${path}.lock`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await mkdir(folder);
    return { state: 'had', unlock: () => rmdir(folder).catch(() => undefined) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') return { state: 'impossible', because: message };
    const stats = await stat(folder).catch(() => undefined);
    if (stats && Date.now() - stats.mtimeMs > lockLimitMs) await rmdir(folder).catch(() => undefined);
    return { state: 'taken' };
  }
}

async function opened(path: string): Promise<Seat> {
  const lines: Line[] = [];
  let tell = (line: Line): void => void lines.push(line);
  const server = createServer((socket) => tell(lineOf(socket)));
  const problem = await listening(server, path);
  if (problem) return { kind: 'alone', because: problem.message };
  if (process.platform !== 'win32') await chmod(path, 0o600).catch(() => undefined);
  // A command goes on for other reasons than that somebody might come.
  server.unref();
  return {
    kind: 'first',
    door: {
      onVisitor(listener) {
        tell = listener;
        for (const line of lines.splice(0)) listener(line);
      },
      close: () =>
        new Promise((resolve) => {
          // It waits for the lines too; the socket is gone at once.
          server.close();
          setImmediate(resolve);
        }),
    },
  };
}

function listening(server: Server, path: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    // Only its user may come in, from the first moment on.
    const before = process.platform === 'win32' ? undefined : process.umask(0o177);
    server.listen(path, () => resolve(undefined));
    if (before !== undefined) process.umask(before);
  });
}

function lineOf(socket: Socket): Line {
  const early: unknown[] = [];
  let tell = (message: unknown): void => void early.push(message);
  let closed = false;
  const closing = new Set<() => void>();
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    for (const listener of closing) listener();
  });
  eachLine(socket, (line) => {
    const message = parsed(line);
    if (message !== undefined) tell(message);
  });
  return {
    send(message) {
      if (!closed && !socket.destroyed && !socket.writableEnded) socket.write(`${JSON.stringify(message)}\n`);
    },
    onMessage(listener) {
      tell = listener;
      for (const message of early.splice(0)) listener(message);
    },
    onClose(listener) {
      if (closed) listener();
      else closing.add(listener);
    },
    close() {
      socket.end();
      // One that does not read any more keeps nobody from ending.
      socket.unref();
    },
  };
}

/** Undefined for a message that was cut off in the middle. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
