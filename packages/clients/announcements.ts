import { lstat, mkdir, readdir, unlink } from 'node:fs/promises';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What this process tells other processes of the same user, for as long as it runs. */
export interface Announcement {
  /** Takes it back. Whoever asked for the end hears the last words. */
  close(lastWords: object): Promise<void>;
}

export interface AnnouncementOptions {
  readonly folder: string;
  /** Asked each time somebody wants to know. */
  readonly say: () => object;
  /** Somebody asked for the end. */
  readonly onStop: () => void;
}

/** Something that was announced, and what it says now. */
export interface Announced {
  readonly path: string;
  readonly said: unknown;
}

const prefix = 'slipway-';
/** A process that is stopped in a terminal, or hangs, does not keep the others from being heard. */
const answerLimitMs = 1000;
const stop = 'stop\n';

/** Where the announcements of a user are: sockets in a folder that nobody else may enter, or Windows' pipes. */
export function announcementsFolder(env: Readonly<Record<string, string | undefined>>): string {
  if (process.platform === 'win32') return '\\\\.\\pipe\\';
  const own = env['XDG_RUNTIME_DIR'];
  return own !== undefined && own !== '' ? join(own, 'slipway') : join(tmpdir(), `slipway-${String(process.getuid?.() ?? 0)}`);
}

/** Undefined where it is not possible: nothing but being found depends on it. */
export async function announce({ folder, say, onStop }: AnnouncementOptions): Promise<Announcement | undefined> {
  if (!(await isOurs(folder))) return undefined;
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').once('data', (asked: string) => {
      if (asked !== stop) return void socket.end(JSON.stringify(say()));
      waiting.add(socket);
      onStop();
    });
  });
  const path = join(folder, `${prefix}${String(process.pid)}-${String(Date.now())}`);
  if (!(await isListening(server, path))) return undefined;
  server.unref();
  return {
    async close(lastWords) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of waiting) socket.end(JSON.stringify(lastWords));
      await Promise.race([closed, new Promise<void>((resolve) => setTimeout(resolve, answerLimitMs).unref())]);
    },
  };
}

/** All that is announced now. What a killed process has left is removed. */
export async function heard(folder: string): Promise<readonly Announced[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const answers = await Promise.all(
    names
      .filter((name) => name.startsWith(prefix))
      .map(async (name): Promise<readonly Announced[]> => {
        const path = join(folder, name);
        const said = await answerOf(path, 'say\n', answerLimitMs);
        return said === undefined ? [] : [{ path, said }];
      }),
  );
  return answers.flat();
}

/** Asks an announced process to end, and waits for it; gives its last words, undefined when it ended without. */
export function askToStop(path: string): Promise<unknown> {
  return answerOf(path, stop, undefined);
}

async function answerOf(path: string, question: string, limitMs: number | undefined): Promise<unknown> {
  const socket = connect(path);
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  if (limitMs !== undefined) socket.setTimeout(limitMs, () => socket.destroy());
  const problem = await new Promise<string | undefined>((resolve) => {
    socket.on('connect', () => socket.write(question));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve(undefined));
  });
  if (problem === 'ECONNREFUSED') await unlink(path).catch(() => undefined);
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    // It ended in the middle of a word.
    return undefined;
  }
}

/** Makes the folder if need be. One that somebody else has made there first is not entered. */
export async function isOurs(folder: string): Promise<boolean> {
  if (process.platform === 'win32') return true;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const stats = await lstat(folder);
    return stats.isDirectory() && stats.uid === process.getuid?.();
  } catch {
    return false;
  }
}

function isListening(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => resolve(true));
  });
}
