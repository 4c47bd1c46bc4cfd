export type * from './command';
export { devCommand } from './devCommand';
export { doctorCommand, explainCommand, inputsCommand } from './looks';
export { logsCommand, type LogsOptions } from './logsCommand';
export { buildCommand, deleteCommand, deployCommand, runCommand, type BuildOptions, type DeployOptions } from './oneShot';
export { pruneCommand, type PruneOptions } from './pruneCommand';
export { readWorkspace } from './readWorkspace';
export { renderCommand, type RenderOptions } from './renderCommand';
export { statusCommand } from './statusCommand';
