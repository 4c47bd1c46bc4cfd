import type { PortForward, ReleaseName, SeenService } from '../model';
import type { ReleaseRequest } from './release';
import { schemeOf } from './scheme';

/** Ports below this one need rights that a developer has not; they are shown this much higher. */
const firstFreePort = 1024;
const shiftForLowPorts = 8000;

/** The port-forwards that the config asks for, else the first port of each Service that can be read without a tool. */
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
  return manifests.services.flatMap(({ name, namespace, ports }) => {
    const port = ports.find(({ protocol }) => protocol === 'TCP');
    return port ? [forwardTo({ name, port, ...(namespace !== undefined && { namespace }) }, project.name)] : [];
  });
}

/** A forward that nobody had to ask for. */
export function forwardTo(
  { name, namespace, port }: Pick<SeenService, 'name' | 'port'> & Partial<SeenService>,
  release: ReleaseName,
): PortForward {
  const scheme = schemeOf(port);
  return {
    release,
    resource: `service/${name}`,
    ...(namespace !== undefined && { namespace }),
    port: port.port,
    localPort: wishFor(port.port),
    strict: false,
    ...(scheme && { scheme }),
  };
}

function wishFor(port: number | string): number {
  if (typeof port === 'string') return shiftForLowPorts;
  return port >= firstFreePort ? port : shiftForLowPorts + port;
}
