import type { OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Agent as HttpsAgent } from 'node:https';
import { type Result, failed, messageOf, succeeded } from '../model';
import { doors } from './doors';
import type { PinnedContext } from './kubeconfig';

/** What a connection needs to be let in. */
export interface KubeCredentials {
  readonly headers: OutgoingHttpHeaders;
  /** Keeps connections alive, and knows certificates and proxy. */
  readonly agent: HttpAgent;
}

export interface KubeLogin {
  /** The same until `renew`; a credential plugin runs once. */
  credentials(): Promise<Result<KubeCredentials>>;
  /** After the server refused these: asks the plugin or reads the token file anew. Several that were refused together renew once. */
  renew(refused: KubeCredentials): void;
}

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
  try {
    await config.applyToHTTPSOptions(options);
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
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
  );
  // Last in, first out: a burst's extra connections close by themselves afterwards.
  const keep = { keepAlive: true, keepAliveMsecs: 5_000, scheduling: 'lifo', noDelay: true } as const;
  const proxied = cluster.proxyUrl !== undefined && options.agent instanceof HttpAgent;
  const agent = proxied ? (options.agent as HttpAgent) : plain ? new HttpAgent(keep) : new HttpsAgent({ ...keep, ...tls });
  return succeeded({ headers, agent });
}
