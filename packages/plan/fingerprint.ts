import type { ArtifactName, DirEntry, Entry, HelmSource, Release } from '../model';
import { digestOfRef } from '../tag';
import { hashOf, stableJson } from './hash';
import { select } from './select';

interface Remembered {
  readonly inputs: readonly (Entry | undefined)[];
  readonly refs: readonly string[];
  readonly fingerprint: string;
}

const lastFingerprint = new WeakMap<Release, Remembered>();

/** An image as a release has it. */
export interface ReleasedImage {
  readonly ref: string;
  readonly inputsHash: string;
}

/** What a release was or would be applied from: its definition, its files as they are, and the images it gets. Never what a tool made of them, which may differ each time. */
export function fingerprintOf(release: Release, tree: DirEntry, images: Readonly<Record<ArtifactName, ReleasedImage | undefined>>): string {
  const refs = release.artifacts.map((name) => imageText(images[name]));
  const before = lastFingerprint.get(release);
  const inputs = release.inputs.map((input) => select(tree, input));
  const isSame =
    before?.refs.length === refs.length &&
    refs.every((ref, index) => ref === before.refs[index]) &&
    inputs.every((entry, index) => entry === before.inputs[index]);
  if (before && isSame) return before.fingerprint;
  const hashes = release.inputs.map(({ path }, index) => `${path} ${inputs[index]?.hash ?? 'absent'}`);
  const fingerprint = hashOf(['release/2', definitionOf(release), ...hashes, '', ...refs]);
  lastFingerprint.set(release, { inputs, refs, fingerprint });
  return fingerprint;
}

/** Whether the same files are applied in the same way: of what one release was and is. */
export function isAppliedAlike(one: Release, other: Release): boolean {
  return definitionOf(one) === definitionOf(other);
}

function definitionOf(release: Release): string {
  return stableJson({ namespace: release.namespace, sources: release.sources, apply: release.apply, ...hooksIn(release) });
}

/** What a chart is installed from, but for images: files and settings of its own. A change of what else a project deploys is none of it. */
export function chartFingerprintOf(source: HelmSource, { inputs }: Pick<Release, 'inputs'>, tree: DirEntry): string {
  const own = inputs.filter(({ path }) => source.inputs.includes(path));
  return hashOf(['chart/1', stableJson(source), ...own.map((input) => `${input.path} ${select(tree, input)?.hash ?? 'absent'}`)]);
}

/** Other hooks are run by another apply; where they stand is no part of what they do. */
function hooksIn({ hooks }: Release): object {
  return hooks ? { hooks: hooks.map((hook) => ({ ...hook, location: undefined })) } : {};
}

/** A digest says which image it is. A tag alone does not: the one of a commit may be put on other content before the next. */
function imageText(image: ReleasedImage | undefined): string {
  if (!image) return '';
  return digestOfRef(image.ref) === undefined ? `${image.ref} ${image.inputsHash}` : image.ref;
}
