import { takesFiles } from '../dockerfile';
import type { Location, Problem } from '../model';

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

/** For people. */
export function triggerOf({ base, triggers: [trigger = ''], location }: BaseTriggers): string {
  return `ONBUILD ${trigger} of ${base} (${placeOf(location)})`;
}

function placeOf({ file, line = 1 }: Location): string {
  return `${file}:${line}`;
}
