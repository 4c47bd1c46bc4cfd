import { posix } from 'node:path';
import picomatch from 'picomatch';
import { acceptsDefinedBy, below, definitionOf } from '../dockerfile';
import type { Config, SyncRuleConfig } from '../config';
import type { AfterCommand, ContainerPath, Input, Notice, Problem, WorkspacePath } from '../model';
import type { Output } from './outputs';
import { placeIn, type ProjectSettings } from './settings';
import type { WorkspaceFiles } from './workspaceFiles';

/** How long a command may take when the config does not say. A first compile in a container has no cache yet. */
export const defaultTimeoutMs = 120_000;

/** What `sync` of a config says, ready to be asked. */
export interface SyncRules {
  readonly mode: 'infer' | 'auto' | 'manual' | 'off';
  /** What each rule takes of the workspace, as a phrase with its place: the files that are copied because of it. */
  readonly named: readonly Matching[];
  /** What mode `infer` is narrowed to. */
  readonly inferred: Matching | undefined;
  /** Files that ask for a command after they were copied. */
  readonly asking: Matching | undefined;
  /** What targets of the graph make. */
  readonly made: Matching;
  /** Where the rules copy to. The image brings nothing there by them. */
  readonly inputs: readonly Input[];
  readonly before: readonly AfterCommand[];
  readonly after: readonly AfterCommand[];
  readonly notices: readonly Notice[];
  readonly problems: readonly Problem[];
  /** Where the config stands, for people. */
  readonly place: string;
}

export interface Matching {
  readonly matches: (path: WorkspacePath) => boolean;
  readonly definition: string;
  readonly because: string;
}

type RulesRequest = Pick<ProjectSettings, 'project' | 'config' | 'own' | 'inherited'> & {
  /** What the sources of rules are relative to. */
  readonly context: WorkspacePath;
  readonly files: Pick<WorkspaceFiles, 'kindOf'>;
  readonly workdir: string | undefined;
  readonly outputs: readonly Output[];
};

export function syncRulesOf(request: RulesRequest): SyncRules {
  const { project, config, own } = request;
  const { mode = 'infer', rules = [], before = [], after = [], infer = [] } = config.sync ?? {};
  const place = (key: 'infer' | 'after' | 'mode'): string => {
    if (own?.config?.sync?.[key] === undefined) return 'slipway.yaml of the workspace';
    const { file, line } = own.locate(['sync', key]);
    return atLine(file, line);
  };
  const root = project.root;
  const commandOf = ({ run, when, timeout }: NonNullable<NonNullable<Config['sync']>['after']>[number]): AfterCommand => {
    const matching = when && matchingOf(root, when, '');
    const accepts = matching && acceptsDefinedBy(`after ${matching.definition}`, (path, kind) => kind === 'file' && matching.matches(path));
    return { run, ...(accepts && { accepts }), timeoutMs: timeout === undefined ? defaultTimeoutMs : timeout * 1000 };
  };
  const placed = rules.map((rule, index): PlacedRule => {
    const { file, line } = placeIn(request, ['sync', 'rules', index, 'src']) ?? { file: 'slipway.yaml' };
    return { ...rule, target: posix.resolve('/', request.workdir ?? '/', rule.dest), place: `sync.rules (${atLine(file, line)})` };
  });
  const asked = after.flatMap(({ when }) => when ?? []);
  return {
    mode,
    named: placed.map(({ src, place: of }) => matchingOf(request.context, [src], of)),
    inferred: infer.length === 0 ? undefined : matchingOf(root, infer, `sync.infer (${place('infer')})`),
    asking: asked.length === 0 ? undefined : matchingOf(root, asked, `sync.after (${place('after')})`),
    made: {
      matches: (path) => request.outputs.some((output) => below(output.path, path) !== undefined),
      definition: JSON.stringify(['made', ...request.outputs.map((output) => output.path)]),
      because: 'a target makes it',
    },
    inputs: mode === 'off' ? [] : placed.flatMap((rule) => inputsOfRule(rule, request.context)),
    before: mode === 'off' ? [] : before.filter(({ where }) => where !== 'host').map(commandOf),
    after: mode === 'off' ? [] : after.map(commandOf),
    problems: placed.flatMap((rule, index) => mirrorsSystem(rule, index, request)),
    notices: mode === 'off' ? [] : placed.flatMap((rule) => [...repeatedDirectory(rule, project.name), ...nothingThere(rule, request)]),
    place: place('mode'),
  };
}

interface PlacedRule extends SyncRuleConfig {
  /** Where `dest` is in the container. */
  readonly target: string;
  /** The rule, for people. */
  readonly place: string;
}

function atLine(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** What a rule keeps of its sources' paths below `dest`, as far as it is the same for all of them: `src` of `src/**`, `''` when nothing is. */
function keptFolder({ src, strip = '.' }: SyncRuleConfig): string | undefined {
  const folder = fixedFolder(src);
  return below(plainFolder(strip), folder);
}

/** The part of a glob before its first pattern. */
function fixedFolder(src: string): string {
  return plainFolder(picomatch.scan(src).base);
}

function plainFolder(path: string): string {
  const folder = posix.normalize(path === '' ? '.' : path).replace(/\/$/, '');
  return folder === '.' ? '' : folder;
}

/** `src/**` to `/app/src` lands in `/app/src/src`, which hardly anybody means. */
function repeatedDirectory(rule: PlacedRule, project: string): readonly Notice[] {
  const { src, dest, target, place } = rule;
  const kept = keptFolder(rule);
  const [first] = (kept ?? '').split('/');
  if (kept === undefined || first === undefined || first === '' || posix.basename(target) !== first) return [];
  return [
    {
      message: `${project}: ${src} lands in ${posix.join(target, kept)} by ${place}: its path is kept below dest ${dest}`,
      hint: `write strip: ${kept}/ for ${target}, or dest: ${posix.dirname(target)}`,
    },
  ];
}

const systemFolders = new Set(
  [
    'bin',
    'boot',
    'dev',
    'etc',
    'home',
    'lib',
    'lib64',
    'media',
    'mnt',
    'opt',
    'proc',
    'root',
    'run',
    'sbin',
    'srv',
    'sys',
    'tmp',
    'usr',
    'var',
  ].map((name) => `/${name}`),
);

/** Whether a container has files there that it runs on. */
export function hasSystemFiles(directory: ContainerPath): boolean {
  if (directory === '/' || systemFolders.has(directory)) return true;
  return /^\/(usr|proc|sys|dev|boot|etc)\/[^/]+$|^\/var\/(lib|log|run|cache)$/.test(directory);
}

/** Where a system has its own files a mirror would remove what containers run on. */
function mirrorsSystem(rule: PlacedRule, index: number, request: RulesRequest): readonly Problem[] {
  const { mirror, target, place } = rule;
  const landing = posix.join(target, keptFolder(rule) ?? '');
  if (mirror !== true || !hasSystemFiles(landing)) return [];
  const location = placeIn(request, ['sync', 'rules', index, 'dest']);
  return [
    {
      code: 'mirrorTooWide',
      message: `${request.project.name}: ${place} would remove what only the container has in ${landing}, where it has files that it runs on`,
      hint: 'give the files a directory of their own, or leave mirror out',
      retry: 'whenInputChanges',
      exitCode: 2,
      project: request.project.name,
      ...(location && { location }),
    },
  ];
}

/** A rule whose sources are nowhere, nor will be made by a target. */
function nothingThere({ src, place }: PlacedRule, { project, context, files, outputs }: RulesRequest): readonly Notice[] {
  const path = plainFolder(posix.join(context, fixedFolder(src)));
  if (path === '' || files.kindOf(path) !== undefined || outputs.some((output) => below(output.path, path) !== undefined)) return [];
  const own = plainFolder(posix.join(project.root, fixedFolder(src)));
  const meant =
    own !== path && files.kindOf(own) !== undefined
      ? `perhaps ${posix.relative(context, posix.join(project.root, src))} was meant`
      : 'correct src, or make what it names';
  return [
    {
      message: `${project.name}: ${place} copies ${src}, and there is no ${path}: src is relative to the context of the image, ${context === '' ? 'the workspace' : context}`,
      hint: meant,
    },
  ];
}

/** Paths that globs relative to a folder match; the name of a directory stands for all in it. */
export function matchingOf(folder: WorkspacePath, globs: readonly string[], because: string): Matching {
  const inWorkspace = globs.map((glob) => posix.join(folder, glob).replace(/\/$/, ''));
  const isMatch = picomatch([...inWorkspace, ...inWorkspace.map((glob) => `${glob}/**`)], { dot: true, flags: 's' });
  return { matches: (path) => isMatch(path), definition: JSON.stringify(inWorkspace), because };
}

/** Where the files of a rule land: what is below `strip` without it, and the rest with its whole path. */
function inputsOfRule(rule: PlacedRule, context: WorkspacePath): readonly Input[] {
  const { src, strip, target, place, write, mirror } = rule;
  const folder = fixedFolder(src);
  const matching = matchingOf(context, [src], place);
  const at = (inContext: string): WorkspacePath => plainFolder(posix.join(context, inContext));
  const input = (from: string, to: string, without?: WorkspacePath): Input => ({
    path: at(from),
    containerPath: to,
    onChange: 'sync',
    because: `copied to ${to} by ${place}`,
    byRule: true,
    onlySynced: true,
    accepts: acceptsDefinedBy(JSON.stringify(['rule', matching.definition, without]), (path, kind) =>
      without !== undefined && below(without, path) !== undefined ? false : kind === 'dir' || matching.matches(path),
    ),
    ...(write && { write }),
    ...(mirror === true && { mirror }),
  });
  const kept = keptFolder(rule);
  if (kept !== undefined) return [input(folder, posix.join(target, kept))];
  const stripped = plainFolder(strip ?? '.');
  const inner = below(folder, stripped) !== undefined ? [input(stripped, target)] : [];
  return [input(folder, posix.join(target, folder), inner.length > 0 ? at(stripped) : undefined), ...inner];
}

/**
 * An input under the rules of `sync`: what a rule names, or what a command is run for, is copied even if the image is made from it or its
 * process would not take it up by itself. The rest is as `otherwise` has it.
 */
export function underRules(input: Input, rules: SyncRules, otherwise: (input: Input) => Input): readonly Input[] {
  const { mode, named, asking, made, inferred, place } = rules;
  if (mode === 'off') return [rebuilt(input, `sync.mode is off in ${place}`)];
  const rest = (part: Input): readonly Input[] => {
    if (mode === 'manual') return [rebuilt(part, `no rule names it, and sync.mode is manual in ${place}`)];
    if (mode === 'infer' && !inferred) return [otherwise(part)];
    if (mode === 'infer' && inferred) {
      const [taken, other] = parted(part, inferred);
      return [rebuilt(other, `${inferred.because} does not name it`), otherwise(taken)];
    }
    const [taken, other] = parted(part, made);
    return [rebuilt(other, `no target makes it, and sync.mode is auto in ${place}`), otherwise(taken)];
  };
  // A file that lands nowhere is not there to be compiled.
  const winning = [...named, ...(input.containerPath === undefined || !asking ? [] : [asking])];
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
export function nothingMade(
  taken: readonly Input[],
  { project, config, own, outputs }: Pick<RulesRequest, 'project' | 'config' | 'own' | 'outputs'>,
): readonly Problem[] {
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
