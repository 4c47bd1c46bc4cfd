/** What the kernel says of the sockets of one port of a pod, asked in the pod. */
export interface SocketTable {
  /** The sockets that listen on the port. A process that starts again has others. */
  readonly listeners: ReadonlySet<string>;
  /** Connections from within the pod, as all forwarded ones are, that both sides hold open. */
  readonly held: number;
}

const established = '01';
const listen = '0A';

/** Prints what `readSocketTable` reads. Its exit code says nothing: a kernel without IPv6 lacks one of the files. */
export function socketTableCommand(port: number): readonly string[] {
  return ['grep', '-h', `:${hexOf(port)} `, '/proc/net/tcp', '/proc/net/tcp6'];
}

/** Reads lines of `/proc/net/tcp` and `/proc/net/tcp6` (proc_net_tcp(5) in the kernel's documentation); others count for nothing. */
export function readSocketTable(text: string, port: number): SocketTable {
  const listeners = new Set<string>();
  let held = 0;
  for (const line of text.split('\n')) {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || inode === undefined) continue;
    const [localAddress, localPort] = local.split(':');
    const [remoteAddress, remotePort] = remote.split(':');
    if (state === listen && localPort === hexOf(port)) listeners.add(inode);
    if (remotePort === hexOf(port) && localAddress === remoteAddress && state === established) held += 1;
  }
  return { listeners, held };
}

function hexOf(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
