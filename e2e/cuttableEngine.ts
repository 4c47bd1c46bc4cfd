import { existsSync, rmSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';

/** A way to the engine of this machine that can be taken away, as an engine goes away that crashes. */
export interface CuttableEngine {
  /** What DOCKER_HOST is to be. */
  readonly host: string;
  /** Goes away as soon as the engine has begun to answer to a build. */
  cutAtNextBuild(): void;
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function openCuttableEngine(path: string): Promise<CuttableEngine> {
  const engine = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');
  if (!existsSync(engine)) throw new Error(`the engine is not reached by a socket: ${engine}`);
  const sockets = new Set<Socket>();
  let cutsAtBuild = false;
  let server: Server | undefined;

  const cut = (): void => {
    cutsAtBuild = false;
    server?.close();
    server = undefined;
    rmSync(path, { force: true });
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const pass = (client: Socket): void => {
    const upstream = connect(engine);
    let isBuild = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => [client, upstream].forEach((each) => each.destroy()));
    }
    client.on('data', (bytes: Buffer) => (isBuild ||= bytes.includes('POST /build?')));
    upstream.on('data', () => isBuild && cutsAtBuild && cut());
    client.pipe(upstream).pipe(client);
  };
  const mend = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer({ allowHalfOpen: true }, pass).listen(path, resolve);
    });
  await mend();
  return {
    host: `unix://${path}`,
    cutAtNextBuild: () => {
      cutsAtBuild = true;
    },
    mend,
    close: () => {
      cut();
      return Promise.resolve();
    },
  };
}
