import type { PortForward } from '../model';

/** What a forward is known by while a session runs, whichever local port it has. */
export function forwardKey({ release, resource, namespace, port, localPort, strict, address }: PortForward): string {
  return JSON.stringify([release, resource, namespace, port, localPort, strict, address]);
}

export interface PortsInUse {
  /** What was given before, by `forwardKey`. */
  readonly given: ReadonlyMap<string, number>;
  /** Local ports that the session has, whoever for. */
  readonly used: readonly number[];
}

/**
 * Gives every wish a local port of its own, so that a service has the same one each time, whichever comes up first. Demands have theirs.
 * What was given stays with whom it was given to, also while that is not there; only a demand takes it away.
 */
export function localPorts(forwards: readonly PortForward[], { given, used }: PortsInUse): ReadonlyMap<string, number> {
  const demanded = new Set(forwards.filter(({ strict }) => strict).map(({ localPort }) => localPort));
  const ports = new Map([...given].filter(([, port]) => !demanded.has(port)));
  const taken = new Set([...demanded, ...ports.values(), ...used]);
  const placeOf = ({ asked, release, resource }: PortForward): string => `${asked === true ? 0 : 1} ${release} ${resource}`;
  for (const forward of [...forwards].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))) {
    const key = forwardKey(forward);
    if (ports.has(key)) continue;
    let port = forward.localPort;
    while (!forward.strict && taken.has(port)) port += 1;
    taken.add(port);
    ports.set(key, port);
  }
  return ports;
}
