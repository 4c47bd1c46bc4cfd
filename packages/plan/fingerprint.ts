import type { ArtifactName, DirEntry, Entry, Release } from '../model';
import { digestOfRef } from '../tag';
import { hashOf, stableJson } from './hash';
import { select, type Selector } from './select';

interface Remembered {
  readonly selectors: readonly Selector[];
  readonly manifests: readonly (Entry | undefined)[];
  readonly refs: readonly string[];
  readonly fingerprint: string;
}

const lastFingerprint = new WeakMap<Release, Remembered>();

/** An image as a release has it. */
export interface ReleasedImage {
  readonly ref: string;
  readonly inputsHash: string;
}

/** What a release was or would be applied from: its definition, its manifests as they are, and the images they get. */
export function fingerprintOf(release: Release, tree: DirEntry, images: Readonly<Record<ArtifactName, ReleasedImage | undefined>>): string {
  const refs = release.artifacts.map((name) => imageText(images[name]));
  const before = lastFingerprint.get(release);
  const selectors = before?.selectors ?? release.manifests.map((path) => ({ path }));
  const sameRefs = before?.refs.length === refs.length && refs.every((ref, index) => ref === before.refs[index]);
  if (
    before &&
    sameRefs &&
    release.manifests.every((path, index) => select(tree, selectors[index] ?? { path }) === before.manifests[index])
  )
    return before.fingerprint;
  const manifests = selectors.map((selector) => select(tree, selector));
  const hashes = release.manifests.map((path, index) => `${path} ${manifests[index]?.hash ?? 'absent'}`);
  const definition = stableJson({ namespace: release.namespace, deployer: release.deployer });
  const fingerprint = hashOf(['release/1', definition, ...hashes, '', ...refs]);
  lastFingerprint.set(release, { selectors, manifests, refs, fingerprint });
  return fingerprint;
}

/** A digest says which image it is. A tag alone does not: the one of a commit may be put on other content before the next. */
function imageText(image: ReleasedImage | undefined): string {
  if (!image) return '';
  return digestOfRef(image.ref) === undefined ? `${image.ref} ${image.inputsHash}` : image.ref;
}
