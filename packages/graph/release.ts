import type { Config } from '../config';
import { usualPatience, type ApplyOptions, type Artifact, type Patience, type PortForward, type Release } from '../model';
import { isImage } from '../tag';
import { hooksOf } from './hooks';
import { schemeOf } from './scheme';
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

/** Ports below this one need rights that a developer has not; they are shown this much higher. */
const firstFreePort = 1024;
const shiftForLowPorts = 8000;

/** The port-forwards that the config asks for, else the first port of each Service. */
export function forwardsOf({ project, config, manifests }: ReleaseRequest): readonly PortForward[] {
  if (config.portForward) {
    return config.portForward.map(({ resource, namespace, port, localPort, strict = false, address }) => {
      const service = manifests.services.find(({ name }) => resource === `service/${name}`);
      const scheme = schemeOf(service?.ports.find((each) => each.port === port || each.name === port) ?? { port });
      return {
        release: project.name,
        resource,
        ...(namespace !== undefined && { namespace }),
        port,
        localPort: localPort ?? wishFor(port),
        strict,
        ...(localPort !== undefined && { asked: true }),
        ...(address !== undefined && { address }),
        ...(scheme && { scheme }),
      };
    });
  }
  return manifests.services.flatMap((service) => {
    const first = service.ports.find((port) => port.protocol === 'TCP');
    if (!first) return [];
    const scheme = schemeOf(first);
    return [
      {
        release: project.name,
        resource: `service/${service.name}`,
        ...(service.namespace !== undefined && { namespace: service.namespace }),
        port: first.port,
        localPort: wishFor(first.port),
        strict: false,
        ...(scheme && { scheme }),
      },
    ];
  });
}

function wishFor(port: number | string): number {
  if (typeof port === 'string') return shiftForLowPorts;
  return port >= firstFreePort ? port : shiftForLowPorts + port;
}

/** Gives every wish a port of its own, so that a service has the same one each time, whichever comes up first. Demands keep theirs. */
export function withOwnPorts(forwards: readonly PortForward[]): readonly PortForward[] {
  const taken = new Set(forwards.filter(({ strict }) => strict).map(({ localPort }) => localPort));
  const placeOf = ({ asked, release, resource }: PortForward): string => `${asked === true ? 0 : 1} ${release} ${resource}`;
  const inOrder = [...forwards].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const ports = new Map<PortForward, number>();
  for (const forward of inOrder) {
    let port = forward.localPort;
    while (!forward.strict && port !== 0 && taken.has(port)) port += 1;
    taken.add(port);
    ports.set(forward, port);
  }
  return forwards.map((forward) => ({ ...forward, localPort: ports.get(forward) ?? forward.localPort }));
}
