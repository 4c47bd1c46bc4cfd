import type { Config } from '../config';
import { usualPatience, type ApplyOptions, type Artifact, type Patience, type Release } from '../model';
import { isImage } from '../tag';
import { hooksOf } from './hooks';
import type { SourceFacts } from './manifestSources';
import type { ProjectSettings } from './settings';

export interface ReleaseRequest extends ProjectSettings {
  readonly manifests: SourceFacts;
  readonly artifacts: readonly Artifact[];
  readonly defaultRepo: string | undefined;
}

/** What is deployed of a project. Undefined when it has no manifests. */
export function releaseOf(request: ReleaseRequest): Release | undefined {
  const { project, config, manifests, artifacts, defaultRepo } = request;
  if (manifests.sources.length === 0) return undefined;
  const named = [...manifests.containers.map((container) => container.image), ...manifests.images];
  const used = artifacts.filter(({ image }) => named.some((name) => isImage(name, { image, repo: defaultRepo })));
  const apply = applyOf(config.apply);
  const hooks = hooksOf(request, ['render', 'deploy']);
  const places = namedBy(manifests.places);
  return {
    name: project.name,
    project: project.name,
    ...(config.namespace !== undefined && { namespace: config.namespace }),
    sources: manifests.sources,
    inputs: manifests.inputs,
    artifacts: used.map((artifact) => artifact.name),
    ...(places && { named: places }),
    ...(config.portForward && { namesForwards: true }),
    ...(apply && { apply }),
    ...(hooks.length > 0 && { hooks }),
    ...(config.rollout && { patience: patienceOf(config.rollout) }),
  };
}

/** What is found in any case needs no saying: objects of Kubernetes' workloads in the namespace of the release. */
function namedBy(places: SourceFacts['places']): Release['named'] {
  const isUsual =
    /^(v1|apps\/v1|batch\/v1) (Deployment|StatefulSet|DaemonSet|Job|CronJob|Pod|Service|ConfigMap|Secret|ServiceAccount|PersistentVolumeClaim)$/;
  const kinds = new Set(places.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).filter((kind) => !isUsual.test(kind)));
  const namespaces = [...new Set(places.flatMap(({ namespace }) => namespace ?? []))];
  if (kinds.size === 0 && namespaces.length === 0) return undefined;
  return {
    kinds: [...kinds].map((each) => {
      const [apiVersion = '', kind = ''] = each.split(' ');
      return { apiVersion, kind };
    }),
    namespaces,
  };
}

/** `hydrate` is part of the source that it is about. */
function applyOf({ force, fieldManager, rollOnConfigChange, createNamespace, images }: NonNullable<Config['apply']> = {}):
  ApplyOptions | undefined {
  const apply: ApplyOptions = {
    ...(force !== undefined && { force }),
    ...(fieldManager !== undefined && { fieldManager }),
    ...(rollOnConfigChange !== undefined && { rollOnConfigChange }),
    ...(createNamespace !== undefined && { createNamespace }),
    ...(images && { imageFields: images }),
  };
  return Object.keys(apply).length === 0 ? undefined : apply;
}

function patienceOf({ deadline, tolerateFailuresUntilDeadline }: NonNullable<Config['rollout']>): Patience {
  return {
    deadlineMs: deadline === undefined ? usualPatience.deadlineMs : deadline * 1000,
    toleratesFailures: tolerateFailuresUntilDeadline ?? usualPatience.toleratesFailures,
  };
}
