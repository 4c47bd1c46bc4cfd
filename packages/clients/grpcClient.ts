import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { Duplex } from 'node:stream';
import { doors } from './doors';
import { framed, frameReader } from './grpcFrames';
import { bytesIn, decodeFields, encodeBytes } from './protobuf';

/** How a call ended. `status` is a code of gRPC, 0 for well; undefined: the connection was lost before it did. */
export interface GrpcEnd {
  readonly status: number | undefined;
  readonly message: string;
}

/** A client of gRPC on a connection that is there already. */
export interface GrpcClient {
  /** Sends one message; as many may come back. */
  call(path: string, request: Buffer, onMessage: (message: Buffer) => void): Promise<GrpcEnd>;
  /** `stream BytesMessage` both ways, as a connection. */
  tunnel(path: string, headers: Readonly<Record<string, string | readonly string[]>>): Duplex;
  close(): void;
}

export function grpcClient(connection: Duplex): GrpcClient {
  const session: ClientHttp2Session = doors.http2().connect('http://buildkitd', { createConnection: () => connection });
  // Every call tells how it ended.
  session.on('error', () => undefined);
  const open = (path: string, headers: Readonly<Record<string, string | readonly string[]>> = {}): ClientHttp2Stream =>
    session.request({ ...headers, ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  return {
    call(path, request, onMessage) {
      return new Promise((resolve) => {
        const stream = open(path);
        let said: IncomingHttpHeaders = {};
        let reason = '';
        // A call that fails at once says so in the headers.
        stream.on('response', (headers: IncomingHttpHeaders) => (said = { ...said, ...headers }));
        stream.on('trailers', (trailers: IncomingHttpHeaders) => (said = { ...said, ...trailers }));
        stream.on('error', (error: Error) => (reason = error.message));
        stream.on('data', frameReader(onMessage));
        stream.on('close', () => {
          const { 'grpc-status': status, 'grpc-message': message } = said;
          const text = typeof message === 'string' ? decoded(message) : reason;
          resolve({ status: typeof status === 'string' ? Number(status) : undefined, message: text });
        });
        stream.end(framed(request));
      });
    },
    tunnel(path, headers) {
      return asConnection(open(path, headers));
    },
    close() {
      session.destroy();
      connection.destroy();
    },
  };
}

function asConnection(stream: ClientHttp2Stream): Duplex {
  const connection = new Duplex({
    read: () => stream.resume(),
    write(chunk: Buffer, _encoding, taken) {
      stream.write(framed(encodeBytes({ 1: chunk })), taken);
    },
    final(done) {
      stream.end(done);
    },
    destroy(error, done) {
      stream.destroy();
      done(error);
    },
  });
  const read = frameReader((message) => {
    for (const bytes of bytesIn(decodeFields(message), 1)) if (bytes.length > 0 && !connection.push(bytes)) stream.pause();
  });
  stream.on('data', read);
  stream.on('end', () => connection.push(null));
  stream.on('error', () => undefined);
  stream.on('close', () => connection.destroy());
  return connection;
}

/** gRPC percent-encodes what is not ASCII. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
