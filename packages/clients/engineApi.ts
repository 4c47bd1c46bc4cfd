import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type Problem, type Result, failed, succeeded } from '../model';
import { doors } from './doors';
import type { EngineAddress } from './dockerHost';
import { reasonOf } from './httpRequest';

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A tar. */
  readonly body?: Readable;
  /** What is sent as JSON. */
  readonly data?: object;
  readonly signal?: AbortSignal;
}

export interface ConnectionRequest {
  readonly path: string;
  /** What it becomes: `tcp`, `h2c`. */
  readonly protocol: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly data?: object;
}

/** The engine refused: its status code and its words. */
export interface EngineRefusal {
  readonly status: number;
  readonly message: string;
}

export type EngineAnswer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly refusal: EngineRefusal }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** Requests to the engine's API through dockerode's connection, which knows sockets, pipes, TLS and SSH. */
export interface EngineApi {
  /** As a person would write its address. */
  readonly name: string;
  json(request: EngineRequest): Promise<EngineAnswer<unknown>>;
  stream(request: EngineRequest): Promise<EngineAnswer<IncomingMessage>>;
  /** The raw connection after an upgrade. */
  connect(request: ConnectionRequest): Promise<EngineAnswer<Socket>>;
}

/** Every status is told to be good, so that refusals come as answers. */
const anyStatus = Object.fromEntries([200, 201, 204].map((status) => [status, true]));

export function engineApi(address: EngineAddress): Result<EngineApi> {
  const docker = connect(address);
  if (!docker.ok) return docker;
  const { modem } = docker.value;
  type Dial = Parameters<typeof modem.dial>[0];
  const dial = (options: Dial): Promise<unknown> =>
    new Promise((resolve, reject) =>
      modem.dial({ ...options, statusCodes: anyStatus }, (error, answer) => (error ? reject(error) : resolve(answer))),
    );

  const ask = async <T>(request: EngineRequest, isStream: boolean, read: (answer: unknown) => T | undefined): Promise<EngineAnswer<T>> => {
    const { method, path, query = {}, headers = {}, body, data = {}, signal } = request;
    try {
      const answer = await dial({
        method,
        path: `${path}?`,
        isStream,
        options: { _query: Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)), _body: data },
        headers: { ...headers, ...(body ? { 'Content-Type': 'application/x-tar' } : {}) },
        ...(body ? { file: body } : {}),
        ...(signal ? { abortSignal: signal } : {}),
      });
      const value = read(answer);
      return value === undefined
        ? { kind: 'failed', problem: unreachable(address, 'its answer makes no sense') }
        : { kind: 'answered', value };
    } catch (error) {
      return answerOf(error, signal);
    }
  };
  const answerOf = (error: unknown, signal: AbortSignal | undefined): Exclude<EngineAnswer<never>, { kind: 'answered' }> => {
    const refusal = refusalOf(error);
    if (refusal) return { kind: 'refused', refusal };
    return { kind: 'failed', problem: signal?.aborted ? abortedEngine : unreachable(address, reasonOf(error)) };
  };
  return succeeded({
    name: address.name,
    json: (request) => ask(request, false, (answer) => answer ?? {}),
    stream: (request) => ask(request, true, (answer) => (answer instanceof IncomingMessage ? answer : undefined)),
    async connect({ path, protocol, headers, data = {} }) {
      try {
        const options = { _query: {}, _body: data };
        const socket = await dial({ method: 'POST', path, hijack: true, options, headers: { ...headers, Upgrade: protocol } });
        if (socket instanceof Socket) return { kind: 'answered', value: socket };
        return { kind: 'failed', problem: unreachable(address, 'it did not hand the connection over') };
      } catch (error) {
        return answerOf(error, undefined);
      }
    },
  });
}

function connect(address: EngineAddress): Result<InstanceType<ReturnType<typeof doors.docker>['Docker']>> {
  try {
    return succeeded(new (doors.docker().Docker)(address.options));
  } catch (error) {
    return failed(unreachable(address, reasonOf(error)));
  }
}

/** The package's error for a status it was not told to expect. */
function refusalOf(error: unknown): EngineRefusal | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  const said = 'json' in error ? (error.json as { readonly message?: string } | null) : null;
  const message = said?.message ?? error.message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
  return { status: error.statusCode, message: message === '' ? `HTTP ${error.statusCode}` : message };
}

export const abortedEngine: Problem = { code: 'aborted', message: 'the engine was told to stop', retry: 'afterDelay', exitCode: 1 };

export function unreachable(address: EngineAddress, reason: string): Problem {
  const denied = reason.includes('EACCES');
  return {
    code: 'engineUnreachable',
    message: `no Docker engine answers at ${address.name} (${address.because}): ${reason}`,
    hint: denied
      ? 'your user may not use that socket: add it to the docker group, then log in again'
      : 'start Docker, or point DOCKER_HOST or docker context use to an engine that runs',
    retry: 'afterDelay',
    exitCode: 3,
  };
}
