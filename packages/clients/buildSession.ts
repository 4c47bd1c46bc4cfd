import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { doors } from './doors';
import { framed, frameReader } from './grpcFrames';
import { bytesIn, decodeFields, encodeBytes, encodeStrings, stringIn, type Fields } from './protobuf';
import type { RegistryLogins } from './registryLogin';

/** Opens the session, as `POST /session` of an engine does, and hands over the raw connection. */
export type OpenSession = (headers: Readonly<Record<string, string | readonly string[]>>) => Promise<Duplex>;

/** What BuildKit may ask its client for. */
export interface SessionAnswers {
  readonly logins: RegistryLogins;
  /** Build secrets by id. */
  readonly secrets?: ReadonlyMap<string, Buffer> | undefined;
  /** Sockets of agents with keys, by id. */
  readonly ssh?: ReadonlyMap<string, string> | undefined;
  /** What is behind `http://buildkit-session/`: the build context, once. */
  readonly upload?: Readable | undefined;
}

/** The side channel through which BuildKit asks its client for logins, secrets and keys: gRPC, with the engine as the one who asks. */
export interface BuildSession {
  readonly id: string;
  close(): void;
}

const credentials = '/moby.filesync.v1.Auth/Credentials';
const health = '/grpc.health.v1.Health/Check';
const getSecret = '/moby.buildkit.secrets.v1.Secrets/GetSecret';
const checkAgent = '/moby.sshforward.v1.SSH/CheckAgent';
const forwardAgent = '/moby.sshforward.v1.SSH/ForwardAgent';
const pull = '/moby.upload.v1.Upload/Pull';
/** `HealthCheckResponse{status: SERVING}`. BuildKit asks every few seconds and gives a silent session up. */
const serving = Buffer.of(0x08, 0x01);
/** Codes of gRPC. */
const notFound = '5';
const unimplemented = '12';

/** A session that is not opened in time is no failure: only images that need something of it do. */
export function openBuildSession(open: OpenSession, answers: SessionAnswers): BuildSession {
  const id = randomUUID();
  let socket: Duplex | undefined;
  let closed = false;
  const close = (): void => {
    closed = true;
    socket?.destroy();
  };
  open({
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'slipway',
    'X-Docker-Expose-Session-Grpc-Method': [
      credentials,
      health,
      ...(answers.secrets ? [getSecret] : []),
      ...(answers.ssh ? [checkAgent, forwardAgent] : []),
      ...(answers.upload ? [pull] : []),
    ],
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
      session.on('stream', (stream, headers) => {
        stream.on('error', () => undefined);
        if (headers[':path'] === forwardAgent) forward(stream, headers, answers);
        else if (headers[':path'] === pull) upload(stream, answers);
        else answer(stream, headers, answers);
      });
    },
    () => undefined,
  );
  return { id, close };
}

function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, { logins, secrets, ssh }: SessionAnswers): void {
  let asked: Fields = new Map();
  stream.on(
    'data',
    frameReader((message) => (asked = decodeFields(message))),
  );
  stream.once('end', () => {
    switch (headers[':path'] ?? '') {
      case health:
        return reply(stream, serving);
      case credentials:
        return void loginFor(stringIn(asked, 1), logins).then((message) => reply(stream, message));
      case getSecret: {
        const secret = secrets?.get(stringIn(asked, 1));
        return secret ? reply(stream, encodeBytes({ 1: secret })) : refuse(stream, notFound);
      }
      case checkAgent:
        return ssh?.has(agentIn(asked)) ? reply(stream, Buffer.alloc(0)) : refuse(stream, notFound);
      default:
        return refuse(stream, unimplemented);
    }
  });
}

function agentIn(asked: Fields): string {
  return stringIn(asked, 1) || 'default';
}

/** Carries what a command says to the agent, and what that answers, for as long as both go on: `stream BytesMessage` both ways. */
function forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, { ssh }: SessionAnswers): void {
  const id = headers['buildkit.ssh.id'];
  const path = ssh?.get(typeof id === 'string' && id !== '' ? id : 'default');
  if (path === undefined) return refuse(stream, notFound);
  const agent = connect(path);
  accept(stream);
  stream.on(
    'data',
    frameReader((message) => {
      for (const bytes of bytesIn(decodeFields(message), 1)) agent.write(bytes);
    }),
  );
  stream.once('end', () => agent.end());
  stream.once('close', () => agent.destroy());
  agent.on('data', (bytes) => stream.write(framed(encodeBytes({ 1: bytes }))));
  agent.once('error', () => stream.end());
  agent.once('end', () => stream.end());
}

/** What breaks off is no whole context, and must not look like one. */
function upload(stream: ServerHttp2Stream, { upload: context }: SessionAnswers): void {
  if (!context || context.destroyed) return refuse(stream, notFound);
  accept(stream);
  stream.resume();
  stream.once('close', () => context.destroy());
  stream.on('drain', () => context.resume());
  context.on('data', (bytes: Buffer) => {
    if (!stream.write(framed(encodeBytes({ 1: bytes })))) context.pause();
  });
  context.once('error', () => stream.destroy());
  context.once('end', () => stream.end());
}

function accept(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
}

function reply(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  accept(stream);
  stream.end(framed(message));
}

function refuse(stream: ServerHttp2Stream, status: string): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status }, { endStream: true });
}

/** `CredentialsResponse`: 1 user name, 2 secret; a secret without a name is an identity token. Only the registry that asks gets its own. */
async function loginFor(host: string, logins: RegistryLogins): Promise<Buffer> {
  const login = await logins.find(host === 'registry-1.docker.io' ? 'docker.io' : host);
  if (!login) return Buffer.alloc(0);
  return login.kind === 'password' ? encodeStrings({ 1: login.username, 2: login.password }) : encodeStrings({ 2: login.token });
}
