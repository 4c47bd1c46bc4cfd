import { connect, createServer, type Socket } from 'node:net';
import type { Layout } from './layout';

/**
 * Runs work while nobody else does work on the same cluster. The lock is an abstract Unix socket: the kernel gives it to one process and takes
 * it back when that process ends, however it ends, so that no stale lock can exist and no file is left.
 */
export async function withLock<T>(layout: Layout, onWait: () => void, work: () => Promise<T>): Promise<T> {
  let release = await tryLock(layout.lock);
  if (release === undefined) onWait();
  while (release === undefined) {
    await endOfHolder(layout.lock);
    release = await tryLock(layout.lock);
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/** What gives the lock back, or nothing when somebody else holds it. */
function tryLock(address: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => waiting.delete(socket));
      socket.unref();
    });
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => {
      resolve(() => {
        server.close();
        for (const socket of waiting) socket.destroy();
      });
    });
    server.unref();
  });
}

/** The holder says nothing; its end is what closes the connection. */
function endOfHolder(address: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });
}
