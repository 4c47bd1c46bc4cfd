import { absent, emptyDir, found, type Known, type SeenRelease, type Snapshot } from '../model';
import { referenceFor } from './referenceFor';

const [one, other] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`];

function snapshot(inputsHash: string): Snapshot {
  return { inputsHash, rebuildHash: '', layoutHash: '', sources: emptyDir, tree: emptyDir };
}

function running(ref: string, inputsHash = 'h'): Known<SeenRelease> {
  return found({ fingerprint: 'f', appliedAt: 0, images: { api: { ref, inputsHash, snapshot: undefined } }, rollout: { state: 'ready' } });
}

describe('the reference of an image in a release', () => {
  it.each<[string, string, Known<SeenRelease>, string]>([
    ['is the new one when nothing runs', `r/api:v2@${one}`, absent, `r/api:v2@${one}`],
    ['stays while the same image runs by an older tag', `r/api:v2@${one}`, running(`r/api:v1@${one}`), `r/api:v1@${one}`],
    ['is the new one for another image', `r/api:v2@${other}`, running(`r/api:v1@${one}`), `r/api:v2@${other}`],
    ['is the new one in another registry', `s/api:v2@${one}`, running(`r/api:v1@${one}`), `s/api:v2@${one}`],
    ['stays for the same content where there are no digests', 'api:v2', running('api:v1'), 'api:v1'],
    ['is the new one for other content where there are no digests', 'api:v2', running('api:v1', 'g'), 'api:v2'],
    ['is the new one when it was not pushed before', `api:v2@${one}`, running('api:v1'), `api:v2@${one}`],
  ])('%s', (_, ref, live, expected) => {
    expect(referenceFor({ snapshot: snapshot('h'), delivered: { ref, digest: one }, leftToFinish: false }, live, 'api')).toBe(expected);
  });
});
