import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandOptions, CommandResult } from '../dev';
import type { WriteMode } from '../model';
import { orphanLines, pruneLines, renderLines, stopLines, syncLines } from '../report';
import type { Commands } from './commands';
import type { Printing } from './output';

/** What the command line has for all its commands. */
export interface CommandLine<Flags> {
  readonly command: (name: string, description: string, operands?: string) => Command;
  readonly ofCluster: (command: Command) => Command;
  readonly act: <Document>(
    flags: Flags,
    projects: readonly string[],
    long: boolean,
    start: (options: CommandOptions) => Promise<CommandResult<Document>>,
    printing: Printing<Document>,
  ) => Promise<void>;
  readonly commands: Commands;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks a person; undefined where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

interface LogsFlags {
  readonly follow?: boolean;
  readonly since?: string;
  readonly tail?: number;
  readonly container?: string;
}

interface RenderFlags {
  readonly output?: string;
  readonly offline?: boolean;
}

interface SyncFlags {
  readonly once?: boolean;
  readonly verify?: boolean;
  readonly wait?: boolean;
  readonly stop?: string;
  readonly selector?: string;
  readonly container?: string;
  readonly localPath?: string;
  readonly remotePath?: string;
  readonly exclude?: readonly string[];
  readonly debounceMs?: number;
  readonly deletes?: boolean;
  readonly mirror?: boolean;
  readonly write?: WriteMode;
  readonly pull?: readonly string[];
}

interface PruneFlags {
  readonly dryRun?: boolean;
  readonly images?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** The commands that look at, or mend, what is deployed already. */
export function addToolCommands<Flags>({ command, ofCluster, act, commands, cwd, env, ask }: CommandLine<Flags>): void {
  ofCluster(command('sync', 'keep containers that run already in step with the files; builds, applies and deletes nothing'))
    .option('--once', 'end when all is in step')
    .option('--verify', 'compare what containers really hold; without --once nothing is copied')
    .option('--wait', 'wait for something that runs')
    .option('--selector <labels>', 'containers that no project describes, by the labels of their pods: app=web (SLIPWAY_SELECTOR)')
    .option('--container <name>', 'their container (default: the first; SLIPWAY_CONTAINER)')
    .option('--local-path <folder>', 'the folder that they get (default: this one; SLIPWAY_LOCAL_PATH)')
    .option('--remote-path <path>', 'where it goes (SLIPWAY_REMOTE_PATH)')
    .option('--exclude <pattern...>', 'what stays out, as in a .gitignore (SLIPWAY_EXCLUDE)')
    .option('--debounce-ms <ms>', 'copy when nothing has changed for so long (default: at once; SLIPWAY_DEBOUNCE_MS)', wholeNumber)
    .option('--no-deletes', 'leave there what is removed here (SLIPWAY_DELETES=false)')
    .option('--mirror', 'remove there what only the containers have (SLIPWAY_MIRROR=true)')
    .addOption(
      new Option('--write <how>', 'how a file that is there is replaced (default: in-place; SLIPWAY_WRITE)').choices([
        'in-place',
        'atomic',
      ]),
    )
    .option('--pull <path...>', 'what the containers make below the remote path, and the folder gets (SLIPWAY_PULL)')
    .option('--stop <name>', 'end another sync, by the name that `slipway status` gives it')
    .action((projects: string[], flags: Flags & SyncFlags, sync: Command) => {
      const { stop } = flags;
      if (stop !== undefined) {
        const end = (options: CommandOptions) => commands.stopSync({ ...options, name: stop });
        return act(flags, [], false, end, { lines: stopLines, saysMore: ({ stopped }) => stopped.length > 0, anywhere: true });
      }
      const selected = flags.selector !== undefined ? '--selector' : env['SLIPWAY_SELECTOR'] ? 'SLIPWAY_SELECTOR' : undefined;
      const [project] = projects;
      if (selected !== undefined && project !== undefined)
        sync.error(`error: ${selected} chooses pods that no project describes, and the project ${project} is named too`, {
          code: 'commander.conflictingOption',
        });
      const { once = false, verify = false, wait = false, deletes, ...rest }: SyncFlags = flags;
      // Without --no-deletes commander says true, where the environment may say something else.
      const given = { ...rest, ...(deletes === false && { deletes }) };
      const start = (options: CommandOptions) => commands.sync({ ...options, once, verify, wait, given, cwd });
      return act(flags, projects, true, start, {
        lines: once || verify ? syncLines : () => [],
        saysMore: ({ containers }) => containers.some(({ differences }) => differences !== undefined),
        endless: !once && !verify,
        // A folder needs no workspace around it.
        anywhere:
          selected !== undefined || 'change into the workspace, or say which pods get this folder: --selector app=web --remote-path /app',
      });
    });
  ofCluster(command('logs', 'what the containers of the projects have logged'))
    .option('-f, --follow', 'go on with what they log next, until Ctrl+C')
    .option('--since <duration>', 'only what is not older: 30s, 10m, 1h30m')
    .option('--tail <lines>', 'only so many of the last lines of each container', wholeNumber)
    .option('--container <name>', 'only containers of this name')
    .action((projects: string[], flags: Flags & LogsFlags) => {
      const { follow = false, since, tail, container } = flags;
      const start = (options: CommandOptions) =>
        commands.logs({
          ...options,
          follow,
          ...(since === undefined ? {} : { since }),
          ...(tail === undefined ? {} : { tail }),
          ...(container === undefined ? {} : { container }),
        });
      return act(flags, projects, true, start, { lines: () => [], endless: follow, logs: true });
    });
  ofCluster(command('render', 'print the manifests as they would be applied'))
    .option('--output <file>', 'write them to a file; - is standard output')
    .option('--offline', 'ask neither the cluster nor a registry: images get their tag without a digest')
    .action((projects: string[], flags: Flags & RenderFlags) => {
      const { output = '-', offline = false } = flags;
      const start = (options: CommandOptions) =>
        commands.render({ ...options, offline, ...(output === '-' ? {} : { output: resolve(cwd, output) }) });
      return act(flags, projects, false, start, {
        lines: renderLines,
        json: ({ releases, images, file }) => ({ releases, images, ...(file === undefined ? {} : { file }) }),
        isProduct: true,
      });
    });
  ofCluster(command('prune', 'remove what this workspace has deployed and has no project for any more', ''))
    .option('--dry-run', 'only say what would be removed')
    .option('--images', 'also images of this workspace that nothing uses, in the engine and in the registry of the cluster')
    .option('-y, --yes', 'do not ask')
    .action((flags: Flags & PruneFlags) => {
      const { dryRun = false, images = false, yes = false, json = false } = flags;
      const start = (options: CommandOptions) =>
        commands.prune({
          ...options,
          projects: [],
          dryRun,
          images,
          ...(ask && !yes && !json
            ? {
                confirm: async (left) => {
                  const answer = await ask([...orphanLines(left), `remove ${left.length === 1 ? 'it' : 'them'}? [y/N] `].join('\n'));
                  return /^y(es)?$/i.test(answer.trim());
                },
              }
            : {}),
        });
      return act(flags, [], false, start, { lines: pruneLines });
    });
}

/** What flags with numbers take. */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('give a whole number');
  return Number(text);
}
