import type { Engine, Registry } from '../clients';
import { failed, type Result } from '../model';
import { inputDigestTag, nameOfRef, tagOfRef } from '../tag';
import type { BuildJob } from './builder';

type Named = Pick<BuildJob, 'ref' | 'beforeNaming' | 'signal'>;

/**
 * What an image is called in an engine, or by a command that has to give it a name, for as long as it is not to be found by its own.
 * It has the form of all tags that are made from content, so what is left of one is cleaned up with the others.
 */
export function provisionalRef(ref: string): string {
  return `${nameOfRef(ref)}:${inputDigestTag(`before ${ref}`)}`;
}

/** Gives an image of the engine its name, once what has to go well before has. */
export async function nameInEngine(engine: Engine, imageId: string, { ref, beforeNaming }: Named): Promise<Result<void>> {
  if (!beforeNaming) return engine.tag(imageId, ref);
  const provisional = provisionalRef(ref);
  const reachable = await engine.tag(imageId, provisional);
  if (!reachable.ok) return reachable;
  const refused = await beforeNaming(provisional);
  const named = refused ? failed(refused) : await engine.tag(imageId, ref);
  // Where it cannot be removed, as something still runs from it, it takes room and does no harm.
  await engine.remove(provisional);
  return named;
}

/** Gives an image that its registry knows by its digest its name, once what has to go well before has. */
export async function nameInRegistry(registry: Registry, digest: string, { ref, beforeNaming, signal }: Named): Promise<Result<void>> {
  const refused = await beforeNaming?.(`${ref}@${digest}`);
  if (refused) return failed(refused);
  return registry.tag(`${nameOfRef(ref)}@${digest}`, tagOfRef(ref) ?? '', signal);
}
