import { lstatSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { hasSystemFiles } from '../graph';
import type { Problem, WriteMode } from '../model';

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
  /** Removes what only the containers have there. */
  readonly mirror?: boolean;
  /** How a file that is there is replaced. Default: in place. */
  readonly write?: WriteMode;
  /** Files, directories or globs below `remotePath` that the containers make, and the folder gets. */
  readonly pull?: readonly string[];
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
  readonly mirror: boolean;
  readonly write: WriteMode;
  readonly pull: readonly string[];
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
 * (commas or line breaks between), `SLIPWAY_DEBOUNCE_MS`, `SLIPWAY_DELETES`, `SLIPWAY_MIRROR`, `SLIPWAY_WRITE` and `SLIPWAY_PULL` (as `SLIPWAY_EXCLUDE`). All mistakes are told at once, with exit code 2.
 */
export function readSyncSettings({ given, namespace, env, cwd }: SyncSources): ReadSettings {
  const mistakes: Problem[] = [];
  /** What was said, as whoever said it knows it. */
  const named = (name: keyof typeof flags & keyof GivenSync, variable: string): string =>
    given[name] === undefined && valueOf(variable) !== undefined ? `SLIPWAY_${variable}` : flags[name];
  const valueOf = (name: string): string | undefined => env[`SLIPWAY_${name}`] || undefined;
  const settings = {
    namespace: namespace ?? valueOf('NAMESPACE'),
    debounceMs: given.debounceMs ?? millisecondsIn(valueOf('DEBOUNCE_MS'), mistakes),
    deletes: given.deletes ?? yesOrNo('DELETES', valueOf('DELETES'), mistakes) ?? true,
  };
  const folder = {
    selector: given.selector ?? valueOf('SELECTOR'),
    container: given.container ?? valueOf('CONTAINER'),
    localPath: given.localPath ?? valueOf('LOCAL_PATH'),
    remotePath: given.remotePath ?? valueOf('REMOTE_PATH'),
    exclude: given.exclude && given.exclude.length > 0 ? given.exclude : patternsIn(valueOf('EXCLUDE')),
    mirror: given.mirror ?? yesOrNo('MIRROR', valueOf('MIRROR'), mistakes),
    write: writeMode(named('write', 'WRITE'), given.write ?? valueOf('WRITE'), mistakes),
    pull: given.pull && given.pull.length > 0 ? given.pull : patternsIn(valueOf('PULL')),
  };
  const { selector, container, localPath = '.', remotePath = '', exclude = [], mirror = false, write, pull = [] } = folder;
  if (selector === undefined) {
    const stray = Object.keys(flags).find((name): name is keyof typeof flags => given[name as keyof typeof flags] !== undefined);
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
    mistakes.push(
      wrong(`${named('remotePath', 'REMOTE_PATH')} is "${remotePath}", which is no absolute path below the root`, 'write it like /app'),
    );
  if (lstatSync(from, { throwIfNoEntry: false })?.isDirectory() !== true)
    mistakes.push(wrong(`${named('localPath', 'LOCAL_PATH')} is ${from}, which is no directory`, 'name a directory of this machine'));
  const to = posix.normalize(remotePath).replace(/\/$/, '');
  if (mirror && hasSystemFiles(to))
    mistakes.push(
      wrong(
        `--mirror would remove what only the containers have in ${to}, where they have files that they run on`,
        'name a directory of its own',
      ),
    );
  if (mirror && !settings.deletes) mistakes.push(wrong('--mirror removes files, and --no-deletes leaves them', 'leave one of them out'));
  for (const path of pull) {
    const pulled = posix.join(to, path);
    if (!pulled.startsWith(`${to}/`) || posix.isAbsolute(path))
      mistakes.push(wrong(`${named('pull', 'PULL')} ${path} is no path below ${to}`, `name one relative to it: --pull package-lock.json`));
  }
  return whole({ ...settings, folder: { selector, container, localPath: from, remotePath: to, exclude, mirror, write, pull } }, mistakes);
}

const flags = {
  container: '--container',
  localPath: '--local-path',
  remotePath: '--remote-path',
  exclude: '--exclude',
  mirror: '--mirror',
  write: '--write',
  pull: '--pull',
} as const;

function whole(value: SyncSettings, [first, ...others]: readonly Problem[]): ReadSettings {
  return first ? { ok: false, problems: [first, ...others] } : { ok: true, value };
}

function millisecondsIn(text: string | undefined, mistakes: Problem[]): number {
  const value = Number(text ?? '0');
  if (Number.isInteger(value) && value >= 0) return value;
  mistakes.push(wrong(`SLIPWAY_DEBOUNCE_MS is "${text ?? ''}", which is no number of milliseconds`, 'write it like 200'));
  return 0;
}

function yesOrNo(name: string, text: string | undefined, mistakes: Problem[]): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === 'true' || text === '1') return true;
  if (text !== 'false' && text !== '0') mistakes.push(wrong(`SLIPWAY_${name} is "${text}"`, 'true or false'));
  return false;
}

function writeMode(name: string, text: string | undefined, mistakes: Problem[]): WriteMode {
  if (text !== undefined && text !== 'in-place' && text !== 'atomic') mistakes.push(wrong(`${name} is "${text}"`, 'in-place or atomic'));
  return text === 'atomic' ? text : 'in-place';
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
