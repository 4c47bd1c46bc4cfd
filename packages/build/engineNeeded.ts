import type { Location, Problem } from '../model';

/** What is found to need an engine only when a base image has been read: the Dockerfile alone does not show it. */
export function engineNeeded(what: string, location: Location): Problem {
  return {
    code: 'baseNeedsEngine',
    message: `${what} needs an engine`,
    hint: 'set image.builder to docker or auto in slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 1,
    location,
  };
}
