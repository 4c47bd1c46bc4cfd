import type { ContainerPath, Problem } from '../model';

/** What an agent's tools call the usual reasons, and what we do. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/EACCES|EPERM|permission denied|not permitted/i, 'permission denied'],
  [/EROFS|read-only file system/i, 'its file system is read-only'],
  [/ENOSPC|no space left/i, 'no space is left on its file system'],
  [/EDQUOT|quota exceeded/i, 'a disk quota is used up'],
  [/EBUSY|resource busy/i, 'something is mounted there, or it is in use'],
  [/ENAMETOOLONG|name too long/i, 'its name is too long for the file system'],
];

/** One path could not be brought into a container. */
export function syncRefused(where: string, path: ContainerPath, said: string, user: string): Problem {
  const outside = /outside: (.*)/.exec(said);
  const reason = outside?.[1] ?? reasons.find(([pattern]) => pattern.test(said))?.[1] ?? said;
  const denied = reason === 'permission denied';
  return {
    code: 'syncRefused',
    message: `${path} cannot be changed in ${where}: ${reason}${denied && user !== '' ? ` for user ${user}` : ''}`,
    ...(outside
      ? { hint: 'Slipway writes through a link only within the directories it keeps in step: sync to where the link leads instead' }
      : {}),
    ...(denied ? { hint: writableHint } : {}),
    ...(isFull.test(reason) ? { hint: roomHint } : {}),
    retry: 'afterDelay',
    exitCode: 1,
    ...(reason === said ? {} : { detail: said }),
  };
}

const isFull = /^no space is left|^a disk quota/;
const roomHint = 'Make room there, or give its volume more (sizeLimit of an emptyDir, resources of a claim); it is tried again by itself';

const writableHint =
  'Let the container run as a user who may write there (securityContext.runAsUser), or give the files to its user in the Dockerfile (COPY --chown, RUN chown)';

/** The container's user cannot write where files are to go: told before the first edit. */
export function notWritable(
  where: string,
  roots: readonly { readonly path: ContainerPath; readonly onlyRead: boolean }[],
  user: string,
): Problem {
  // Nothing but that keeps the superuser from writing.
  const readOnly = user === '0' || roots.every(({ onlyRead }) => onlyRead);
  return {
    code: 'containerNotWritable',
    message: `${roots.map(({ path }) => path).join(', ')} cannot be written in ${where}${readOnly ? ': its file system is read-only' : ` by ${user === '' ? 'its user' : `user ${user}`}`}`,
    hint: readOnly
      ? 'leave out securityContext.readOnlyRootFilesystem while developing, or set reload: rebuild in slipway.yaml'
      : writableHint,
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

/** Neither agent can run in a container. */
export function noAgentPossible(where: string, missing: string): Problem {
  return {
    code: 'noAgentPossible',
    message: `${where} has neither node nor ${missing === '' ? 'a shell' : `what a shell agent needs (missing: ${missing})`}, so files cannot be kept in step there`,
    hint: 'add a shell with dd and tar to the image (busybox is enough), or set reload: rebuild in slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

/** How an agent's stream ended. */
export interface Ending {
  readonly exitCode: number | undefined;
  readonly problem: Problem | undefined;
  /** The last lines on its standard error. */
  readonly said: string;
  /** It was given up because it did not answer for so long. */
  readonly silentMs: number | undefined;
}

/** The stream ended without having been asked to. */
export function agentLost(where: string, ending: Ending): Problem {
  const { problem, exitCode, said, silentMs } = ending;
  const cut = silentMs === undefined ? 'the stream was cut' : `it did not answer for ${String(silentMs / 1000)} s`;
  const why = problem ? problem.message : exitCode === undefined ? cut : `it ended with exit code ${exitCode}`;
  const detail = [problem?.detail, said].filter((text) => text !== undefined && text !== '').join('\n');
  return {
    code: 'agentLost',
    message: `the agent in ${where} was lost: ${why}`,
    retry: 'afterDelay',
    exitCode: 3,
    ...(detail === '' ? {} : { detail }),
  };
}

/** It did not come as far as saying hello. */
export function agentSilent(where: string, ending: Ending): Problem {
  const lost = agentLost(where, ending);
  if (ending.problem) return ending.problem;
  const why = ending.exitCode === undefined ? 'it said nothing in time' : `it ended with exit code ${ending.exitCode}`;
  return { ...lost, code: 'agentFailed', message: `the agent in ${where} did not start: ${why}` };
}
