import type { Layout } from './layout';
import type { Networks } from './network';

/** What one cluster is made of, decided before anything is started and kept in its state folder. */
export interface Plan {
  readonly layout: Layout;
  readonly networks: Networks;
  readonly engine: EnginePlan;
  readonly tools: Tools;
  readonly tokens: Tokens;
  /** Whether the namespaces have a way out to where the host can go. */
  readonly outside: boolean;
}

export type EnginePlan =
  | { readonly kind: 'own' }
  /** A Docker engine that ran before us. It reaches the registry through a port of the host's loopback, which it takes for safe without TLS. */
  | { readonly kind: 'host'; readonly socket: string; readonly registryPort: number };

/** Absolute paths of the programs that the first process starts. */
export interface Tools {
  readonly kubernetes: string;
  readonly coredns: string;
  readonly cniFolder: string;
}

export const USERS = ['admin', 'controllers', 'scheduler', 'kubelet', 'proxy', 'dns'] as const;
export type User = (typeof USERS)[number];
/** A bearer token for each user of the API. */
export type Tokens = Readonly<Record<User, string>>;
