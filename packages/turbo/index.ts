export { declaresWorkspaces } from './packageManager';
export { turboGraph } from './turboGraph';
export { isTurborepo } from './turboConfig';
export { workspacesGraph } from './workspacesGraph';
