import { createServer, type Server, type Socket } from 'node:net';
import { failed, succeeded, type Problem, type Result } from '../model';
import { portHolder } from './portHolder';

export interface Listening {
  readonly port: number;
  /** The program that has the port which was asked for first. */
  readonly holder?: string;
  close(): void;
}

export interface ListenRequest {
  /** 0: any that is free. */
  readonly port: number;
  /** Another port will not do. */
  readonly strict: boolean;
  /** Absent: this machine alone, by IPv4 and IPv6. */
  readonly address?: string;
  readonly onConnection: (socket: Socket) => void;
}

const portsTried = 100;

/** Listens on the port, or the next free one. Failures: `portTaken` with the program that has it, `portRefused` (exit 2). */
export async function listen(request: ListenRequest): Promise<Result<Listening>> {
  const { port, strict } = request;
  const last = strict || port === 0 ? port : Math.min(port + portsTried, 65_535);
  for (let candidate = port; candidate <= last; candidate += 1) {
    const listening = await listenOn(candidate, request);
    const isTaken = !listening.ok && listening.problem.code === 'portTaken';
    if (!isTaken && (candidate === port || !listening.ok)) return listening;
    if (isTaken && candidate !== last) continue;
    const holder = await portHolder(port);
    if (!listening.ok) return failed(taken(port, holder));
    return succeeded({ ...listening.value, ...(holder !== undefined && { holder }) });
  }
  return failed(taken(port));
}

async function listenOn(port: number, { address: host, onConnection }: ListenRequest): Promise<Result<Listening>> {
  if (host !== undefined) {
    const one = await open(host, port, onConnection);
    if (!('server' in one)) return failed(one.code === 'EADDRINUSE' ? taken(port) : refused(port, one.code));
    const at = one.server.address();
    return succeeded({ port: typeof at === 'object' && at ? at.port : port, close: () => void one.server.close() });
  }
  const four = await open('127.0.0.1', port, onConnection);
  if (!('server' in four)) return failed(four.code === 'EADDRINUSE' ? taken(port) : refused(port, four.code));
  const address = four.server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  // `localhost` is often ::1 first: whoever has that port there would get the connections.
  const six = await open('::1', bound, onConnection);
  if ('server' in six) return succeeded({ port: bound, close: () => (four.server.close(), void six.server.close()) });
  if (six.code !== 'EADDRINUSE' || port === 0) return succeeded({ port: bound, close: () => void four.server.close() });
  four.server.close();
  return failed(taken(port));
}

function open(
  host: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<{ readonly server: Server } | { readonly code: string }> {
  return new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    // Stays: an error of a server that nobody listens to would end the process.
    server.on('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    server.listen({ host, port }, () => resolve({ server }));
  });
}

function taken(port: number, holder = 'another program'): Problem {
  return {
    code: 'portTaken',
    message: `local port ${port} is taken by ${holder}`,
    hint: 'end that program, or choose another localPort in portForward, or leave strict out',
    retry: 'afterDelay',
    exitCode: 2,
  };
}

function refused(port: number, code: string): Problem {
  const hint = port > 0 && port < 1024 ? 'choose a localPort of 1024 or more' : 'choose another localPort in portForward';
  return {
    code: 'portRefused',
    message: `local port ${port} cannot be listened on (${code})`,
    hint,
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}
