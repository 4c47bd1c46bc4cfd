import { type Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly agent: Agent;
  readonly body?: string | Uint8Array | StreamedBody;
  readonly signal?: AbortSignal;
}

/** A body that is read anew for every attempt. */
export interface StreamedBody {
  readonly size: number;
  readonly open: () => Readable;
}

export type HttpAnswer =
  { readonly kind: 'answered'; readonly answer: IncomingMessage } | { readonly kind: 'failed'; readonly error: unknown };

/** A TLS handshake takes seconds where every core is busy. */
const connectTimeoutMs = 10_000;
const answerTimeoutMs = 40_000;

/**
 * One request, which must be safe to repeat: one that a closing kept connection swallowed is sent again. Redirects are answers.
 * An answer that is cut in the middle closes without being `complete`; it has no error event to fear.
 */
export function sendRequest(request: HttpRequest): Promise<HttpAnswer> {
  const { url, method, headers, agent, body, signal } = request;
  return new Promise((resolve) => {
    const streamed = typeof body === 'object' && 'open' in body ? body : undefined;
    const whole = typeof body === 'object' && 'open' in body ? undefined : body;
    const length = body === undefined ? {} : { 'Content-Length': streamed ? streamed.size : Buffer.byteLength(whole ?? '') };
    const options = { method, agent, headers: { ...headers, ...length }, ...(signal ? { signal } : {}) };
    const outgoing = url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options);
    limitConnectTime(outgoing);
    let late: NodeJS.Timeout | undefined;
    // Waiting for one of few connections is no silence of the peer.
    outgoing.once('socket', () => {
      late = setTimeout(() => outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1_000} s`)), answerTimeoutMs);
    });
    // Sending much takes as long as it takes; it is the silence after it that counts.
    const moved = (): void => void late?.refresh();
    if (streamed) outgoing.on('drain', moved);
    outgoing.once('response', (answer) => {
      outgoing.off('drain', moved);
      clearTimeout(late);
      answer.on('error', () => undefined);
      resolve({ kind: 'answered', answer });
    });
    outgoing.on('error', (error) => {
      outgoing.off('drain', moved);
      clearTimeout(late);
      if (!signal?.aborted && outgoing.reusedSocket && wasClosed(error)) resolve(sendRequest(request));
      else resolve({ kind: 'failed', error });
    });
    if (!streamed) return void outgoing.end(whole);
    const source = streamed.open();
    source.once('error', (error) => outgoing.destroy(error));
    outgoing.once('close', () => source.destroy());
    source.pipe(outgoing);
  });
}

/** A connection that was kept for later use and that the peer closed in the moment of being used. */
export function wasClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

/** A host that swallows packets must not hold anything up for minutes; and a peer that vanishes later is noticed by the system. */
export function limitConnectTime(request: ClientRequest): void {
  request.once('socket', (socket: Socket) => {
    if (!socket.connecting) return;
    const connected = 'encrypted' in socket ? 'secureConnect' : 'connect';
    const late = setTimeout(() => socket.destroy(new Error(`no connection within ${connectTimeoutMs / 1_000} s`)), connectTimeoutMs);
    socket.once(connected, () => {
      clearTimeout(late);
      socket.setKeepAlive(true, 5_000);
    });
    socket.once('close', () => clearTimeout(late));
  });
}

/** The whole body, or undefined when the connection closed before its end. */
export async function textOf(answer: IncomingMessage): Promise<string | undefined> {
  return (await bytesOf(answer))?.toString('utf8');
}

/** As `textOf`, for what is hashed as it came. */
export function bytesOf(answer: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.once('close', () => resolve(answer.complete ? Buffer.concat(chunks) : undefined));
  });
}

/** Node leaves the message of an error that stands for several attempts empty. */
export function reasonOf(error: unknown): string {
  const { errors, message } = Object(error) as { readonly errors?: readonly unknown[]; readonly message?: string };
  if (errors !== undefined && errors.length > 0) return errors.map((each) => reasonOf(each)).join(', ');
  return message ?? String(error);
}
