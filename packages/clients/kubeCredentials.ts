import type { OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Result, failed, messageOf, succeeded } from '../model';
import { doors } from './doors';
import type { PinnedContext } from './kubeconfig';

/** What a connection needs to be let in. */
export interface KubeCredentials {
  readonly headers: OutgoingHttpHeaders;
  /** Keeps connections alive, and knows certificates and proxy. For what goes on: watches, logs, exec. */
  readonly agent: HttpAgent;
  /** The same, of few connections: many requests at once wait for one rather than for as many handshakes. */
  readonly requestAgent: HttpAgent;
}

export interface KubeLogin {
  /** The same until `renew`; a credential plugin runs once. */
  credentials(): Promise<Result<KubeCredentials>>;
  /** After the server refused these: asks the plugin or reads the token file anew. Several that were refused together renew once. */
  renew(refused: KubeCredentials): void;
}

/** A handshake takes as long as some ten requests, on both sides. */
const requestConnections = 6;

export function kubeLogin(pinned: PinnedContext): KubeLogin {
  let current: Promise<Result<KubeCredentials>> | undefined;
  let made: KubeCredentials | undefined;
  return {
    async credentials() {
      current ??= makeCredentials(pinned);
      const result = await current;
      if (result.ok) made = result.value;
      else current = undefined;
      return result;
    },
    renew(refused) {
      if (refused === made) current = made = undefined;
    },
  };
}

async function makeCredentials({ cluster, context, user, target }: PinnedContext): Promise<Result<KubeCredentials>> {
  // A config of its own each time, because it remembers what a plugin said. The package refuses plain http unless told not to verify.
  const plain = cluster.server.startsWith('http:');
  const config = new (doors.kubernetes().KubeConfig)();
  const pinnedCluster = plain ? { ...cluster, skipTLSVerify: true } : cluster;
  config.loadFromOptions({ clusters: [pinnedCluster], contexts: [context], users: [user], currentContext: context.name });
  const options: RequestOptions = {};
  let secureContext: SecureContext;
  try {
    await config.applyToHTTPSOptions(options);
    // Certificates and keys are read once, not for every connection.
    const { ca, cert, key, pfx, passphrase } = options;
    secureContext = createSecureContext({ ca, cert, key, pfx, passphrase });
  } catch (error) {
    return failed({
      code: 'credentialsFailed',
      message: `the login of user ${user.name} for the context ${target.context} failed: ${messageOf(error).trim().split('\n')[0] ?? ''}`,
      hint: 'check it with: kubectl auth whoami',
      retry: 'afterDelay',
      exitCode: 3,
      detail: messageOf(error),
    });
  }
  const headers: OutgoingHttpHeaders = { ...(options.headers as OutgoingHttpHeaders | undefined) };
  if (options.auth) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const { rejectUnauthorized, servername } = options;
  // Last in, first out: a burst's extra connections close by themselves afterwards.
  const keep = { keepAlive: true, keepAliveMsecs: 5_000, scheduling: 'lifo', noDelay: true } as const;
  const tls = {
    secureContext,
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    ...(servername !== undefined && { servername }),
  };
  const agentOf = (most: { readonly maxSockets?: number }) =>
    plain ? new HttpAgent({ ...keep, ...most }) : new HttpsAgent({ ...keep, ...most, ...tls });
  if (cluster.proxyUrl !== undefined && options.agent instanceof HttpAgent)
    return succeeded({ headers, agent: options.agent, requestAgent: options.agent });
  return succeeded({ headers, agent: agentOf({}), requestAgent: agentOf({ maxSockets: requestConnections }) });
}
