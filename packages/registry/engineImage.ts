import type { Engine } from '../clients';
import { succeeded, type DeliveredImage, type Result } from '../model';
import { nameOfRef } from '../tag';

/** An image that the engine has. Without a registry there is no digest to pull by; the tag is made from content, and the id says the rest. */
export async function imageInEngine(engine: Engine, ref: string): Promise<Result<DeliveredImage | undefined>> {
  const id = await engine.imageId(ref);
  if (!id.ok) return id;
  return succeeded(id.value === undefined ? undefined : { ref, digest: id.value });
}

/** The image by another tag, once whoever keeps it has given it that name. */
export async function underTag(
  { ref, digest }: DeliveredImage,
  tag: string,
  give: (named: string) => Promise<Result<void>>,
): Promise<Result<DeliveredImage>> {
  const named = `${nameOfRef(ref)}:${tag}`;
  const given = await give(named);
  return given.ok ? succeeded({ ref: named, digest }) : given;
}
