import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { processes } from '../clients';

/** The program that listens on a local port: `node (pid 4711)`. Undefined when nobody may know: it is another user's. */
export function portHolder(port: number): Promise<string | undefined> {
  if (process.platform === 'linux') return onLinux(port).catch(() => undefined);
  return process.platform === 'win32' ? Promise.resolve(undefined) : byLsof(port);
}

/** TCP_LISTEN of the kernel's table. */
const listening = '0A';

async function onLinux(port: number): Promise<string | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await readFile(table, 'utf8').catch(() => '')).split('\n')) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state === listening && local.endsWith(`:${wanted}`)) inodes.add(`socket:[${inode}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const file of files) {
      if (inodes.has(await readlink(`/proc/${pid}/fd/${file}`).catch(() => ''))) return `${await programOf(pid)} (pid ${pid})`;
    }
  }
  return undefined;
}

/** Node 24 calls its main thread, and so its process, MainThread: the file that it was started from says more. */
async function programOf(pid: string): Promise<string> {
  const file = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return file === undefined ? (await readFile(`/proc/${pid}/comm`, 'utf8')).trim() : basename(file).replace(/ \(deleted\)$/, '');
}

/** `p4711`, `cnode`: a line for each field. */
async function byLsof(port: number): Promise<string | undefined> {
  const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'];
  const ran = await processes.run({ command: 'lsof', args, cwd: '/' });
  if (!ran.ok) return undefined;
  const [, pid, name] = /^p(\d+)\n(?:.*\n)*?c(.+)$/m.exec(ran.value.stdout) ?? [];
  return pid === undefined || name === undefined ? undefined : `${name} (pid ${pid})`;
}
