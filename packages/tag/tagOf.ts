import { failed, succeeded, type PlainTagger, type Problem, type Result, type Tagger } from '../model';
import { componentsUsed, customTag } from './custom';
import { dateTimeTag } from './dateTime';
import { envTemplateTag, type EnvSubject } from './envTemplate';
import { gitCommitTag, type GitSubject } from './gitCommit';
import { inputDigestTag } from './inputDigest';
import { tagMistake } from './reference';
import { sha256Tag } from './sha256';

/** All that a tag can be made from. */
export interface TagSubject extends GitSubject, EnvSubject {
  readonly inputsHash: string;
  /** The time of the run: every image of a run has the same. */
  readonly now: Date;
}

/** The tag that an image is known by to people. Failures (exit 2): `gitUnknown`, `variableNotSet`, `timezoneUnknown`, `tagInvalid`. */
export function tagOf(tagger: Tagger, subject: TagSubject): Result<string> {
  const tag = tagger.kind === 'custom' ? customTag(tagger, (component) => plainTag(component, subject)) : plainTag(tagger, subject);
  if (!tag.ok) return tag;
  const mistake = tagMistake(tag.value);
  return mistake === undefined ? succeeded(tag.value) : failed(tagInvalid(tag.value, mistake));
}

function plainTag(tagger: PlainTagger, subject: TagSubject): Result<string> {
  switch (tagger.kind) {
    case 'inputDigest':
      return succeeded(inputDigestTag(subject.inputsHash));
    case 'sha256':
      return succeeded(sha256Tag(subject.inputsHash));
    case 'gitCommit':
      return gitCommitTag(tagger, subject);
    case 'dateTime':
      return dateTimeTag(tagger, subject.now);
    case 'envTemplate':
      return envTemplateTag(tagger.template, subject);
  }
}

/** Whether git has to be asked for it. */
export function needsGit(tagger: Tagger): boolean {
  if (tagger.kind !== 'custom') return tagger.kind === 'gitCommit';
  return componentsUsed(tagger).some(({ kind }) => kind === 'gitCommit');
}

function tagInvalid(tag: string, mistake: string): Problem {
  return {
    code: 'tagInvalid',
    message: `image.tag gives ${tag === '' ? 'an empty text' : JSON.stringify(tag)}, which is not a tag: ${mistake}`,
    hint: 'correct image.tag in slipway.yaml, or the variables it names',
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}
