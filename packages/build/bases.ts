import type { Artifact } from '../model';
import { isImage, nameOfRef } from '../tag';

/** References of the images of this workspace that one stands on, by their names as manifests have them. */
export type BaseRefs = Readonly<Record<string, string>>;

/** The image of this workspace that a Dockerfile names, with any tag, and with or without the repository that all images go to. */
export function baseRefOf(name: string, bases: BaseRefs): string | undefined {
  const [, ref] =
    Object.entries(bases).find(([image, ref]) => isImage(name, { image, repo: undefined }) || nameOfRef(name) === nameOfRef(ref)) ?? [];
  return ref;
}

/** With the arguments that say which image of this workspace a stage stands on. */
export function withBaseArgs(artifact: Artifact, bases: BaseRefs): Artifact {
  const { args, baseArgs } = artifact.recipe;
  if (!baseArgs) return artifact;
  const refs = Object.fromEntries(Object.entries(baseArgs).map(([arg, image]) => [arg, bases[image] ?? image]));
  return { ...artifact, recipe: { ...artifact.recipe, args: { ...args, ...refs } } };
}
