import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Result, failed, succeeded } from '../model';
import { sendRequest, textOf } from './httpRequest';
import type { KubeTarget } from './kube';
import type { KubeCredentials, KubeLogin } from './kubeCredentials';
import { type KubeStatus, abortedProblem, problemOfStatus, unreachableProblem } from './kubeProblem';

export interface KubeRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  readonly path: string;
  /** What an error is about: `Deployment shop/api`. */
  readonly subject: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** Requests to one API server. All that are made are safe to repeat, so one that a closing connection swallowed is sent again. */
export interface KubeHttp {
  readonly target: KubeTarget;
  readonly login: KubeLogin;
  /** The answer's JSON. */
  json(request: KubeRequest): Promise<Result<unknown>>;
  /** An answer that goes on: a watch, a log. */
  stream(request: KubeRequest): Promise<Result<IncomingMessage>>;
}

const maxBusyRetries = 4;

export function kubeHttp(target: KubeTarget, login: KubeLogin): KubeHttp {
  const answerOf = async (request: KubeRequest, connections: 'agent' | 'requestAgent'): Promise<Result<IncomingMessage>> => {
    let renewed = false;
    let busy = 0;
    for (;;) {
      const credentials = await login.credentials();
      if (!credentials.ok) return credentials;
      const answer = await send(request, { target, headers: credentials.value.headers, agent: credentials.value[connections] });
      if (!answer.ok) return answer;
      const status = answer.value.statusCode ?? 0;
      if (status >= 200 && status < 300) return answer;
      if (status === 401 && !renewed) {
        renewed = true;
        login.renew(credentials.value);
      } else if (status === 429 && busy < maxBusyRetries) {
        busy += 1;
        await pause(Math.min(Number(answer.value.headers['retry-after'] ?? 1), 5) * 1_000);
      } else {
        return failed(problemOfStatus(statusOf((await textOf(answer.value)) ?? '', status), request.subject));
      }
      answer.value.resume();
    }
  };
  return {
    target,
    login,
    stream: (request) => answerOf(request, 'agent'),
    async json(request) {
      const answer = await answerOf(request, 'requestAgent');
      if (!answer.ok) return answer;
      const text = await textOf(answer.value);
      if (text !== undefined) return parsed(text, target);
      return failed(
        request.signal?.aborted ? abortedProblem : unreachableProblem('the connection closed in the middle of an answer', target),
      );
    },
  };
}

async function send(
  request: KubeRequest,
  { target, headers, agent }: { readonly target: KubeTarget } & Pick<KubeCredentials, 'headers' | 'agent'>,
): Promise<Result<IncomingMessage>> {
  const { method, body, signal } = request;
  const sent = await sendRequest({
    url: new URL(target.server + request.path),
    method,
    agent,
    headers: {
      ...headers,
      Accept: 'application/json',
      'User-Agent': 'slipway',
      ...(body === undefined ? {} : { 'Content-Type': request.contentType ?? 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
    ...(signal ? { signal } : {}),
  });
  if (sent.kind === 'answered') return succeeded(sent.answer);
  return failed(signal?.aborted ? abortedProblem : unreachableProblem(sent.error, target));
}

function parsed(text: string, target: KubeTarget): Result<unknown> {
  try {
    return succeeded(JSON.parse(text) as unknown);
  } catch {
    return failed(unreachableProblem('what answers there is no API server', target));
  }
}

/** Proxies answer with pages of their own: then the code is all that is known. */
export function statusOf(text: string, code: number): KubeStatus {
  try {
    const status = JSON.parse(text) as KubeStatus | null;
    if (status !== null && typeof status === 'object') return { ...status, code: status.code ?? code };
  } catch {
    return { code, message: `HTTP ${code} ${text.slice(0, 200)}` };
  }
  return { code };
}
