import type { Artifact, Known, SeenRelease, Snapshot } from '../model';
import { digestOfRef, inputDigestTag, tagOfRef } from '../tag';
import type { CurrentImage } from './need';

/**
 * What a release says that its image was made from. Of one that was given the files here tell nothing. While the same image runs
 * already, what was said of it stays: another word for it would replace its pods. Else what the document of its build says counts.
 */
export function madeFrom({ delivered: { ref }, snapshot }: CurrentImage, artifact: Artifact, live: Known<SeenRelease>): Snapshot {
  if (!artifact.given) return snapshot;
  const running = live.state === 'found' ? live.value.images[artifact.name] : undefined;
  const digest = digestOfRef(ref);
  // Without a digest only the tag that is made from the content tells which image it is.
  const isOf = (inputsHash: string): boolean => tagOfRef(ref) === inputDigestTag(inputsHash);
  if (running && (digest === undefined ? isOf(running.inputsHash) : digest === digestOfRef(running.ref)))
    return running.snapshot ?? { ...snapshot, inputsHash: running.inputsHash };
  const { givenInputs } = artifact;
  if (givenInputs === undefined || (digest === undefined && !isOf(givenInputs))) return snapshot;
  return { ...snapshot, inputsHash: givenInputs };
}
