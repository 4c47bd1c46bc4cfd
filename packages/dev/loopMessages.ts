import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultRepoOf } from '../graph';
import { succeeded, type Event, type LogChoice, type Problem, type ReleaseName, type Result, type Wish } from '../model';
import type { CommandResult, TimedDevOptions } from './command';
import { approachClusterOf, askedProfiles } from './session';

/** Changed with every change of the messages. */
const protocol = 2;

/** What the two ends of a line say first. */
export interface Greeting {
  readonly slipway: string;
  readonly protocol: number;
  readonly pid: number;
}

/** Where a `dev` deploys to, and how: one loop has one of each. */
export interface Place {
  readonly context: string;
  readonly server: string;
  /** By its flag. */
  readonly namespace?: string;
  /** Of the context. */
  readonly usualNamespace: string;
  readonly repo?: string;
  /** Those that were asked for, with commas. */
  readonly profiles?: string;
  readonly push?: boolean;
  readonly keepsVolumes: boolean;
}

/** What a `dev` wants of the loop that it joins. */
export interface PartRequest {
  readonly projects: readonly string[];
  readonly keep: boolean;
  readonly takeover: boolean;
  readonly logs: LogChoice;
  readonly forward: boolean;
  readonly exitWhenReady: boolean;
  readonly timeoutMs?: number;
}

export type DevResult = CommandResult<{ readonly stopped: string }>;

/** From who joins. */
export type MemberMessage =
  | ({ readonly kind: 'join'; readonly request: PartRequest; readonly place: Place } & Greeting)
  | { readonly kind: 'wish'; readonly wish: Wish }
  | { readonly kind: 'leave' };

/** From who leads. `ended` is the last; a line that closes without is one whose other end has left the loop to others. */
export type LeaderMessage =
  | ({ readonly kind: 'hello' } & Greeting)
  | { readonly kind: 'joined' }
  /** All that would be left by who leads, were it killed: who takes the loop over knows of it. */
  | { readonly kind: 'unclaimed'; readonly releases: readonly ReleaseName[] }
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'ended'; readonly result: DevResult };

export function greeting(): Greeting {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { readonly version: string };
  return { slipway: version, protocol, pid: process.pid };
}

/** Messages of another version are of no use beyond their greeting. */
export function isOurVersion(other: Greeting): boolean {
  const own = greeting();
  return other.slipway === own.slipway && other.protocol === own.protocol;
}

/** As much of a message as every version has. */
export function greetingIn(message: unknown): Greeting | undefined {
  const { slipway, protocol: number, pid } = Object(message) as Partial<Greeting>;
  return typeof slipway === 'string' && typeof number === 'number' && typeof pid === 'number'
    ? { slipway, protocol: number, pid }
    : undefined;
}

export function partRequestOf({ projects, keep, takeover, logs, forward, exitWhenReady, timeoutMs }: TimedDevOptions): PartRequest {
  return {
    projects,
    keep,
    takeover: takeover === true,
    logs,
    forward,
    exitWhenReady: exitWhenReady === true,
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** Where a `dev` with these options would deploy to. Failures: those of a kubeconfig. */
export async function placeOf(options: TimedDevOptions): Promise<Result<Place>> {
  const { env, namespace, defaultRepo, push, keepVolumes } = options;
  const profiles = askedProfiles(options).join(',');
  const approached = await approachClusterOf(options);
  if (!approached.ok) return approached;
  const { target } = approached.value;
  const { repo } = defaultRepoOf({ flag: defaultRepo, env, config: undefined });
  return succeeded({
    context: target.context,
    server: target.server,
    ...(namespace !== undefined && { namespace }),
    usualNamespace: target.namespace,
    ...(repo !== undefined && { repo }),
    ...(profiles !== '' && { profiles }),
    ...(push !== undefined && { push }),
    keepsVolumes: keepVolumes === true,
  });
}

/** Why a `dev` cannot join the one that leads; undefined: it can. */
export function conflictOf(leader: Place, member: Place, pid: number): Problem | undefined {
  const differences: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['context', leader.context, member.context],
    ['the cluster at', leader.server, member.server],
    ['--namespace', leader.namespace, member.namespace],
    ['the namespace of its context,', leader.usualNamespace, member.usualNamespace],
    ['--default-repo', leader.repo, member.repo],
    ['--profile', leader.profiles, member.profiles],
    ['--push', leader.push?.toString(), member.push?.toString()],
    ['--keep-volumes', leader.keepsVolumes.toString(), member.keepsVolumes.toString()],
  ];
  const [difference] = differences.flatMap(([what, own, other]) =>
    own === other
      ? []
      : [own === undefined ? `no ${what}, where this one has ${other ?? ''}` : `${what} ${own}, not ${other ?? 'the usual one'}`],
  );
  if (difference === undefined) return undefined;
  return {
    code: 'loopElsewhere',
    message: `a dev runs in this workspace already (process ${pid}), and its loop has ${difference}`,
    hint: 'give this one the same flags, or end the other first',
    retry: 'never',
    exitCode: 2,
  };
}

export function otherVersion({ slipway, pid }: Greeting): Problem {
  return {
    code: 'loopOfOtherVersion',
    message: `a dev of slipway ${slipway} runs in this workspace already (process ${pid}), and this is ${greeting().slipway}: they have no language in common`,
    hint: 'end the other first',
    retry: 'never',
    exitCode: 2,
  };
}

export function silentLeader(pid: number | undefined): Problem {
  return {
    code: 'loopSilent',
    message: `a dev runs in this workspace already${pid === undefined ? '' : ` (process ${pid})`}, and does not answer`,
    hint: 'end the other first, or let it go on where it was suspended',
    retry: 'never',
    exitCode: 1,
  };
}
