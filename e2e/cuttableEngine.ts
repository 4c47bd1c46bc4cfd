import { existsSync, rmSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';

/** A way to the engine of this machine that can be taken away, as an engine goes away that crashes, and that can refuse to build. */
export interface CuttableEngine {
  /** What DOCKER_HOST is to be. */
  readonly host: string;
  /** What it was. */
  readonly behind: string;
  /** Goes away as soon as the engine has begun to answer to a build. */
  cutAtNextBuild(): void;
  /** Every build ends with this error until the promise has settled; all else goes on. */
  failingBuildsWhile(error: string, something: () => Promise<unknown>): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function openCuttableEngine(path: string): Promise<CuttableEngine> {
  const behind = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const engine = behind.replace(/^unix:\/\//, '');
  if (!existsSync(engine)) throw new Error(`the engine is not reached by a socket: ${engine}`);
  const sockets = new Set<Socket>();
  let cutsAtBuild = false;
  let buildError: string | undefined;
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
    client.on('data', (bytes: Buffer) => {
      if (isBuild || !bytes.includes('POST /build?')) return;
      isBuild = true;
      if (buildError === undefined) return;
      // What is still sent of the context goes nowhere.
      client.unpipe(upstream);
      upstream.unpipe(client);
      client.write(failedBuild(buildError));
    });
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
    behind,
    cutAtNextBuild: () => {
      cutsAtBuild = true;
    },
    failingBuildsWhile: async (error, something) => {
      buildError = error;
      try {
        await something();
      } finally {
        buildError = undefined;
      }
    },
    mend,
    close: () => {
      cut();
      return Promise.resolve();
    },
  };
}

/** As engines tell it: the request is answered, and what went wrong is the last message of the answer. */
function failedBuild(message: string): string {
  const body = `${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`;
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
