import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownPlatform, type Registry } from '../clients';
import { splitStages, takesFiles } from '../dockerfile';
import { failed, platformsOf, succeeded, type Location, type Problem, type Result } from '../model';
import { baseRefOf } from './bases';
import type { BuildJob } from './builder';
import { registryImage } from './registryImage';

/** What the config of a base image from elsewhere says is to be run by those that stand on it. It is not known before the image is read. */
export interface BaseTriggers {
  readonly base: string;
  readonly triggers: readonly string[];
  /** Of its FROM. */
  readonly location: Location;
}

/**
 * Files that an image takes without its Dockerfile's saying so would be missing from what is sent, and their change would change nothing:
 * such an image is not made.
 */
export function filesUnknown({ base, triggers, location }: BaseTriggers): Problem | undefined {
  const trigger = triggers.find(takesFiles);
  if (trigger === undefined) return undefined;
  return {
    code: 'baseTakesFiles',
    message: `${placeOf(location)}: ${base} has ONBUILD ${trigger}, and which files of this workspace that takes is not known from the Dockerfile`,
    hint: 'stand on an image without it and write the instruction after FROM, or make the image by a command, with image.custom',
    retry: 'whenInputChanges',
    exitCode: 1,
    location,
  };
}

/** An image that a stage of a Dockerfile stands on. */
export interface NamedBase {
  readonly name: string;
  readonly line: number;
}

/** `part`: what the builder is sent instead of the whole Dockerfile. */
export async function basesNamed({ artifact, root }: BuildJob, part?: string): Promise<readonly NamedBase[]> {
  const { args, target, platform, dockerfile } = artifact.recipe;
  const text = part ?? (await readFile(join(root, dockerfile), 'utf8').catch(() => ''));
  const split = splitStages(text, { args, ...(target !== undefined && { target }), ...(platform !== undefined && { platform }) });
  return (split?.reached ?? []).flatMap(({ base, line }) => (base.kind === 'image' && base.name !== '' ? [{ name: base.name, line }] : []));
}

/** What an image leaves to those that stand on it; undefined: that cannot be known here. */
export type TriggersOf = (ref: string, job: BuildJob) => Promise<Result<readonly string[] | undefined>>;

/** Whether one of the images from elsewhere takes files that nobody knows of. What those of the workspace take is among the inputs. */
export async function basesRefused(job: BuildJob, named: readonly NamedBase[], triggersOf: TriggersOf): Promise<Result<void>> {
  const { recipe, project } = job.artifact;
  for (const { name, line } of named) {
    if (baseRefOf(name, job.bases) !== undefined) continue;
    const triggers = await triggersOf(name, job);
    if (!triggers.ok) return triggers;
    const location = { file: recipe.dockerfile, line };
    const problem = filesUnknown({ base: name, triggers: triggers.value ?? [], location });
    if (problem) return failed({ ...problem, project });
  }
  return succeeded(undefined);
}

/** What makes the image mostly reaches registries by a way of its own: one that does not answer here is not waited for, and is no mistake. */
const patienceMs = 3_000;

/** Of images in registries, each looked at once in a session. */
export function triggersInRegistry(registry: Registry): TriggersOf {
  const known = new Map<string, readonly string[] | undefined>();
  return async (ref, { artifact, signal }) => {
    if (known.has(ref)) return succeeded(known.get(ref));
    const [platform = ownPlatform] = platformsOf(artifact.recipe);
    const found = await registryImage(ref, { registry, platform, signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) });
    const triggers = found.ok && found.value ? (found.value.file.config?.OnBuild ?? []) : undefined;
    if (!signal.aborted) known.set(ref, triggers);
    return succeeded(triggers);
  };
}

/** For people. */
export function triggerOf({ base, triggers: [trigger = ''], location }: BaseTriggers): string {
  return `ONBUILD ${trigger} of ${base} (${placeOf(location)})`;
}

function placeOf({ file, line = 1 }: Location): string {
  return `${file}:${line}`;
}
