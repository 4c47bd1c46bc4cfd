import { Agent as HttpAgent, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Problem, type Result, failed, succeeded } from '../model';
import { type HttpRequest, reasonOf, sendRequest, textOf } from './httpRequest';
import type { ImageRef } from './imageRef';
import type { RegistryLogin, RegistryLogins } from './registryLogin';

export interface RegistryRequest {
  readonly image: ImageRef;
  readonly method: 'GET' | 'HEAD' | 'DELETE' | 'POST' | 'PUT';
  /** Below `/v2/<repository>`, or a whole address that the registry gave. */
  readonly path: string | URL;
  readonly access: 'pull' | 'push' | 'delete';
  readonly accept?: string;
  readonly body?: { readonly type: string; readonly content: NonNullable<HttpRequest['body']> };
  readonly signal?: AbortSignal;
}

/** Requests to registries: finds http or https, logs in when asked to. Answers of any status but a refused login come back. */
export interface RegistryHttp {
  send(request: RegistryRequest): Promise<Result<IncomingMessage>>;
  /** Where an image's registry was found to answer: what addresses in its answers are relative to. */
  origin(image: ImageRef): URL;
}

/** What a registry says it wants in `WWW-Authenticate`. */
interface Challenge {
  readonly scheme: string;
  readonly values: Readonly<Record<string, string>>;
}

/** `insecure` are registries that may be spoken to in plain http, and whose certificates are not checked. */
export function registryHttp(logins: RegistryLogins, insecure: ReadonlySet<string> = new Set()): RegistryHttp {
  const keep = { keepAlive: true, scheduling: 'lifo' } as const;
  const trusting = new HttpsAgent({ ...keep, rejectUnauthorized: false });
  const agents = { 'http:': new HttpAgent(keep), 'https:': new HttpsAgent(keep) };
  const protocols = new Map<string, 'http:' | 'https:'>();
  const authorizations = new Map<string, { readonly header: string; readonly until: number }>();

  /** Addresses that a registry gives may be of other hosts, whose certificates count. */
  const isInsecure = ({ host }: URL, { registry }: ImageRef): boolean =>
    insecure.has(registry) && host === new URL(`https://${registry}`).host;

  const sendTo = async (url: URL, { image, method, signal, body }: RegistryRequest, headers: OutgoingHttpHeaders) =>
    sendRequest({
      url,
      method,
      headers: { ...headers, ...(body ? { 'Content-Type': body.type } : {}) },
      agent: url.protocol === 'http:' ? agents['http:'] : isInsecure(url, image) ? trusting : agents['https:'],
      ...(body ? { body: body.content } : {}),
      ...(signal ? { signal } : {}),
    });

  /** Plain http is only ever tried where the network is the machine's own or a private one, or where it was asked for. */
  const sendByProtocol = async (request: RegistryRequest, headers: OutgoingHttpHeaders): Promise<Result<IncomingMessage>> => {
    const { registry, repository } = request.image;
    const host = hostOf(registry);
    const known = protocols.get(host);
    const candidates = known
      ? [known]
      : isLocalHost(host) || insecure.has(registry)
        ? (['http:', 'https:'] as const)
        : (['https:'] as const);
    let failure: unknown;
    for (const protocol of candidates) {
      const base = `${protocol}//${host}/v2/${repository}`;
      const url = typeof request.path === 'string' ? new URL(base + request.path) : request.path;
      // Bytes that are to go elsewhere go with the key in their address, not with the login of this registry.
      const { Authorization, ...others } = headers;
      const sent = await sendTo(
        url,
        request,
        url.host === new URL(base).host && Authorization !== undefined ? { ...others, Authorization } : others,
      );
      if (sent.kind === 'failed') {
        failure ??= sent.error;
      } else if (protocol === 'http:' && known === undefined && sent.answer.statusCode === 400) {
        // A server that speaks TLS says so to a plain request with this status.
        sent.answer.resume();
        failure = new Error('it answers plain http with status 400');
      } else {
        protocols.set(host, protocol);
        return succeeded(sent.answer);
      }
    }
    return failed(unreachable(registry, failure, request.signal));
  };

  const authorize = async (challenge: Challenge, { image, access, signal }: RegistryRequest): Promise<Result<string>> => {
    const login = await logins.find(image.registry);
    if (challenge.scheme === 'basic') {
      if (login?.kind !== 'password') return failed(loginWanted(image, 'it wants a login'));
      return succeeded(basic(login));
    }
    const { realm, service } = challenge.values;
    if (challenge.scheme !== 'bearer' || realm === undefined) return failed(loginWanted(image, `it wants a login by ${challenge.scheme}`));
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    // Making a blob of one repository one of another needs to read there: such a challenge has two scopes.
    const scopes = challenge.values['scope'] ?? `repository:${image.repository}:${access === 'push' ? 'pull,push' : access}`;
    for (const scope of scopes.split(' ')) url.searchParams.append('scope', scope);
    return fetchToken(url, login, image, signal);
  };

  const fetchToken = async (
    url: URL,
    login: RegistryLogin | undefined,
    image: ImageRef,
    signal: AbortSignal | undefined,
  ): Promise<Result<string>> => {
    const exchange = login?.kind === 'identityToken';
    if (exchange) url.searchParams.set('grant_type', 'refresh_token');
    const form = exchange
      ? new URLSearchParams([...url.searchParams, ['client_id', 'slipway'], ['refresh_token', login.token]]).toString()
      : undefined;
    const sent = await sendRequest({
      url: form === undefined ? url : new URL(url.origin + url.pathname),
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        ...(login?.kind === 'password' ? { Authorization: basic(login) } : {}),
        ...(form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
      },
      agent: agents[url.protocol === 'http:' ? 'http:' : 'https:'],
      ...(form === undefined ? {} : { body: form }),
      ...(signal ? { signal } : {}),
    });
    if (sent.kind === 'failed') return failed(unreachable(url.host, sent.error, signal));
    const text = (await textOf(sent.answer)) ?? '';
    if (sent.answer.statusCode !== 200)
      return failed(loginWanted(image, `${url.host} answers HTTP ${sent.answer.statusCode ?? 0} to the login`));
    const token = tokenIn(text);
    return token === undefined ? failed(loginWanted(image, `${url.host} gave no token`)) : succeeded(`Bearer ${token}`);
  };

  return {
    origin: ({ registry }) => new URL(`${protocols.get(hostOf(registry)) ?? 'https:'}//${hostOf(registry)}`),
    async send(request) {
      const key = `${request.image.registry}/${request.image.repository}:${request.access}`;
      const remembered = authorizations.get(key);
      const authorization = remembered && remembered.until > Date.now() ? { Authorization: remembered.header } : {};
      const headers = { 'User-Agent': 'slipway', ...(request.accept === undefined ? {} : { Accept: request.accept }) };
      const first = await sendByProtocol(request, { ...headers, ...authorization });
      if (!first.ok || first.value.statusCode !== 401)
        return first.ok && first.value.statusCode === 403 ? failed(loginWanted(request.image, 'HTTP 403')) : first;
      first.value.resume();
      const header = await authorize(challengeOf(first.value.headers['www-authenticate'] ?? ''), request);
      if (!header.ok) return header;
      authorizations.set(key, { header: header.value, until: Date.now() + tokenLifeMs });
      const second = await sendByProtocol(request, { ...headers, Authorization: header.value });
      if (!second.ok || (second.value.statusCode !== 401 && second.value.statusCode !== 403)) return second;
      second.value.resume();
      authorizations.delete(key);
      return failed(loginWanted(request.image, `HTTP ${second.value.statusCode}`));
    },
  };
}

/** Docker Hub's registry has another name than its images. */
function hostOf(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry;
}

/** The shortest life that the token protocol allows is a minute. */
const tokenLifeMs = 50_000;

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function tokenIn(text: string): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(text) as { readonly token?: string; readonly access_token?: string };
    return token ?? accessToken;
  } catch {
    return undefined;
  }
}

/** `Bearer realm="https://auth.docker.io/token",service="registry.docker.io"`. */
function challengeOf(header: string): Challenge {
  const [, scheme = 'none', rest = ''] = /^(\w+)\s*([\s\S]*)$/.exec(header) ?? [];
  const values = Object.fromEntries([...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]));
  return { scheme: scheme.toLowerCase(), values };
}

/** Loopback, private addresses, and names that never leave the machine or its container network. */
export function isLocalHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return (
    name === 'localhost' ||
    name === '::1' ||
    name.endsWith('.localhost') ||
    name.endsWith('.local') ||
    name.endsWith('.internal') ||
    !/[.:]/.test(name) ||
    /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)[\d.]+$/.test(name)
  );
}

function unreachable(registry: string, error: unknown, signal: AbortSignal | undefined): Problem {
  if (signal?.aborted) return { code: 'aborted', message: 'the request was cancelled', retry: 'afterDelay', exitCode: 1 };
  return {
    code: 'registryUnreachable',
    message: `the registry ${registry} does not answer: ${reasonOf(error)}`,
    hint: 'start it, or correct defaultRepo',
    retry: 'afterDelay',
    exitCode: 3,
  };
}

function loginWanted({ registry, repository }: ImageRef, reason: string): Problem {
  return {
    code: 'registryRefused',
    message: `the registry ${registry} refuses ${repository}: ${reason}`,
    hint: `log in with: docker login ${registry}`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}
