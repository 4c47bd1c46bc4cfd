import { lstatSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import type { Problem } from '../model';

/** What a sync may be told, by options or by variables of the environment. */
export interface GivenSync {
  /** Chooses pods that no project describes: `app=web`. */
  readonly selector?: string;
  /** Default: the first container of each pod. */
  readonly container?: string;
  /** The folder that they get. */
  readonly localPath?: string;
  /** Where it goes in the container, absolute. */
  readonly remotePath?: string;
  /** What stays out, as lines of a .gitignore. */
  readonly exclude?: readonly string[];
  /** Changes are copied when nothing has changed for so long. Default: at once. */
  readonly debounceMs?: number;
  /** Whether files that are removed here are removed there. Default: they are. */
  readonly deletes?: boolean;
}

export interface SyncSettings {
  readonly namespace: string | undefined;
  readonly debounceMs: number;
  readonly deletes: boolean;
  /** A folder and containers that no project describes. */
  readonly folder: FolderSync | undefined;
}

/** A folder of this machine and the containers that get it. */
export interface FolderSync {
  readonly selector: string;
  readonly container: string | undefined;
  /** Absolute. */
  readonly localPath: string;
  /** Absolute, below the root, without a slash at the end. */
  readonly remotePath: string;
  readonly exclude: readonly string[];
}

export interface SyncSources {
  readonly given: GivenSync;
  readonly namespace: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin. */
  readonly cwd: string;
}

type ReadSettings =
  { readonly ok: true; readonly value: SyncSettings } | { readonly ok: false; readonly problems: readonly [Problem, ...Problem[]] };

/**
 * Options, else `SLIPWAY_NAMESPACE`, `SLIPWAY_SELECTOR`, `SLIPWAY_CONTAINER`, `SLIPWAY_LOCAL_PATH`, `SLIPWAY_REMOTE_PATH`, `SLIPWAY_EXCLUDE`
 * (commas or line breaks between), `SLIPWAY_DEBOUNCE_MS` and `SLIPWAY_DELETES`. All mistakes are told at once, with exit code 2.
 */
export function readSyncSettings({ given, namespace, env, cwd }: SyncSources): ReadSettings {
  const mistakes: Problem[] = [];
  const valueOf = (name: string): string | undefined => env[`SLIPWAY_${name}`] || undefined;
  const settings = {
    namespace: namespace ?? valueOf('NAMESPACE'),
    debounceMs: given.debounceMs ?? millisecondsIn(valueOf('DEBOUNCE_MS'), mistakes),
    deletes: given.deletes ?? yesOrNo(valueOf('DELETES'), mistakes),
  };
  const folder = {
    selector: given.selector ?? valueOf('SELECTOR'),
    container: given.container ?? valueOf('CONTAINER'),
    localPath: given.localPath ?? valueOf('LOCAL_PATH'),
    remotePath: given.remotePath ?? valueOf('REMOTE_PATH'),
    exclude: given.exclude && given.exclude.length > 0 ? given.exclude : patternsIn(valueOf('EXCLUDE')),
  };
  const { selector, container, localPath = '.', remotePath = '', exclude = [] } = folder;
  if (selector === undefined) {
    const stray = (['container', 'localPath', 'remotePath', 'exclude'] as const).find((name) => given[name] !== undefined);
    if (stray !== undefined) {
      mistakes.push(
        wrong(
          `${flags[stray]} is for a folder that is brought to pods of any kind, and --selector, which chooses them, is missing`,
          'name labels of theirs: --selector app=web; of a project, config says what goes where',
        ),
      );
    }
    return whole({ ...settings, folder: undefined }, mistakes);
  }
  const from = resolve(cwd, localPath);
  if (remotePath === '') mistakes.push(wrong('--remote-path is missing: where in the container the folder goes', '--remote-path /app'));
  else if (!remotePath.startsWith('/') || posix.normalize(remotePath) === '/')
    mistakes.push(wrong(`--remote-path is "${remotePath}", which is no absolute path below the root`, 'write it like /app'));
  if (lstatSync(from, { throwIfNoEntry: false })?.isDirectory() !== true)
    mistakes.push(wrong(`--local-path is ${from}, which is no directory`, 'name a directory of this machine'));
  const to = posix.normalize(remotePath).replace(/\/$/, '');
  return whole({ ...settings, folder: { selector, container, localPath: from, remotePath: to, exclude } }, mistakes);
}

const flags = { container: '--container', localPath: '--local-path', remotePath: '--remote-path', exclude: '--exclude' } as const;

function whole(value: SyncSettings, [first, ...others]: readonly Problem[]): ReadSettings {
  return first ? { ok: false, problems: [first, ...others] } : { ok: true, value };
}

function millisecondsIn(text: string | undefined, mistakes: Problem[]): number {
  const value = Number(text ?? '0');
  if (Number.isInteger(value) && value >= 0) return value;
  mistakes.push(wrong(`SLIPWAY_DEBOUNCE_MS is "${text ?? ''}", which is no number of milliseconds`, 'write it like 200'));
  return 0;
}

function yesOrNo(text: string | undefined, mistakes: Problem[]): boolean {
  if (text === undefined || text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  mistakes.push(wrong(`SLIPWAY_DELETES is "${text}"`, 'true or false'));
  return true;
}

function patternsIn(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(/[,\n]/)
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
}

function wrong(message: string, hint: string): Problem {
  return { code: 'syncSettingsInvalid', message, hint, retry: 'never', exitCode: 2 };
}
