import type { IncomingMessage } from 'node:http';
import type WebSocket from 'ws';
import { type Problem, type Result, failed, succeeded } from '../model';
import { doors } from './doors';
import { limitConnectTime, textOf, wasClosed } from './httpRequest';
import type { KubeCredentials } from './kubeCredentials';
import { type KubeHttp, statusOf } from './kubeHttp';
import { abortedProblem, problemOfStatus, unreachableProblem } from './kubeProblem';

/** A WebSocket of the API server's channel protocols: every message is one byte of channel, then bytes of that channel. */
export interface KubeSocket {
  readonly protocol: string;
  /** Calls back when more may be sent: at once, or when the system has taken over what waits. */
  send(channel: number, bytes: Uint8Array, taken: () => void): void;
  /** Stops and goes on with reading: what the reader does not take stays with the peer. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface SocketEvents {
  readonly onMessage: (channel: number, bytes: Buffer) => void;
  /** Once. `lost`: the peer vanished, or the connection broke before it was closed properly. */
  readonly onClose: (lost: Problem | undefined) => void;
}

export interface SocketRequest {
  /** Path and query. */
  readonly path: string;
  readonly protocols: readonly string[];
  readonly subject: string;
  readonly signal?: AbortSignal;
}

const handshakeTimeoutMs = 10_000;
const pingEveryMs = 5_000;
/** A peer that did not answer a ping for this long is gone. */
const patienceMs = 15_000;
/** While the process at the other end does not read what it was sent, pings wait behind that. */
const patienceAfterSendingMs = 60_000;
/** Waiting bytes from which on a sender is asked to wait too. */
const enoughWaitingBytes = 256 * 1024;
/** The peer passes a message on when it has all of it, so a large write goes in parts. */
const largestMessageBytes = 64 * 1024;

/** One try to open. `again` is worth another one: with a renewed login, or because a kept connection had been closed meanwhile. */
type Attempt =
  | { readonly kind: 'open'; readonly socket: KubeSocket }
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly problem: Problem };

export async function openKubeSocket(http: KubeHttp, request: SocketRequest, events: SocketEvents): Promise<Result<KubeSocket>> {
  let renewed = false;
  for (;;) {
    if (request.signal?.aborted) return failed(abortedProblem);
    const credentials = await http.login.credentials();
    if (!credentials.ok) return credentials;
    const onUnauthorized = (): boolean => {
      if (renewed) return false;
      http.login.renew(credentials.value);
      return (renewed = true);
    };
    const attempt = await tryOpen({ http, credentials: credentials.value, request, events, onUnauthorized });
    if (attempt.kind === 'open') return succeeded(attempt.socket);
    if (attempt.kind === 'failed') return failed(attempt.problem);
  }
}

interface Opening {
  readonly http: KubeHttp;
  readonly credentials: KubeCredentials;
  readonly request: SocketRequest;
  readonly events: SocketEvents;
  /** Whether the login was renewed, so that another try makes sense. */
  readonly onUnauthorized: () => boolean;
}

function tryOpen({ http, credentials, request, events, onUnauthorized }: Opening): Promise<Attempt> {
  const { server } = http.target;
  return new Promise((resolve) => {
    let reused = false;
    const ws = new (doors.ws().WebSocket)(server.replace(/^http/, 'ws') + request.path, [...request.protocols], {
      headers: credentials.headers as Record<string, string>,
      // The connections that requests keep alive are used again, which saves the handshakes.
      agent: credentials.agent,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handshakeTimeout: handshakeTimeoutMs,
      maxPayload: 0,
      // A mask keeps proxies from misreading plain text; inside TLS it would only cost time.
      ...(server.startsWith('https:') ? { generateMask: (mask: Buffer) => void mask.fill(0) } : {}),
      finishRequest: (outgoing) => {
        limitConnectTime(outgoing);
        outgoing.once('socket', () => (reused = outgoing.reusedSocket));
        outgoing.end();
      },
    });
    const failWith = (problem: Problem): void => resolve({ kind: 'failed', problem });
    ws.on('unexpected-response', (_request: unknown, answer: IncomingMessage) => {
      const code = answer.statusCode ?? 0;
      void textOf(answer).then((text) => {
        if (code === 401 && onUnauthorized()) resolve({ kind: 'again' });
        else failWith(problemOfStatus(statusOf(text ?? '', code), request.subject));
        ws.terminate();
      });
    });
    ws.on('error', (error: NodeJS.ErrnoException) => {
      if (request.signal?.aborted) failWith(abortedProblem);
      else if (reused && wasClosed(error)) resolve({ kind: 'again' });
      else failWith(unreachableProblem(error, http.target));
    });
    // Messages can arrive together with the answer to the handshake, before anyone who awaits this has gone on.
    const socket = channelsOf(ws, { http, agent: credentials.agent }, request, events);
    ws.once('open', () => resolve({ kind: 'open', socket }));
  });
}

function channelsOf(
  ws: WebSocket,
  { http, agent }: { readonly http: KubeHttp } & Pick<KubeCredentials, 'agent'>,
  { signal }: SocketRequest,
  events: SocketEvents,
): KubeSocket {
  let opened = false;
  let askedToClose = false;
  let lost: unknown;
  const close = (): void => {
    askedToClose = true;
    if (opened) ws.close(1000);
    // A peer that does not answer the closing message is not waited for.
    setTimeout(() => ws.terminate(), opened ? 1_000 : 0).unref();
  };
  const stopWatching = watchLife(ws, () => {
    lost = new Error('the connection is silent');
    ws.terminate();
    // What went the same way may lead nowhere too, and a watch would notice it a minute later. It goes on from where it was over another one.
    agent.destroy();
  });
  signal?.addEventListener('abort', close, { once: true });
  ws.once('open', () => (opened = true));
  ws.on('message', (message: Buffer) => events.onMessage(message[0] ?? 0, message.subarray(1)));
  ws.on('error', (error) => (lost ??= error));
  ws.once('close', (code: number) => {
    stopWatching();
    signal?.removeEventListener('abort', close);
    // 1006: the connection ended without a closing message.
    if (code === 1006) lost ??= new Error('the connection was cut');
    if (opened) events.onClose(askedToClose || lost === undefined ? undefined : unreachableProblem(lost, http.target));
  });
  return {
    get protocol() {
      return ws.protocol;
    },
    send: (channel, bytes, taken) => sendParts(ws, channel, bytes, taken),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    close,
  };
}

function sendParts(ws: WebSocket, channel: number, bytes: Uint8Array, taken: () => void): void {
  let rest = bytes;
  while (rest.length > largestMessageBytes) {
    ws.send(message(channel, rest.subarray(0, largestMessageBytes)));
    rest = rest.subarray(largestMessageBytes);
  }
  const enough = ws.bufferedAmount >= enoughWaitingBytes;
  // That sending failed is told by the end of the connection.
  ws.send(message(channel, rest), enough ? () => taken() : undefined);
  if (!enough) taken();
}

function message(channel: number, bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(bytes.length + 1);
  framed[0] = channel;
  framed.set(bytes, 1);
  return framed;
}

/** Pings, and calls back when nothing has come for too long. A reader that pauses hears no answers, and is not punished for it. */
function watchLife(ws: WebSocket, onSilence: () => void): () => void {
  let heardAt = performance.now();
  let lastBuffered = 0;
  const heard = (): void => {
    heardAt = performance.now();
  };
  const pinging = setInterval(() => {
    if (ws.readyState !== ws.OPEN) return;
    if (ws.isPaused) heard();
    // What was sent is still being taken: the answer to a ping waits behind it.
    const patience = lastBuffered > 0 || ws.bufferedAmount > 0 ? patienceAfterSendingMs : patienceMs;
    lastBuffered = ws.bufferedAmount;
    if (performance.now() - heardAt > patience) onSilence();
    else ws.ping();
  }, pingEveryMs);
  ws.on('open', heard);
  ws.on('message', heard);
  ws.on('pong', heard);
  return () => clearInterval(pinging);
}
