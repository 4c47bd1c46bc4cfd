import type { ArtifactName, Known, SeenRelease } from '../model';
import { digestOfRef, nameOfRef } from '../tag';
import type { CurrentImage } from './need';

/**
 * The reference that a release gets for an image. While the same image runs already it keeps the one it runs by: the tag of a new
 * commit, or of a later time, on an image that did not change is no reason to replace a pod. Where nothing is pushed there is no
 * digest to tell by, and the content does.
 */
export function referenceFor({ delivered, snapshot }: CurrentImage, live: Known<SeenRelease>, artifact: ArtifactName): string {
  const running = live.state === 'found' ? live.value.images[artifact] : undefined;
  if (!running || nameOfRef(running.ref) !== nameOfRef(delivered.ref)) return delivered.ref;
  const digest = digestOfRef(delivered.ref);
  const isSame = digest === undefined ? running.inputsHash === snapshot.inputsHash : digest === digestOfRef(running.ref);
  return isSame ? running.ref : delivered.ref;
}
