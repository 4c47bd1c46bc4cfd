export type * from './command';
export { devCommand } from './devCommand';
export { doctorCommand, explainCommand, inputsCommand } from './looks';
export { buildCommand, deleteCommand, deployCommand, runCommand, type DeployOptions } from './oneShot';
export { readWorkspace } from './readWorkspace';
export { statusCommand } from './statusCommand';
