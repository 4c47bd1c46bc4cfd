import type { Problem } from '../model';

const retriable = { retry: 'afterDelay', exitCode: 1 } as const;

const noSpace = /no space left on device|ENOSPC/i;

/** Whether an engine, or what ran in a build, says that a disk is full. */
export function saysDiskFull(text: string): boolean {
  return noSpace.test(text);
}

export const makeRoom =
  '`docker builder prune` frees what is kept of earlier builds, and `docker system df` says what takes the rest; where not even that has room, remove something else first';

/** `subject`: what it was asked for. */
export function engineRefused(subject: string, said: string): Problem {
  if (saysDiskFull(said)) return full(`the Docker engine refuses ${subject}: no space is left on its disk`, said);
  return { ...retriable, code: 'engineRefused', message: `the Docker engine refuses ${subject}: ${said}` };
}

export function pushRefused(ref: string, registry: string, said: string): Problem {
  const hint = saysDiskFull(said) ? `make room on the disk of the registry ${registry}, or of the engine` : hintFor(said, registry);
  return { ...retriable, code: 'pushRefused', message: `${ref} was not pushed: ${asClause(said)}`, hint };
}

export function pullRefused(ref: string, registry: string, said: string): Problem {
  const message = `${ref} cannot be pulled into the engine`;
  if (saysDiskFull(said)) return full(`${message}: no space is left on its disk`, said);
  return { ...retriable, code: 'pullRefused', message: `${message}: ${asClause(said)}`, hint: hintFor(said, registry) };
}

function full(message: string, detail: string): Problem {
  return { ...retriable, code: 'diskFull', message, hint: makeRoom, detail };
}

function asClause(said: string): string {
  return said.trim().replace(/\.$/, '');
}

function hintFor(said: string, registry: string): string {
  if (/denied|unauthorized|authentication required|no basic auth|forbidden/i.test(said)) return `log in with: docker login ${registry}`;
  if (said.includes('does not exist locally')) return 'build it first: the engine does not have it';
  if (/HTTP status: 5\d\d/i.test(said)) return `the registry ${registry} failed by itself: its log says why; its disk may be full`;
  return `check that the registry ${registry} runs and that the engine reaches it`;
}
