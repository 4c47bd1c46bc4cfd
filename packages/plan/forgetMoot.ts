import type { World } from '../model';
import { containersByArtifact, suits, viewOf } from './need';
import { isFresh } from './targets';

/**
 * Forgets failures of steps that nothing asks for any more: an edit that was taken back wants the image or the outputs that are there
 * already, so no step would ever end well to say so, and what failed before it would stand in the way of "ready" for ever.
 */
export function forgetMoot(world: World): World {
  const failures = new Map([...world.failures].filter(([key]) => !isMoot(world, key)));
  return failures.size === world.failures.size ? world : { ...world, failures };
}

function isMoot(world: World, key: string): boolean {
  const [, kind, subject = ''] = /^(lookUp|build|deliver|runTarget):(.*)$/s.exec(key) ?? [];
  if (kind === 'runTarget') {
    const target = world.workspace?.targets.get(subject);
    return target !== undefined && isFresh(world, target);
  }
  const artifact = kind === undefined ? undefined : world.workspace?.artifacts.get(subject);
  if (!artifact) return false;
  const view = viewOf(world, artifact, containersByArtifact(world).get(subject));
  return view.image !== undefined && suits(view.image.snapshot, view);
}
