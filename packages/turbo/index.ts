export { declaresWorkspaces, packageManagerOf, scriptCommand, type PackageManager } from './packageManager';
export { setUp, type Change, type SetUp } from './setUp';
export { turboGraph } from './turboGraph';
export { isTurborepo } from './turboConfig';
export { workspacesGraph } from './workspacesGraph';
export { newPackagesChange } from './newPackages';
