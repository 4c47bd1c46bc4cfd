import type { KubeObject } from '../clients';
import { annotations, labels, labelValue, nameOf, namespacesOf, render, selectorOf } from '../deploy';
import { workloadSelector } from '../forward';
import { absent, found, type ArtifactName, type Release, type ReleaseName, type Rollout, type Snapshot, type Workspace } from '../model';
import { watchPods, type ReleaseSighting, type WatchedKube } from '../status';
import { deployContext, readReleaseManifests } from './releaseManifests';
import { imageNamesOf, namespaceOf, type Session } from './session';

/** A workload that a release describes, and that somebody else applied: `kubectl`, a pipeline, another tool. */
export interface ForeignWorkload {
  readonly release: ReleaseName;
  /** `deployment/api`. */
  readonly name: string;
  readonly namespace: string;
  /** Of its pods. */
  readonly selector: string;
  /** Which of its containers run which images of the workspace. */
  readonly containers: readonly (readonly [string, ArtifactName])[];
}

/** What makes pods that go on. */
const kinds = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
] as const;

/**
 * The workloads of releases of which this workspace has deployed nothing: those that their manifests describe, and that are there
 * without Slipway's labels. Their containers are known by the names that they have in the manifests.
 */
export async function foreignWorkloads(
  session: Session,
  workspace: Workspace,
  releases: Iterable<ReleaseName>,
): Promise<readonly ForeignWorkload[]> {
  const wanted = [...releases].flatMap((name) => workspace.releases.get(name) ?? []);
  const own = await deployedFromHere(session, wanted);
  const missing = wanted.filter(({ name }) => !own.has(labelValue(name)));
  return (await Promise.all(missing.map((release) => runningOf(session, workspace, release)))).flat();
}

/** As labels have them. */
async function deployedFromHere(session: Session, releases: readonly Release[]): Promise<ReadonlySet<string>> {
  const labelSelector = selectorOf({ [labels.workspace]: session.workspaceId });
  const namespaces = new Set(releases.flatMap((release) => namespacesOf(release, namespaceOf(session, release))));
  const { kube } = session;
  if (!kube) return new Set();
  const lists = [...namespaces].flatMap((namespace) => kinds.map((kind) => kube.list(kind, { namespace, labelSelector })));
  const objects = (await Promise.all(lists)).flatMap((list) => (list.ok ? list.value : []));
  return new Set(objects.flatMap(({ metadata }) => metadata.labels?.[labels.release] ?? []));
}

async function runningOf(session: Session, workspace: Workspace, release: Release): Promise<readonly ForeignWorkload[]> {
  const imageNames = imageNamesOf(workspace);
  const images = Object.fromEntries(release.artifacts.map((name) => [name, { ref: imageNames[name] ?? name, inputsHash: '' }]));
  const namespace = namespaceOf(session, release);
  const { workspaceId } = session;
  const read = await readReleaseManifests(release, deployContext({ session, workspace, release, images }));
  if (!read.ok) return [];
  const rendered = render({ release, manifests: read.value.texts, images, imageNames, namespace, workspaceId, fingerprint: '' });
  if (!rendered.ok) return [];
  const found = rendered.value.map(async ({ object }): Promise<readonly ForeignWorkload[]> => {
    const containers = containersIn(object);
    const { name = '', namespace: at = namespace } = object.metadata;
    const kind = kinds.find((each) => each.kind === object.kind);
    if (!kind || containers.length === 0) return [];
    const live = await session.kube?.get({ ...kind, name, namespace: at });
    if (!live?.ok || !live.value || live.value.metadata.labels?.[labels.workspace] !== undefined) return [];
    return [{ release: release.name, name: nameOf(object), namespace: at, selector: workloadSelector(live.value), containers }];
  });
  return (await Promise.all(found)).flat();
}

/** As rendering has marked them. */
function containersIn(workload: KubeObject): ForeignWorkload['containers'] {
  const { template } = (workload['spec'] ?? {}) as { readonly template?: Pick<KubeObject, 'metadata'> };
  const marks = template?.metadata.annotations?.[annotations.artifacts];
  if (marks === undefined) return [];
  const all = JSON.parse(marks) as Readonly<Record<string, { readonly artifact: ArtifactName }>>;
  return Object.entries(all).map(([container, { artifact }]) => [container, artifact]);
}

export interface ForeignWatch {
  readonly kube: Pick<WatchedKube, 'watch'>;
  /** Of one release. */
  readonly workloads: readonly ForeignWorkload[];
  /** What is known of an image. */
  readonly snapshotOf: (artifact: ArtifactName) => Snapshot | undefined;
  readonly onSeen: (sighting: ReleaseSighting) => void;
}

/** Follows the containers of workloads that somebody else applied, as those of the release that describes them. */
export function watchForeign({ kube, workloads, snapshotOf, onSeen }: ForeignWatch): { stop(): void } {
  const sightings: (ReleaseSighting | undefined)[] = [];
  let revision = 0;
  const watched = workloads.flatMap(({ namespace, selector, containers }) =>
    containers.flatMap(([container, artifact]) => {
      const snapshot = snapshotOf(artifact);
      return snapshot ? [{ kube, namespace, selector, container, artifact, snapshot }] : [];
    }),
  );
  const watches = watched.map((each, index) =>
    watchPods({
      ...each,
      onSeen: (sighting) => {
        sightings[index] = sighting;
        const all = sightings.flatMap((one) => one ?? []);
        if (all.length === watched.length) onSeen({ ...together(all), revision: (revision += 1) });
      },
    }),
  );
  return {
    stop() {
      for (const watch of watches) watch.stop();
    },
  };
}

const worstFirst: readonly Rollout['state'][] = ['failed', 'progressing', 'ready'];

function together(sightings: readonly ReleaseSighting[]): Pick<ReleaseSighting, 'live' | 'containers'> {
  const containers = sightings.flatMap((each) => each.containers);
  const live = sightings.flatMap((each) => (each.live.state === 'found' ? each.live.value : []));
  const rollouts = live.map(({ rollout }) => rollout);
  const [rollout] = worstFirst.flatMap((state) => rollouts.find((each) => each.state === state) ?? []);
  if (!rollout) return { live: absent, containers };
  const images = Object.assign({}, ...live.map((each) => each.images)) as (typeof live)[number]['images'];
  return { live: found({ fingerprint: '', appliedAt: 0, images, rollout }), containers };
}
