import { posix } from 'node:path';
import picomatch from 'picomatch';
import { acceptsDefinedBy, below, definitionOf } from '../dockerfile';
import type { AfterCommand, Input, Problem, WorkspacePath } from '../model';
import type { Output } from './outputs';
import type { ProjectSettings } from './settings';

/** How long a command may take when the config does not say. A first compile in a container has no cache yet. */
export const defaultTimeoutMs = 120_000;

/** What `sync` of a config says, ready to be asked. */
export interface SyncRules {
  readonly mode: 'infer' | 'auto' | 'manual' | 'off';
  /** Which rule takes a path of the workspace, as a phrase with its place: the files that are copied because of it. */
  readonly named: Matching | undefined;
  /** Files that ask for a command after they were copied. */
  readonly asking: Matching | undefined;
  /** What targets of the graph make. */
  readonly made: Matching;
  /** Where the rules copy to. The image brings nothing there by them. */
  readonly inputs: readonly Input[];
  readonly after: readonly AfterCommand[];
  /** Where the config stands, for people. */
  readonly place: string;
}

interface Matching {
  readonly matches: (path: WorkspacePath) => boolean;
  readonly definition: string;
  readonly because: string;
}

type RulesRequest = Pick<ProjectSettings, 'project' | 'config' | 'own'> & {
  readonly workdir: string | undefined;
  readonly outputs: readonly Output[];
};

export function syncRulesOf(request: RulesRequest): SyncRules {
  const { project, config, own } = request;
  const { mode = 'infer', rules = [], after = [] } = config.sync ?? {};
  const place = (key: 'rules' | 'after' | 'mode'): string => {
    if (own?.config?.sync?.[key] === undefined) return 'slipway.yaml of the workspace';
    const { file, line } = own.locate(['sync', key]);
    return line === undefined ? file : `${file}:${line}`;
  };
  const root = project.root;
  const commands = after.map(({ run, when, timeout }): AfterCommand => {
    const matching = when && matchingOf(root, when, '');
    const accepts = matching && acceptsDefinedBy(`after ${matching.definition}`, (path, kind) => kind === 'file' && matching.matches(path));
    return { run, ...(accepts && { accepts }), timeoutMs: timeout === undefined ? defaultTimeoutMs : timeout * 1000 };
  });
  const asked = after.flatMap(({ when }) => when ?? []);
  return {
    mode,
    named:
      rules.length === 0
        ? undefined
        : matchingOf(
            root,
            rules.map(({ src }) => src),
            `sync.rules (${place('rules')})`,
          ),
    asking: asked.length === 0 ? undefined : matchingOf(root, asked, `sync.after (${place('after')})`),
    made: {
      matches: (path) => request.outputs.some((output) => below(output.path, path) !== undefined),
      definition: JSON.stringify(['made', ...request.outputs.map((output) => output.path)]),
      because: 'a target makes it',
    },
    inputs: mode === 'off' ? [] : rules.flatMap((rule) => inputsOfRule(rule, { ...request, because: `sync.rules (${place('rules')})` })),
    after: mode === 'off' ? [] : commands,
    place: place('mode'),
  };
}

/** Paths that globs relative to a folder match; the name of a directory stands for all in it. */
function matchingOf(folder: WorkspacePath, globs: readonly string[], because: string): Matching {
  const inWorkspace = globs.map((glob) => posix.join(folder, glob).replace(/\/$/, ''));
  const isMatch = picomatch([...inWorkspace, ...inWorkspace.map((glob) => `${glob}/**`)], { dot: true, flags: 's' });
  return { matches: (path) => isMatch(path), definition: JSON.stringify(inWorkspace), because };
}

/** Where the files of a rule land: what is below `strip` without it, and the rest with its whole path. */
function inputsOfRule(
  { src, dest, strip }: { readonly src: string; readonly dest: string; readonly strip?: string },
  { project, workdir, because }: RulesRequest & { readonly because: string },
): readonly Input[] {
  const { root } = project;
  const target = posix.resolve('/', workdir ?? '/', dest);
  const { base } = picomatch.scan(src);
  const folder = posix.normalize(base === '' ? '.' : base).replace(/\/$/, '');
  const matching = matchingOf(root, [src], because);
  const at = (inProject: string): WorkspacePath => {
    const path = posix.join(root, inProject);
    return path === '.' ? '' : path;
  };
  const input = (from: string, to: string, without?: WorkspacePath): Input => ({
    path: at(from),
    containerPath: to,
    onChange: 'sync',
    because: `copied to ${to} by ${because}`,
    byRule: true,
    onlySynced: true,
    accepts: acceptsDefinedBy(JSON.stringify(['rule', matching.definition, without]), (path, kind) =>
      without !== undefined && below(without, path) !== undefined ? false : kind === 'dir' || matching.matches(path),
    ),
  });
  const stripped = strip === undefined ? '.' : posix.normalize(strip).replace(/\/$/, '');
  const rest = below(stripped === '.' ? '' : stripped, folder === '.' ? '' : folder);
  if (rest !== undefined) return [input(folder, posix.join(target, rest))];
  const inner = below(folder === '.' ? '' : folder, stripped) !== undefined ? [input(stripped, target)] : [];
  return [input(folder, posix.join(target, folder), inner.length > 0 ? at(stripped) : undefined), ...inner];
}

/**
 * An input under the rules of `sync`: what a rule names, or what a command is run for, is copied even if the image is made from it or its
 * process would not take it up by itself. The rest is as `otherwise` has it.
 */
export function underRules(input: Input, rules: SyncRules, otherwise: (input: Input) => Input): readonly Input[] {
  const { mode, named, asking, made, place } = rules;
  if (mode === 'off') return [rebuilt(input, `sync.mode is off in ${place}`)];
  const rest = (part: Input): readonly Input[] => {
    if (mode === 'manual') return [rebuilt(part, `no rule names it, and sync.mode is manual in ${place}`)];
    if (mode === 'infer') return [otherwise(part)];
    const [taken, other] = parted(part, made);
    return [rebuilt(other, `no target makes it, and sync.mode is auto in ${place}`), otherwise(taken)];
  };
  // A file that lands nowhere is not there to be compiled.
  const winning = [named, input.containerPath === undefined ? undefined : asking].filter((each) => each !== undefined);
  if (winning.length === 0) return rest(input);
  const parts: Input[] = [];
  let left = input;
  for (const each of winning) {
    const [taken, other] = parted(left, each);
    const landing = input.containerPath === undefined ? 'it is copied' : `copied to ${input.containerPath}`;
    const because =
      input.onChange === 'rebuild'
        ? `${landing} by ${each.because}, which wins over: ${input.because}`
        : `${input.because}, and named by ${each.because}`;
    parts.push({ ...taken, onChange: 'sync', because, byRule: true });
    left = other;
  }
  return [...rest(left), ...parts];
}

/** `auto` where nothing says what is made: nothing would ever be copied. */
export function nothingMade(taken: readonly Input[], { project, config, own, outputs }: Omit<RulesRequest, 'workdir'>): readonly Problem[] {
  const isMade = ({ path }: Input): boolean =>
    outputs.some((output) => below(output.path, path) !== undefined || below(path, output.path) !== undefined);
  if (config.sync?.mode !== 'auto' || taken.some(isMade)) return [];
  return [
    {
      code: 'syncModeAutoUnknown',
      message: `${project.name}: sync.mode is auto, and no target says that it makes files which the image takes`,
      hint: 'declare the outputs of the target that makes them, or use sync.mode infer (what the Dockerfile copies) or manual (what rules name)',
      retry: 'whenInputChanges',
      exitCode: 2,
      project: project.name,
      ...(own?.config?.sync?.mode !== undefined && { location: own.locate(['sync', 'mode']) }),
    },
  ];
}

function rebuilt(input: Input, because: string): Input {
  return input.onChange === 'rebuild' ? input : { ...input, onChange: 'rebuild', because: `${input.because}, and ${because}` };
}

function parted(input: Input, { matches, definition }: Matching): readonly [Input, Input] {
  const inner = input.accepts;
  const known = JSON.stringify([definition, input.path, inner && definitionOf(inner)]);
  const takes = acceptsDefinedBy(`named ${known}`, (path, kind) => (inner?.(path, kind) ?? true) && kind === 'file' && matches(path));
  const leaves = acceptsDefinedBy(`unnamed ${known}`, (path, kind) => (inner?.(path, kind) ?? true) && (kind === 'dir' || !matches(path)));
  return [
    { ...input, accepts: takes },
    { ...input, accepts: leaves },
  ];
}
