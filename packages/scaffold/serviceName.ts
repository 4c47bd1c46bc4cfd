import { baseImages } from './baseImages';
import { failed, succeeded, withoutScope, type Problem, type Result } from '../model';
import { longestName, objectName } from './objectName';

/** A Service of Kubernetes begins with a letter, and has lower-case letters, digits and dashes: RFC 1035, at most 63 of them. */
const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Checks the name of a new service, which becomes that of its project, image, Deployment and Service. */
export function serviceName(name: string): Result<string> {
  const base = Object.values(baseImages).find((image) => image.startsWith(`${name}:`));
  if (base !== undefined) {
    return failed({
      ...wrongUse,
      code: 'serviceNameInvalid',
      message: `${name} cannot be the name of a service: its image would be taken for the one in FROM ${base}`,
      hint: `call it ${name}-service`,
    });
  }
  if (label.test(name) && name.length <= longestName) return succeeded(name);
  const suggestion = objectName(withoutScope(name)).replace(/^[^a-z]+/, '');
  return failed({
    ...wrongUse,
    code: 'serviceNameInvalid',
    message: `${JSON.stringify(name)} cannot be the name of a Service: lower-case letters, digits and dashes, a letter first, at most ${longestName} of them`,
    ...(suggestion !== '' && { hint: `call it ${suggestion}` }),
  });
}

/** Checks a port that a container listens on. A process without special rights cannot listen below 1024. */
export function servicePort(port: number): Result<number> {
  if (Number.isInteger(port) && port >= 1024 && port <= 65_535) return succeeded(port);
  return failed({
    ...wrongUse,
    code: 'portInvalid',
    message: `${port} cannot be the port: a container that does not run as root listens on one from 1024 to 65535`,
    hint: 'the Service answers on port 80 whatever this one is',
  });
}

const wrongUse = { retry: 'never', exitCode: 2 } satisfies Partial<Problem>;
