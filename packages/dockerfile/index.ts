export { acceptsDefinedBy, definitionOf, inputsOf, type Accepts, type InputOptions } from './inputs';
export { below } from './below';
export { engineHead, type EngineHead } from './engineHead';
export { followStage, type CopyStep, type FollowedStage, type ImageSettings, type ImageStep } from './followStage';
export { lineOfInstruction } from './lineOfInstruction';
export { pathMatcher, readIgnore, type PathMatcher, type PatternMistake } from './pathMatcher';
export {
  readDockerfile,
  stageNames,
  type DockerfileFacts,
  type DockerfileOptions,
  type Landing,
  type LocalSource,
  type PathKind,
  type StageFacts,
} from './readDockerfile';
export { nanosecondsOf } from './nanoseconds';
export { needsEngine, type NeedsEngine, type NeedsEngineOptions } from './needsEngine';
export { mountsAsCopies } from './run';
export { sentDockerfile } from './sentDockerfile';
export { splitStages, stageNamed, type SplitDockerfile, type SplitStage } from './splitStages';
export { takesFiles, triggersIn } from './triggers';
export { hasWildcard, wildcard } from './wildcard';
