import type { World } from '../model';
import { pendingCommands } from './after';
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
  const [, kind, subject = ''] = /^(lookUp|build|deliver|runTarget|reload):(.*)$/s.exec(key) ?? [];
  if (kind === 'runTarget') {
    const target = world.workspace?.targets.get(subject);
    return target !== undefined && isFresh(world, target);
  }
  if (kind === 'reload') {
    const container = world.containers.get(subject);
    const artifact = container && world.workspace?.artifacts.get(container.seen.artifact);
    return (
      !container || (artifact !== undefined && container.files !== undefined && pendingCommands(artifact, container).commands.length === 0)
    );
  }
  const artifact = kind === undefined ? undefined : world.workspace?.artifacts.get(subject);
  if (!artifact) return false;
  const view = viewOf(world, artifact, containersByArtifact(world).get(subject));
  return view.image !== undefined && suits(view.image.snapshot, view) && view.state.anew !== true;
}
