export { declaresWorkspaces, workspacesGraph } from './workspacesGraph';
