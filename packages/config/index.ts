export { mergeConfig, type Config, type ForwardConfig, type SyncConfig } from './config';
export { interpolateEnv } from './interpolate';
export { readConfig, type ConfigText, type ReadConfig } from './readConfig';
export { readManifests, type ManifestContainer, type ManifestFacts, type ManifestService, type ManifestText } from './readManifests';
export { projectSchema, rootSchema } from './schema';
