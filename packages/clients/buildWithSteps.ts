import type { Readable } from 'node:stream';
import { type Problem, failed, succeeded } from '../model';
import type { FailedStep } from './buildTrace';
import { problemOfBuild } from './buildProblem';
import type { BuildProblem, BuildRequest, BuildResult } from './engine';
import { type EngineAnswer, type EngineApi, abortedEngine } from './engineApi';
import { readMessages } from './engineMessages';

/**
 * Docker has BuildKit on Linux since its API 1.39, whether or not it would take it by itself. Podman, which only speaks that API, says of
 * its builder that it has no version.
 */
export async function hasBuildkit(api: EngineApi): Promise<EngineAnswer<boolean>> {
  const answer = await api.stream({ method: 'GET', path: '/_ping' });
  if (answer.kind !== 'answered') return answer;
  answer.value.resume();
  const { 'builder-version': builder, 'api-version': version, ostype } = answer.value.headers;
  const [major = 0, minor = 0] = String(version).split('.').map(Number);
  return { kind: 'answered', value: builder === '2' || (builder !== '' && ostype === 'linux' && (major > 1 || minor >= 39)) };
}

/** Reads what a build without BuildKit prints: steps one after another, each with its output. Resolves to undefined when it was cut off. */
export async function readSteps(answer: Readable, { signal, onLine, dockerfile }: BuildRequest): Promise<BuildResult | undefined> {
  const steps = stepReader(onLine);
  let imageId: string | undefined;
  const error = await readMessages(answer, ({ aux, stream }) => {
    if (typeof aux === 'object') imageId = aux.ID ?? imageId;
    if (stream !== undefined) steps.add(stream);
  });
  const step = steps.end();
  if (signal.aborted) return failed(abortedEngine);
  if (error !== undefined) return failed(problemOfStep(error, step, dockerfile));
  return imageId === undefined ? undefined : succeeded({ imageId });
}

const keptLines = 40;

/** `Step 3/7 : RUN npm ci`, then what it prints, in pieces of any length. */
function stepReader(onLine: (line: string) => void): { readonly add: (text: string) => void; readonly end: () => FailedStep | undefined } {
  let rest = '';
  let step: { readonly instruction: string; readonly title: string } | undefined;
  let isTold = true;
  let printed: string[] = [];
  const tell = (suffix = ''): void => {
    if (step && !isTold) onLine(`${step.title}${suffix}`);
    isTold = true;
  };
  const read = (line: string): void => {
    const [, number, instruction] = /^Step (\d+\/\d+) : (.*)$/.exec(line) ?? [];
    if (number !== undefined && instruction !== undefined) {
      tell();
      step = { instruction, title: `[${number}] ${instruction}` };
      isTold = false;
      printed = [];
    } else if (line.startsWith(' ---> ')) tell(line === ' ---> Using cache' ? ' (cached)' : '');
    else if (!/^Removing intermediate container |^Successfully (built|tagged) |^\s*$/.test(line)) {
      tell();
      const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
      printed.push(last);
      if (printed.length > keptLines) printed.shift();
      onLine(last);
    }
  };
  return {
    add(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) read(line);
    },
    end() {
      if (rest !== '') read(rest);
      tell();
      return step && { instruction: step.instruction, error: '', printed };
    },
  };
}

function problemOfStep(error: string, step: FailedStep | undefined, dockerfile: string): BuildProblem {
  if (/requires? BuildKit/i.test(error)) return { ...buildkitNeeded(step?.instruction, error), location: { file: dockerfile } };
  const code = /returned a non-zero code: (\d+)$/.exec(error)?.[1];
  return problemOfBuild(code === undefined ? error.replace(/^(?:COPY|ADD) failed: /, '') : `exit code: ${code}`, step, dockerfile);
}

function buildkitNeeded(instruction: string | undefined, said: string): BuildProblem {
  return {
    code: 'buildkitNeeded',
    message: `${instruction ?? 'the Dockerfile'} needs BuildKit, and the image is built without`,
    hint: 'leave image.docker.buildkit out where the engine has BuildKit (Docker 18.09 or later), or change the instruction',
    retry: 'whenInputChanges',
    exitCode: 1,
    ...(instruction !== undefined && { instruction }),
    detail: said,
  };
}

/** What is asked for, and only BuildKit has. */
export function neededFor({ secrets, ssh, inlineCache }: BuildRequest): string | undefined {
  if (secrets) return 'image.docker.secrets';
  if (ssh) return 'image.docker.ssh';
  return inlineCache === true ? 'image.docker.cacheTo' : undefined;
}

export function withoutBuildkit(engine: string, wanted: string): Problem {
  return {
    code: 'buildkitNotFound',
    message: `the Docker engine at ${engine} has no BuildKit, which ${wanted} asks for`,
    hint: 'choose an engine that has it (Docker 18.09 or later), or leave that out of slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 3,
  };
}
