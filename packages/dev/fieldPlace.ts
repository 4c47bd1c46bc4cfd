import type { KubeObject } from '../clients';
import { helmReleaseOf, makeManifests, readManifests } from '../deploy';
import type { Location, Release, SeenRelease, Workspace } from '../model';
import { deployContext } from './releaseManifests';
import type { Session } from './session';

interface Place {
  readonly session: Session;
  readonly workspace: Workspace;
  readonly release: Release;
  /** Those that the object was applied with: a chart may not be rendered without. */
  readonly images: SeenRelease['images'];
}

/** Where the manifests of a release, as they are now, have a field of an object. What helm has installed is looked for in its chart alone. */
export async function fieldPlace(
  { session, workspace, release, images }: Place,
  object: KubeObject,
  fieldPath: string,
): Promise<Location | undefined> {
  const chart = helmReleaseOf(object)?.name;
  const sources = release.sources.filter((source) => (source.kind === 'helm' ? source.name : undefined) === chart);
  const made = await makeManifests({ sources }, deployContext({ session, workspace, release, images, offline: true }));
  if (!made.ok) return undefined;
  const { objects } = readManifests(made.value);
  const { kind, metadata } = object;
  return objects.find((one) => one.object.kind === kind && one.object.metadata.name === metadata.name)?.locate(fieldPath);
}
