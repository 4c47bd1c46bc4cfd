export {
  mergeConfig,
  mergeImage,
  type BuildkitConfig,
  type CommandConfig,
  type Config,
  type ForwardConfig,
  type HookConfig,
  type ImageConfig,
  type NamedImageConfig,
  type PlainTagConfig,
  type PlainTagConfigs,
  type PullConfig,
  type SecretConfig,
  type SyncConfig,
  type SyncRuleConfig,
  type TagConfig,
} from './config';
export { activeProfiles, withProfiles, type ProfileChoice } from './profiles';
export { fillTemplate, variablesOf, type Filled, type FillOptions, type TemplateMistake } from './template';
export type { HelmConfig, HelmReleaseConfig, KustomizeConfig } from './deployConfig';
export { configsRead, rememberConfigs } from './knownConfigs';
export { readConfig, type ConfigText, type ReadConfig } from './readConfig';
export {
  readManifests,
  type ManifestContainer,
  type ManifestFacts,
  type ManifestService,
  type ObjectPlace,
  type OtherObject,
} from './readManifests';
export { parseManifest, type ManifestText, type ParsedManifest } from './parseManifest';
export { yaml } from './yaml';
export { projectSchema, rootSchema } from './schema';
