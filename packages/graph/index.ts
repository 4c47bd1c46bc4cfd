export {
  assemble,
  dependenciesQuestions,
  manifestUrls,
  saidSettings,
  type Assembled,
  type ChosenProfiles,
  type WorkspaceFacts,
  type WorkspaceSettings,
} from './assemble';
export { defaultRepoOf, type DefaultRepo } from './defaultRepo';
export type { CommandQuestion, DependenciesQuestion, ListedDependencies, Listing } from './customImage';
export { isGoSource, type GoPackage, type GoPackages, type GoQuestion } from './goPackages';
export { forwardTo } from './forwards';
export { fetchedPath, type NotFetched } from './fetchedManifests';
export * from './graphSource';
export type { SaidSetting } from './saidSettings';
export { imageFiles, manifestFiles, type ImageFiles } from './imageFiles';
export { interpolatePath } from './interpolate';
export { keepEqual } from './keepEqual';
export { kustomizationNames } from './kustomizeSource';
export { isDeployedByDefault } from './manifestSources';
export { landingBy, pullFrom } from './pulls';
export { reloadingOf, type Reloading, type StartCommand } from './reload';
export { hasSystemFiles } from './syncRules';
export { joinPath, withFiles, type WorkspaceFiles } from './workspaceFiles';
