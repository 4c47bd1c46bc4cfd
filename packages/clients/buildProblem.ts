import type { FailedStep } from './buildTrace';
import type { BuildProblem } from './engine';
import { makeRoom, saysDiskFull } from './engineRefusals';

/** What the engine's error text and the failing step say, as a problem. `dockerfile` is its path within the context. */
export function problemOfBuild(text: string, step: FailedStep | undefined, dockerfile: string): BuildProblem {
  const said = text
    .replace(/^failed to solve(?: with frontend \S+)?: /, '')
    .replace(/^failed to create LLB definition: /, '')
    .trim();
  const syntax = /dockerfile parse error (?:on )?line (\d+): ([\s\S]*)/.exec(text);
  if (syntax) {
    const reason = (syntax[2] ?? '').trim();
    return {
      code: 'buildFailed',
      message: `the Dockerfile is not valid: ${reason.split('\n')[0] ?? ''}`,
      retry: 'whenInputChanges',
      exitCode: 1,
      location: { file: dockerfile, line: Number(syntax[1]) },
      ...(reason.includes('\n') && { detail: text }),
    };
  }
  return diskFull(text, step, dockerfile) ?? baseImageProblem(text, said, step, dockerfile) ?? stepProblem(text, said, step, dockerfile);
}

/** Nothing of the workspace is wrong, whichever step came to notice it. */
function diskFull(text: string, step: FailedStep | undefined, dockerfile: string): BuildProblem | undefined {
  if (!saysDiskFull(text) && step?.printed.some(saysDiskFull) !== true) return undefined;
  return {
    code: 'diskFull',
    message: `no space is left where the image is built${step ? `, at ${shortened(step.instruction)}` : ''}`,
    hint: makeRoom,
    retry: 'afterDelay',
    exitCode: 1,
    location: { file: dockerfile },
    ...(step && { instruction: step.instruction }),
    detail: step === undefined || step.printed.length === 0 ? text : step.printed.join('\n'),
  };
}

function baseImageProblem(text: string, said: string, step: FailedStep | undefined, dockerfile: string): BuildProblem | undefined {
  // The step that looks the image up names it; without it the text does, in the words of the engine's version.
  const image = /^(?:load metadata for|FROM) (\S+)/.exec(step?.instruction ?? '')?.[1] ?? imageIn(text);
  if (image === undefined) return undefined;
  const offline = /dial tcp|lookup |i\/o timeout|connection refused|TLS handshake|no such host/.test(text);
  return {
    code: 'baseImageNotFound',
    message: offline
      ? `the base image ${image} cannot be fetched: its registry does not answer`
      : `there is no base image ${image}, or its registry wants a login`,
    hint: offline ? 'check the network, or pull the image once while it is there' : 'correct the FROM line, or log in with: docker login',
    retry: offline ? 'afterDelay' : 'whenInputChanges',
    exitCode: 1,
    location: { file: dockerfile },
    instruction: `FROM ${image}`,
    detail: said,
  };
}

function imageIn(text: string): string | undefined {
  const resolved = /failed to resolve source metadata for (\S+?): /.exec(text) ?? /([\w.:/@-]+): pull access denied/.exec(text);
  if (resolved) return resolved[1];
  const asked = /https?:\/\/([^/\s"]+)\/v2\/([^\s"]+)\/manifests\/([^\s":]+)/.exec(text);
  return asked ? `${(asked[1] ?? '').replace('registry-1.docker.io', 'docker.io')}/${asked[2] ?? ''}:${asked[3] ?? ''}` : undefined;
}

function stepProblem(text: string, said: string, step: FailedStep | undefined, dockerfile: string): BuildProblem {
  const exitCode = /exit code: (\d+)/.exec(text)?.[1];
  const reason =
    exitCode === undefined
      ? said.replace(/^failed to compute cache key: /, '').replace(/ not found: not found$/, ' not found')
      : `exit code ${exitCode}`;
  const printed = step?.printed.join('\n') ?? '';
  // What a command printed says why it failed; of the others the engine's words do, which the message has when they are one line.
  const detail = printed === '' ? (reason.includes('\n') ? text : undefined) : printed;
  return {
    code: 'buildFailed',
    message: step
      ? `the build failed at ${shortened(step.instruction)}: ${reason.split('\n')[0] ?? ''}`
      : `the build failed: ${reason.split('\n')[0] ?? ''}`,
    retry: 'whenInputChanges',
    exitCode: 1,
    location: { file: dockerfile },
    ...(step && { instruction: step.instruction }),
    ...(detail !== undefined && { detail }),
  };
}

const longestInstruction = 80;

/** Scripts of many lines stand in a RUN; the beginning tells which one it is. */
function shortened(instruction: string): string {
  const text = instruction.replace(/\s+/g, ' ');
  return text.length <= longestInstruction ? text : `${text.slice(0, longestInstruction - 1)}…`;
}
