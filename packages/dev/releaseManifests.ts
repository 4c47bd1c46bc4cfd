import { processes } from '../clients';
import { makeManifests, type DeployContext, type ManifestText } from '../deploy';
import { emptyDir, segments, succeeded, type DirEntry, type Release, type Result, type Workspace } from '../model';
import { overlay } from '../plan';
import { readEntry } from '../source';
import { ownImageOf } from './ownImage';
import { imageNamesOf, namespaceOf, type Session } from './session';

export interface ReleaseManifests {
  readonly texts: readonly ManifestText[];
  /** The files of the release as a tree of the workspace, read when the manifests were there: for the fingerprint of exactly what was read. */
  readonly tree: DirEntry;
}

/** Has a release's manifests made. Failures: those of its deployers, `manifestUnreadable`. */
export async function readReleaseManifests(release: Release, context: DeployContext): Promise<Result<ReleaseManifests>> {
  const made = await makeManifests(release, context);
  if (!made.ok) return made;
  let tree: DirEntry = emptyDir;
  for (const { path, accepts } of release.inputs) {
    const entry = await readEntry(context.root, path, accepts);
    if (!entry.ok) return entry;
    if (entry.value) tree = overlay(tree, segments(path), entry.value);
  }
  return succeeded({ texts: made.value, tree });
}

export interface ReleaseRun {
  readonly session: Session;
  readonly workspace: Workspace;
  readonly release: Release;
  readonly images: DeployContext['images'];
  /** Absent: what is installed is not looked at. */
  readonly chartFingerprints?: DeployContext['chartFingerprints'];
  readonly signal?: AbortSignal;
  /** Neither the cluster is asked nor anything installed. */
  readonly offline?: boolean;
}

/** What deployers are told of a session. */
export function deployContext({
  session,
  workspace,
  release,
  images,
  chartFingerprints = {},
  signal,
  offline = false,
}: ReleaseRun): DeployContext {
  return {
    root: session.options.root,
    processes,
    signal: signal ?? session.options.signal,
    inputs: release.inputs.map(({ path }) => path),
    namespace: namespaceOf(session, release),
    chartFingerprints,
    images,
    imageNames: imageNamesOf(workspace),
    ownImage: ownImageOf(workspace, release),
    cluster: offline ? undefined : session.kube?.target,
  };
}
