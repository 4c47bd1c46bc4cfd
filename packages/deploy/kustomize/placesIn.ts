import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Location, WorkspacePath } from '../../model';
import type { DeployContext } from '../deployer';
import { readManifests, type ManifestObject, type ManifestText } from '../kubectl/manifest';

/**
 * Where what kustomize has made stands in bases and patches: in the last file that has the object and the field, else where the
 * object is, else in the kustomization. Names may have been given a prefix, a suffix or a hash. Files are read when a place is asked for.
 */
export function placesIn(
  { root, inputs }: Pick<DeployContext, 'root' | 'inputs'>,
  kustomization: WorkspacePath,
): NonNullable<ManifestText['placeOf']> {
  let read: { readonly objects: readonly ManifestObject[]; readonly texts: ReadonlyMap<WorkspacePath, readonly string[]> } | undefined;
  return ({ kind, name }, fieldPath) => {
    if (!read) {
      const texts = inputs.filter((path) => /\.ya?ml$/.test(path) && path !== kustomization).flatMap((path) => textAt(root, path));
      read = { objects: readManifests(texts).objects, texts: new Map(texts.map(({ path, text }) => [path, text.split('\n')])) };
    }
    const { objects, texts } = read;
    const candidates = objects.filter(({ object }) => object.kind === kind && name.includes(object.metadata.name ?? ''));
    const key = fieldPath === undefined ? undefined : /([\w-]+)[^\w]*$/.exec(fieldPath)?.[1];
    const named = candidates.flatMap(({ locate }): Location[] => {
      const place = fieldPath === undefined ? undefined : locate(fieldPath);
      const line = place && texts.get(place.file)?.[(place.line ?? 1) - 1];
      return place && key !== undefined && line?.includes(key) === true ? [place] : [];
    });
    return named.at(-1) ?? candidates[0]?.location ?? { file: kustomization };
  };
}

function textAt(root: string, path: WorkspacePath): readonly ManifestText[] {
  try {
    return [{ path, text: readFileSync(join(root, path), 'utf8') }];
  } catch {
    return [];
  }
}
