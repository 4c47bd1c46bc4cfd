import { absent, emptyDir, found, type Artifact, type Known, type SeenRelease } from '../model';
import { inputDigestTag } from '../tag';
import { madeFrom } from './madeFrom';

const [one, other] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`];
const snapshot = { inputsHash: 'unknown', rebuildHash: '', layoutHash: '', sources: emptyDir, tree: emptyDir };

function artifact(ref: string, givenInputs?: string): Artifact {
  return {
    name: 'api',
    project: 'api',
    image: 'api',
    recipe: { builder: 'test/1', context: '', dockerfile: 'Dockerfile', args: {} },
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: '' },
    given: { ref, digest: '' },
    ...(givenInputs !== undefined && { givenInputs }),
  };
}

function running(ref: string): Known<SeenRelease> {
  const images = { api: { ref, inputsHash: 'h', snapshot: undefined } };
  return found({ fingerprint: 'f', appliedAt: 0, images, rollout: { state: 'ready' } });
}

describe('what an image that was given is said to be made from', () => {
  const content = inputDigestTag('h');
  it.each<[string, string, string | undefined, Known<SeenRelease>, string]>([
    ['stays while the same image runs', `r/api:v2@${one}`, undefined, running(`r/api:v1@${one}`), 'h'],
    ['stays whatever its build says', `r/api:v1@${one}`, 'i', running(`r/api:v1@${one}`), 'h'],
    ['is what its build says of another one', `r/api:v1@${other}`, 'i', running(`r/api:v1@${one}`), 'i'],
    ['is what its build says when nothing runs', `r/api:v1@${one}`, 'i', absent, 'i'],
    ['is not known of another one', `r/api:v1@${other}`, undefined, running(`r/api:v1@${one}`), 'unknown'],
    ['stays by the tag of its content where there are no digests', `api:${content}`, undefined, running(`api:${content}`), 'h'],
    ['is what its build says by the tag of its content', `api:${content}`, 'h', absent, 'h'],
    ['is not known by another tag alone', 'api:v1', 'h', running('api:v1'), 'unknown'],
  ])('%s', (_, ref, said, live, expected) => {
    const image = { snapshot, delivered: { ref, digest: '' }, leftToFinish: false };
    expect(madeFrom(image, artifact(ref, said), live).inputsHash).toBe(expected);
  });

  it('is what the files here are when it was not given', () => {
    const { given, ...own } = artifact(`r/api:v1@${one}`, 'i');
    const image = { snapshot, delivered: { ref: given?.ref ?? '', digest: '' }, leftToFinish: false };
    expect(madeFrom(image, own, running(`r/api:v1@${one}`))).toBe(snapshot);
  });
});
