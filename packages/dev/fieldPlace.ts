import type { KubeObject } from '../clients';
import { makeManifests, readManifests } from '../deploy';
import type { Location, Release, Workspace } from '../model';
import { deployContext } from './releaseManifests';
import type { Session } from './session';

/** Where the manifests of a release, as they are now, have a field of an object. Of charts nobody knows which line made it. */
export async function fieldPlace(
  { session, workspace, release }: { readonly session: Session; readonly workspace: Workspace; readonly release: Release },
  { kind, metadata }: KubeObject,
  fieldPath: string,
): Promise<Location | undefined> {
  const sources = release.sources.filter((source) => source.kind !== 'helm');
  const made = await makeManifests({ sources }, deployContext({ session, workspace, release, images: {}, offline: true }));
  if (!made.ok) return undefined;
  const { objects } = readManifests(made.value);
  return objects.find(({ object }) => object.kind === kind && object.metadata.name === metadata.name)?.locate(fieldPath);
}
