import { createHash } from 'node:crypto';
import type { BuildProblem, BuildRequest, ImageConfig } from '../clients';
import { type Result, succeeded } from '../model';

interface Instruction {
  readonly line: number;
  readonly name: string;
  readonly rest: string;
}

const known = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);

type FakeBuild = Extract<Result<ImageConfig>, { ok: true }> | { readonly ok: false; readonly problem: BuildProblem };

/**
 * Follows a Dockerfile far enough to fail where an engine fails (syntax, a base or a COPY source that is missing, `RUN … exit 3`) and to know
 * the image's config. The image's id covers everything that went in, so the same context gives the same image.
 */
export function buildFakeImage(
  request: BuildRequest,
  files: ReadonlyMap<string, string>,
  baseOf: (ref: string) => ImageConfig | undefined,
): FakeBuild {
  const { dockerfile, onLine } = request;
  const source = files.get(dockerfile);
  const fail = (problem: Partial<BuildProblem> & { readonly message: string }, line?: number): FakeBuild => ({
    ok: false,
    problem: {
      code: 'buildFailed',
      retry: 'whenInputChanges',
      exitCode: 1,
      ...problem,
      location: { file: dockerfile, ...(line === undefined ? {} : { line }) },
    },
  });
  if (source === undefined)
    return fail({ message: `the build failed: failed to read dockerfile: open ${dockerfile}: no such file or directory` });
  const instructions = parse(source);
  const strange = instructions.find(({ name }) => !known.has(name));
  if (strange) return fail({ message: `the Dockerfile is not valid: unknown instruction: ${strange.name}` }, strange.line);

  const stages = new Map<string, ImageConfig>();
  let config: ImageConfig = scratch;
  let stage = '';
  for (const [index, { name, rest }] of instructions.entries()) {
    onLine(`[${index + 1}/${instructions.length}] ${name} ${rest}`);
    if (name === 'FROM') {
      if (stage !== '' && stage === request.target) break;
      const [ref = '', , named = String(stages.size)] = substitute(rest, request.args)
        .replace(/^--\S+\s+/, '')
        .split(/\s+/);
      const base = ref === 'scratch' ? scratch : (stages.get(ref) ?? baseOf(ref));
      if (!base) return fail({ code: 'baseImageNotFound', message: `there is no base image ${ref}, or its registry wants a login` });
      config = base;
      stage = named;
    } else if (name === 'RUN') {
      if (request.buildkit === 'none' && rest.startsWith('--mount'))
        return fail({
          code: 'buildkitNeeded',
          message: `RUN ${rest} needs BuildKit, and the image is built without`,
          instruction: `RUN ${rest}`,
        });
      const exit = /\bexit ([1-9]\d*)/.exec(rest)?.[1] ?? (/(?:^|[;&] *)false$/.test(rest) ? '1' : undefined);
      if (exit !== undefined)
        return fail({
          message: `the build failed at RUN ${rest}: exit code ${exit}`,
          instruction: `RUN ${rest}`,
          detail: /echo ([^;&]*)/.exec(rest)?.[1]?.trim() ?? '',
        });
    } else if (name === 'COPY' || name === 'ADD') {
      const missing = missingSource(rest, files);
      if (missing !== undefined)
        return fail({ message: `the build failed at ${name} ${rest}: "/${missing}" not found`, instruction: `${name} ${rest}` });
    } else {
      config = configured(config, name, rest);
    }
    stages.set(stage, config);
  }
  const labels = { ...config.labels, ...request.labels };
  const inputs = JSON.stringify([[...files].sort(), config, labels, request.args, request.target, request.platform]);
  return succeeded({ ...config, labels, id: `sha256:${createHash('sha256').update(inputs).digest('hex')}` });
}

const scratch: ImageConfig = { id: 'scratch', entrypoint: [], command: [], env: [], workingDir: '', user: '', labels: {}, onBuild: [] };

function parse(source: string): readonly Instruction[] {
  const instructions: Instruction[] = [];
  let pending = '';
  let start = 0;
  for (const [index, text] of source.split('\n').entries()) {
    if (text.trim() === '' || text.trim().startsWith('#')) continue;
    if (pending === '') start = index + 1;
    pending += text.trim().replace(/\\$/, ' ');
    if (text.trim().endsWith('\\')) continue;
    const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(pending.trim()) ?? [];
    instructions.push({ line: start, name: name.toUpperCase(), rest: rest.replace(/\s+/g, ' ') });
    pending = '';
  }
  return instructions;
}

function substitute(text: string, args: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{?(\w+)\}?/g, (_whole, name: string) => args[name] ?? '');
}

function missingSource(rest: string, files: ReadonlyMap<string, string>): string | undefined {
  if (rest.includes('--from=')) return undefined;
  const words = (rest.startsWith('[') ? (JSON.parse(rest) as string[]) : rest.split(' ')).filter((word) => !word.startsWith('--'));
  return words
    .slice(0, -1)
    .map((word) => word.replace(/^\.?\/+/, '').replace(/\/+$/, ''))
    .find(
      (path) =>
        path !== '' &&
        path !== '.' &&
        !/[*?[]/.test(path) &&
        ![...files.keys()].some((file) => file === path || file.startsWith(`${path}/`)),
    );
}

function configured(config: ImageConfig, name: string, rest: string): ImageConfig {
  const words = (): readonly string[] => (rest.startsWith('[') ? (JSON.parse(rest) as string[]) : ['/bin/sh', '-c', rest]);
  const pairs = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      [...rest.matchAll(/([\w.-]+)=("[^"]*"|\S+)/g)].map(([, key = '', value = '']) => [key, value.replace(/^"|"$/g, '')]),
    );
  if (name === 'ENTRYPOINT') return { ...config, entrypoint: words(), command: [] };
  if (name === 'CMD') return { ...config, command: words() };
  if (name === 'ENV') return { ...config, env: [...config.env, ...Object.entries(pairs()).map(([key, value]) => `${key}=${value}`)] };
  if (name === 'LABEL') return { ...config, labels: { ...config.labels, ...pairs() } };
  if (name === 'WORKDIR') return { ...config, workingDir: rest };
  if (name === 'USER') return { ...config, user: rest };
  if (name === 'ONBUILD') return { ...config, onBuild: [...config.onBuild, rest] };
  return config;
}
