export { componentsOf } from './custom';
export { dateTimeTag, defaultDateFormat } from './dateTime';
export { sanitized, type GitFacts } from './gitCommit';
export { inputDigestTag, isInputDigestTag } from './inputDigest';
export {
  digestOfRef,
  isImage,
  isOfficialImage,
  nameOf,
  nameOfRef,
  parseReference,
  tagMistake,
  tagOfRef,
  type ImageReference,
} from './reference';
export { needsGit, tagOf, type TagSubject } from './tagOf';
export { isLoopback, takesNestedNames, underRepo, type RepoRule } from './underRepo';
