export { acceptsDefinedBy, definitionOf, inputsOf, type Accepts, type InputOptions } from './inputs';
export { below } from './below';
export { lineOfInstruction } from './lineOfInstruction';
export { readIgnore, type PathMatcher, type PatternMistake } from './pathMatcher';
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
export { wildcard } from './wildcard';
