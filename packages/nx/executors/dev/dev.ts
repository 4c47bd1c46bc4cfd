import { resolve } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import type { LogChoice, Report } from '../../../model';
import { devkitOf } from '../../devkit';
import { execute, verbosityOf, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface DevExecutorOptions extends ExecutorOptions {
  readonly keep?: boolean;
  readonly takeover?: boolean;
  readonly attach?: boolean;
  readonly exitWhenReady?: boolean;
  readonly timeout?: string;
  /** Whose logs are shown: all, none, or these services'. */
  readonly logs?: boolean | string | readonly string[];
  readonly forward?: boolean;
  readonly events?: string;
}

/** `nx-slipway:dev`, a continuous target: ends when it is stopped. */
export default async function dev(options: DevExecutorOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { devCommand } = await import('../../../dev/index.js');
  return inThisProcess(async (surroundings) => {
    const { success } = await execute(
      options,
      context,
      surroundings,
      (common) =>
        devCommand({
          ...common,
          keep: options.keep ?? false,
          takeover: options.takeover ?? false,
          attach: options.attach ?? false,
          exitWhenReady: options.exitWhenReady ?? false,
          ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
          logs: logsChosen(options.logs),
          forward: options.forward ?? true,
          ...(options.events !== undefined && { events: resolve(context.cwd, options.events), verbosity: verbosityOf(options, context) }),
        }),
      { alsoReport: tellNxWhenReady(devkitOf(context.root)?.emitReadySignal), readableLogs: true },
    );
    return { success };
  });
}

function logsChosen(option: DevExecutorOptions['logs'] = true): LogChoice {
  if (typeof option === 'boolean') return option ? 'all' : [];
  return typeof option === 'string' ? option.split(/[\s,]+/).filter((name) => name !== '') : option;
}

/** For tasks that wait for this one to be ready; they get the first forwarded address. Nx before 24 knows of no such thing. */
export function tellNxWhenReady(emitReadySignal: ((url?: string) => boolean) | undefined): Report {
  let url: string | undefined;
  let told = false;
  return (event) => {
    if (event.kind === 'forwarded') url ??= event.url;
    if (event.kind !== 'ready' || told) return;
    told = true;
    emitReadySignal?.(url);
  };
}
