import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { failed, succeeded, type Result, type WorkspacePath } from '../model';
import { declaresWorkspaces } from './packageManager';

/** A task as turbo.json has it, as far as it says what the task makes and needs. */
export interface TaskDefinition {
  readonly extends?: boolean;
  readonly outputs?: readonly string[];
  readonly inputs?: readonly string[];
  readonly dependsOn?: readonly string[];
  readonly persistent?: boolean;
}

/** A turbo.json, of the workspace or of one package. */
export interface TurboConfig {
  /** Of the root's file: globs of files that count for every task. */
  readonly globalDependencies?: readonly string[];
  readonly extends?: readonly string[];
  readonly tasks?: Readonly<Record<string, TaskDefinition>>;
}

export interface TurboConfigs {
  readonly root: TurboConfig;
  /** Of the packages that have one, by the package's name. */
  readonly packages: ReadonlyMap<string, TurboConfig>;
}

/** In a list of a package's task: what it extends stands here. */
const inherited = '$TURBO_EXTENDS$';
const names = ['turbo.json', 'turbo.jsonc'] as const;

/** The turbo.json or turbo.jsonc of a folder; undefined where it has none. Failure: `turboConfigInvalid`, exit 2. */
export function readTurboConfig(root: string, folder: WorkspacePath): Result<TurboConfig | undefined> {
  for (const name of names) {
    const file = folder === '' ? name : `${folder}/${name}`;
    const text = textOf(join(root, file));
    if (text === undefined) continue;
    const errors: ParseError[] = [];
    const config: unknown = parse(text, errors, { allowTrailingComma: true });
    const [first] = errors;
    if (!first && isObject(config)) return succeeded(config);
    return failed({
      code: 'turboConfigInvalid',
      message: first ? `${file} is not JSON: ${wordsOf(first)}` : `${file} holds no object`,
      hint: `correct ${file}`,
      retry: 'whenInputChanges',
      exitCode: 2,
      location: { file, ...(first ? placeOf(text, first.offset) : {}) },
    });
  }
  return succeeded(undefined);
}

/** Whether a folder is the root of a Turborepo: it has a turbo.json that extends no other, as those of packages do. */
export function isTurborepo(folder: string): boolean {
  const config = readTurboConfig(folder, '');
  // One that cannot be read is told of when its tasks are; until then it may be a package's.
  if (!config.ok) return declaresWorkspaces(folder);
  return config.value !== undefined && config.value.extends === undefined;
}

/**
 * What turbo.json says of one task of one package: in the root's file `package#task` stands before `task`, and what the package's own
 * file says of it goes over that, key by key. Undefined when nobody says anything: then turbo knows no such task.
 */
export function taskDefinition(configs: TurboConfigs, packageName: string, task: string): TaskDefinition | undefined {
  const chain = definitionChain(configs, packageName, task);
  return chain.length === 0 ? undefined : chain.reduce(over);
}

function definitionChain(
  { root, packages }: TurboConfigs,
  packageName: string,
  task: string,
  seen: ReadonlySet<string> = new Set(),
): readonly TaskDefinition[] {
  const own = packages.get(packageName);
  const extended = (own?.extends ?? ['//']).flatMap((name): readonly (TaskDefinition | undefined)[] => {
    if (name === '//') return [root.tasks?.[`${packageName}#${task}`] ?? root.tasks?.[task]];
    return seen.has(name) ? [] : definitionChain({ root: {}, packages }, name, task, new Set([...seen, packageName]));
  });
  const definition = own?.tasks?.[task];
  return [...(definition?.extends === false ? [] : extended), definition].filter((each) => each !== undefined);
}

function over(below: TaskDefinition, above: TaskDefinition): TaskDefinition {
  const list = (key: 'outputs' | 'inputs' | 'dependsOn') => {
    const wanted = above[key];
    return wanted?.includes(inherited) === true ? { [key]: [...(below[key] ?? []), ...wanted.filter((each) => each !== inherited)] } : {};
  };
  return { ...below, ...above, ...list('outputs'), ...list('inputs'), ...list('dependsOn') };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `CommaExpected` as `comma expected`. */
function wordsOf({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/(?<!^)([A-Z])/g, ' $1')
    .toLowerCase();
}

function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
