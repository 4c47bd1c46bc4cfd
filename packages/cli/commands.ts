import type {
  BuildDocument,
  BuildOptions,
  CommandOptions,
  CommandResult,
  ConfigDocument,
  DeleteDocument,
  DeployDocument,
  DeployOptions,
  DevOptions,
  DoctorDocument,
  ExplainDocument,
  InputsDocument,
  LogsDocument,
  LogsOptions,
  PruneDocument,
  PruneOptions,
  RenderDocument,
  RenderOptions,
  StatusDocument,
  StopDocument,
  SyncDocument,
  SyncOptions,
} from '../dev';
import type { GraphSource } from '../graph';
import type { Result } from '../model';
import type { InitDocument } from '../report';
import type { InitOptions } from './init';

export type DeployCommandOptions = DeployOptions;

type Command<Options, Document> = (options: Options) => Promise<CommandResult<Document>>;

/** What the command line can start. A parameter of it, so that reading a command line is tested without running anything. */
export interface Commands {
  readonly dev: Command<DevOptions, unknown>;
  readonly build: Command<BuildOptions, BuildDocument>;
  readonly deploy: Command<DeployCommandOptions, DeployDocument>;
  readonly run: Command<DeployCommandOptions, DeployDocument>;
  readonly delete: Command<CommandOptions, DeleteDocument>;
  readonly status: Command<CommandOptions, StatusDocument>;
  readonly explain: Command<CommandOptions & { readonly files: readonly string[] }, ExplainDocument>;
  readonly inputs: Command<CommandOptions & { readonly artifacts?: readonly string[] }, readonly InputsDocument[]>;
  readonly config: Command<CommandOptions, ConfigDocument>;
  readonly sync: Command<SyncOptions, SyncDocument>;
  readonly stopSync: Command<CommandOptions & { readonly name: string }, StopDocument>;
  readonly logs: Command<LogsOptions, LogsDocument>;
  readonly render: Command<RenderOptions, RenderDocument>;
  readonly prune: Command<PruneOptions, PruneDocument>;
  readonly doctor: Command<CommandOptions, DoctorDocument>;
  readonly init: Command<InitOptions, InitDocument>;
  /** Loads what most commands need, while something else is waited for. */
  readonly getReady: () => void;
  /** The projects that something is built or deployed of. */
  readonly deployable: (graph: GraphSource, env: CommandOptions['env']) => Promise<ReadonlySet<string>>;
  /** The workspace around a folder. */
  readonly findWorkspace: (folder: string, options: { readonly isBrief: boolean }) => Promise<Result<GraphSource>>;
}

/** The real ones, loaded when one is started: `slipway version` and `--help` do not wait for the clients of engines and clusters. */
export const commands: Commands = {
  dev: async (options) => (await import('../dev/index.js')).devCommand(options),
  build: async (options) => (await import('../dev/index.js')).buildCommand(options),
  deploy: async (options) => (await import('../dev/index.js')).deployCommand(options),
  run: async (options) => (await import('../dev/index.js')).runCommand(options),
  delete: async (options) => (await import('../dev/index.js')).deleteCommand(options),
  status: async (options) => (await import('../dev/index.js')).statusCommand(options),
  explain: async (options) => (await import('../dev/index.js')).explainCommand(options),
  inputs: async (options) => (await import('../dev/index.js')).inputsCommand(options),
  config: async (options) => (await import('../dev/index.js')).configCommand(options),
  sync: async (options) => (await import('../dev/index.js')).syncCommand(options),
  stopSync: async (options) => (await import('../dev/index.js')).stopSyncCommand(options),
  logs: async (options) => (await import('../dev/index.js')).logsCommand(options),
  render: async (options) => (await import('../dev/index.js')).renderCommand(options),
  prune: async (options) => (await import('../dev/index.js')).pruneCommand(options),
  doctor: async (options) => (await import('../dev/index.js')).doctorCommand(options),
  init: async (options) => (await import('./init.js')).init(options),
  getReady: () => void import('../dev/index.js').then(({ getReady }) => getReady()),
  deployable: async (graph, env) => (await import('../dev/index.js')).deployableProjects(graph, env),
  findWorkspace: async (folder, options) => (await import('./findWorkspace.js')).findWorkspace(folder, options),
};
