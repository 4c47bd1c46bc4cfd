export { manifestsFor, type ExistingService, type Guessed } from './existingService';
export { dockerignoreLines, gitignoreLines, harmlessLines, unignored, withLines } from './ignoreFiles';
export { isPackageFolder, packagePatterns, serviceFolder } from './packagePatterns';
export { importFiles } from './importFiles';
export type { ImportedFile, ImportNote } from './imports/imported';
export { withAllowedContext } from './rootConfig';
export { contextLines, noteLines, surveyLines, type ContextSeen, type NextCommands } from './sentences';
export { packageJson, serviceFiles, type PackageRequest } from './serviceFiles';
export {
  defaultPorts,
  kindDescriptions,
  serviceKinds,
  type BuildCommand,
  type Files,
  type Service,
  type ServiceKind,
  type ServiceSources,
} from './serviceKind';
export { serviceName, servicePort } from './serviceName';
export { survey, unread, type Found, type Survey, type SurveyRequest } from './survey';
