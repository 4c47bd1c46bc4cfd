import type { GraphSource } from '../graph';
import type { ExitCode, LogChoice, Problem, Report, Wish } from '../model';
import type { Verbosity } from '../report';

export type {
  BuildDocument,
  ConfigDocument,
  DeleteDocument,
  DeployDocument,
  DoctorDocument,
  ExplainDocument,
  InputsDocument,
  LogsDocument,
  PruneDocument,
  RenderDocument,
  StopDocument,
  SyncDocument,
  SyncSession,
  StatusDocument,
} from '../report';

/** What every command is told. The command line and the executors fill it in; nothing below reads `process`. */
export interface CommandOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly graph: GraphSource;
  /** Names of projects; empty means all that have an image or manifests. */
  readonly projects: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  /** The context's name means the cluster that is behind it now, whichever it meant before. */
  readonly acceptContext?: boolean;
  readonly namespace?: string;
  readonly defaultRepo?: string;
  /** Profiles that are asked for, with commas, and with a dash before the name those that must not be. Absent: those of SLIPWAY_PROFILE. */
  readonly profiles?: string;
  /** Whether images are pushed to a registry; absent: as the config says, else as it suits the cluster. */
  readonly push?: boolean;
  /** How many images are built at a time; 0: as many as there are cores. Absent: as the config says. */
  readonly concurrency?: number;
  /** Every step of what is built is run, and nothing kept of an earlier build is used. */
  readonly noCache?: boolean;
  /** Takes over fields that others manage, and makes anew what cannot be changed in place. Absent: as the config says. */
  readonly force?: boolean;
  /** Leaves volume claims when what was deployed is removed. */
  readonly keepVolumes?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  /** Aborted at the first Ctrl+C or SIGTERM: the command cleans up and ends. */
  readonly signal: AbortSignal;
}

export interface DevOptions extends CommandOptions {
  /** Leaves what was deployed. */
  readonly keep: boolean;
  /** Works on releases that another `dev` holds, too, and ends that for them. */
  readonly takeover?: boolean;
  /** A file that gets every event as a line of JSON. */
  readonly events?: string;
  /** With `debug`, that file gets what tools print too. Absent: `normal`. */
  readonly verbosity?: Verbosity;
  /** The services whose logs are shown. */
  readonly logs: LogChoice;
  readonly forward: boolean;
  /** Follows what runs already; nothing is built, applied or deleted. */
  readonly attach?: boolean;
  /** Ends as soon as everything is ready, and leaves it running. */
  readonly exitWhenReady?: boolean;
  /** How long it may take until everything is ready the first time: `90s`, `5m`. */
  readonly timeout?: string;
  /** Calls back with what a person asks for while it runs. */
  readonly onWishes?: (listener: (wish: Wish) => void) => void;
}

/** With the timeout in numbers. */
export interface TimedDevOptions extends DevOptions {
  readonly timeoutMs: number | undefined;
}

/** How a command ended. `document` is what `--json` prints. */
export interface CommandResult<Document> {
  readonly exitCode: 0 | ExitCode;
  readonly problems: readonly Problem[];
  readonly document: Document;
}
