import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeEmbedded, embeddedDown, embeddedUp, refusalOfMachine } from './embedded';
import type { Environment } from './environment';
import { describeKind, kindDown, kindIsHere, kindIsUp, kindUp } from './kind';
import { cacheFolderOf, layoutOf, refusalOfState, stateFolderOf, type Layout } from './layout';
import { ClusterProblem } from './problem';
import { progressTo, type Progress, type Say } from './progress';
import { describeTold, toldBy } from './told';

export type { Environment } from './environment';
export { shellLines } from './environment';
export { ClusterProblem } from './problem';
export type { Say } from './progress';

export interface ClusterOptions {
  /** The context of a cluster to use as it is. Default: SLIPWAY_CONTEXT. */
  readonly context?: string | undefined;
  /** The file that context is in. Default: SLIPWAY_KUBECONFIG, else kubectl's own rules. */
  readonly kubeconfig?: string | undefined;
  /** Which of the clusters that we make; default: kind where it is, else embedded. */
  readonly kind?: 'kind' | 'embedded' | undefined;
  /** The embedded cluster's folder. Default: SLIPWAY_CLUSTER_STATE, else `/var/lib/slipway/cluster`. */
  readonly state?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  /** Hears one line for each step. */
  readonly say?: Say;
}

export interface UpOptions extends ClusterOptions {
  /** Leaves what a failed call made, to look at. */
  readonly keepFailed?: boolean;
  /** Ends the call: what it made until then is cleared away. */
  readonly signal?: AbortSignal;
}

/**
 * Sees to it that a cluster is there, and tells where: the one that was named, else kind's, else the embedded one. Calling it again changes
 * nothing. Throws a `ClusterProblem` when there can be none.
 */
export async function up(options: UpOptions = {}): Promise<Environment> {
  const env = options.env ?? process.env;
  const progress = progressTo(options.say ?? (() => undefined));
  const told = toldBy(options, env);
  if (told !== undefined) {
    const environment = await describeTold(told, env);
    progress.note(`using the cluster of context ${environment.context}, as told`);
    return environment;
  }
  const layout = layoutOfOptions(options);
  // What runs stays what is used, also when kind was installed in the meantime.
  const embeddedRuns = existsSync(layout.readyFile) && refusalOfMachine() === undefined && describeEmbedded(layout) !== undefined;
  if (options.kind !== 'embedded' && !embeddedRuns && (await kindIsHere(env))) return named(progress, () => kindUp(env, progress));
  if (options.kind === 'kind')
    throw new ClusterProblem('kind was asked for, and kind or a Docker engine for it is not here', 'Install kind, and start Docker.');
  const refusal = refusalOfMachine();
  if (refusal !== undefined) {
    throw new ClusterProblem(
      `there is no cluster to use, and no embedded one can be started: ${refusal}`,
      'Install kind and start Docker; or name a cluster of your own with --context NAME; or run this on Linux as root, with Go 1.24 or later (go.dev/dl) on PATH.',
    );
  }
  return named(progress, () =>
    embeddedUp({
      layout,
      sourceFolder: sourceFolder(),
      cacheFolder: cacheFolderOf(env),
      env,
      progress,
      keepFailed: options.keepFailed ?? false,
      signal: options.signal,
    }),
  );
}

/** Ends the cluster that `up` made, and removes all of it; one that was named, or an engine that ran before, is left alone. */
export async function down(options: ClusterOptions = {}): Promise<void> {
  const env = options.env ?? process.env;
  const progress = progressTo(options.say ?? (() => undefined));
  const told = toldBy(options, env);
  if (told !== undefined) {
    progress.note(`the cluster${told.context === undefined ? '' : ` of context ${told.context}`} is not ours, and stays as it is`);
    return;
  }
  const layout = layoutOfOptions(options);
  const wantsKind = options.kind !== 'embedded' && (await kindIsUp(env));
  if (wantsKind) await kindDown(env, progress);
  if (options.kind === 'kind') return;
  const refusal = refusalOfMachine();
  if (refusal === undefined) await named(progress, () => embeddedDown({ layout, progress }));
  else if (!wantsKind) progress.note('no cluster runs here');
}

/** Where the cluster is, or nothing when none is up. Changes nothing. */
export async function describe(options: ClusterOptions = {}): Promise<Environment | undefined> {
  const env = options.env ?? process.env;
  const told = toldBy(options, env);
  if (told !== undefined) return describeTold(told, env);
  const layout = layoutOfOptions(options);
  if (options.kind !== 'kind' && refusalOfMachine() === undefined) {
    const embedded = describeEmbedded(layout);
    if (embedded !== undefined) return embedded;
  }
  return options.kind !== 'embedded' && (await kindIsUp(env)) ? describeKind(env) : undefined;
}

function layoutOfOptions(options: ClusterOptions): Layout {
  const state = options.state ?? stateFolderOf(options.env ?? process.env);
  const refusal = refusalOfState(state);
  if (refusal !== undefined) throw new ClusterProblem(refusal, 'Name another with SLIPWAY_CLUSTER_STATE.', { exitCode: 2 });
  return layoutOf(state);
}

/** The package's own folder of Go sources: this file is `dist/cluster/index.js`. */
function sourceFolder(): string {
  return join(__dirname, '..', '..', 'cluster', 'go');
}

/** Says in which step something went wrong. */
async function named<T>(progress: Progress, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof ClusterProblem && thrown.exitCode === 3 && progress.current !== undefined) {
      throw new ClusterProblem(`failed while ${progress.current}: ${thrown.message}`, thrown.hint, {
        exitCode: thrown.exitCode,
        cause: thrown,
      });
    }
    throw thrown;
  }
}
