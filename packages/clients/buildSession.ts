import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { doors } from './doors';
import { decodeFields, encodeStrings, stringIn } from './protobuf';
import type { RegistryLogins } from './registryLogin';

/** Opens `POST /session` of the engine and hands over the raw connection. */
export type OpenSession = (headers: Readonly<Record<string, string | readonly string[]>>) => Promise<Socket>;

/** The side channel through which BuildKit asks its client for logins: gRPC, with the engine as the one who asks. */
export interface BuildSession {
  readonly id: string;
  close(): void;
}

const credentials = '/moby.filesync.v1.Auth/Credentials';
const health = '/grpc.health.v1.Health/Check';
/** `HealthCheckResponse{status: SERVING}`. BuildKit asks every few seconds and gives a silent session up. */
const serving = Buffer.of(0x08, 0x01);
const unimplemented = '12';

/** A session that is not opened in time is no failure: only images that need a login need it. */
export function openBuildSession(open: OpenSession, logins: RegistryLogins): BuildSession {
  const id = randomUUID();
  let socket: Socket | undefined;
  let closed = false;
  const close = (): void => {
    closed = true;
    socket?.destroy();
  };
  open({
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'slipway',
    'X-Docker-Expose-Session-Grpc-Method': [credentials, health],
  }).then(
    (opened) => {
      socket = opened;
      opened.on('error', () => undefined);
      if (closed) {
        close();
        return;
      }
      const session = doors.http2().performServerHandshake(opened);
      session.on('error', () => undefined);
      session.on('stream', (stream, headers) => answer(stream, headers, logins));
    },
    () => undefined,
  );
  return { id, close };
}

function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, logins: RegistryLogins): void {
  const chunks: Buffer[] = [];
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.once('end', () => {
    const path = headers[':path'];
    // Five bytes of gRPC's own stand in front of a message.
    const asked = decodeFields(Buffer.concat(chunks).subarray(5));
    if (path === health) reply(stream, serving);
    else if (path === credentials) void loginFor(stringIn(asked, 1), logins).then((message) => reply(stream, message));
    else stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': unimplemented }, { endStream: true });
  });
}

function reply(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([head, message]));
}

/** `CredentialsResponse`: 1 user name, 2 secret; a secret without a name is an identity token. Only the registry that asks gets its own. */
async function loginFor(host: string, logins: RegistryLogins): Promise<Buffer> {
  const login = await logins.find(host === 'registry-1.docker.io' ? 'docker.io' : host);
  if (!login) return Buffer.alloc(0);
  return login.kind === 'password' ? encodeStrings({ 1: login.username, 2: login.password }) : encodeStrings({ 2: login.token });
}
