import { availableParallelism } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { commandLine, type Processes } from '../clients';
import type { CommandQuestion, DependenciesQuestion, GoQuestion, ListedDependencies, Listing } from '../graph';
import { failed, succeeded, type Problem, type Result, type WorkspacePath } from '../model';
import { GoMemory } from './goMemory';
import { listGoPackages } from './listGoPackages';
import { pathInside } from './pathInside';

interface ListingOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly processes: Processes;
}

/** What one tool is asked with. */
export interface Asking extends ListingOptions {
  /** Where it runs. */
  readonly folder: WorkspacePath;
  readonly signal: AbortSignal;
  /** A problem: the tool, and what goes on as this says. */
  readonly notListed: (what: string, more?: Pick<Problem, 'hint' | 'detail'>) => Problem;
}

const patienceMs = 60_000;

/** Asks the tools that know what builds read. */
export async function listDependencies(questions: readonly DependenciesQuestion[], options: ListingOptions): Promise<ListedDependencies> {
  const memory = new GoMemory(options.root);
  const answers = new Map<string, Result<Listing>>();
  const left = [...questions];
  const answerSome = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) answers.set(next.artifact, await answerTo(next, { ...options, memory }));
  };
  await Promise.all(Array.from({ length: toolsAtATime }, answerSome));
  memory.write();
  return answers;
}

/** Of these, each is a process with work for a core, and half of it waits for the disk. */
const toolsAtATime = 2 * availableParallelism();

async function answerTo(
  question: DependenciesQuestion,
  { memory, ...options }: ListingOptions & { readonly memory: GoMemory },
): Promise<Result<Listing>> {
  const { folder, asks } = question;
  const signal = AbortSignal.timeout(patienceMs);
  const notListed: Asking['notListed'] = (what, more) => problemOf(question, what, more);
  const asking = { ...options, folder, signal, notListed };
  const answer = asks.kind === 'go' ? await packagesOf(asks, asking, memory) : await listPaths(asks, asking);
  return signal.aborted ? failed(notListed(`did not end within ${patienceMs / 1000} s`)) : answer;
}

async function packagesOf(question: GoQuestion, asking: Asking, memory: GoMemory): Promise<Result<Listing>> {
  const { folder, env } = asking;
  const key = JSON.stringify([folder, question, env['GOFLAGS'], env['GOWORK']]);
  const known = memory.recall(key, folder);
  if (known) return succeeded(known);
  const askedAt = Date.now();
  const listed = await listGoPackages(question, asking);
  if (listed.ok) memory.keep(key, folder, { listing: listed.value, askedAt });
  return listed;
}

async function listPaths({ command }: CommandQuestion, asking: Asking): Promise<Result<Listing>> {
  const { root, folder, env, processes, signal, notListed } = asking;
  const ran = await processes.run({ ...commandLine(command), cwd: join(root, folder), env, signal });
  if (!ran.ok) return failed(notListed(`did not run: ${ran.problem.message}`));
  const { exitCode, stdout, stderr } = ran.value;
  if (exitCode !== 0) return failed(notListed(`ended with exit code ${exitCode}`, { detail: stderr || stdout }));
  const paths: WorkspacePath[] = [];
  for (const path of namedIn(stdout)) {
    const inside = pathInside(root, isAbsolute(path) ? path : join(root, folder, path));
    if (inside === undefined) return failed(notListed(`names ${path}, which is outside of the workspace`));
    paths.push(inside);
  }
  return succeeded({ kind: 'paths', paths });
}

/** A list as JSON, or a path in each line. */
function namedIn(output: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(output);
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  } catch {
    // Lines, then.
  }
  return output.split(/\r?\n/).filter((line) => line.trim() !== '');
}

function problemOf(question: DependenciesQuestion, what: string, { hint, detail }: Pick<Problem, 'hint' | 'detail'> = {}): Problem {
  const { project, artifact, location, asks } = question;
  const tool = asks.kind === 'go' ? 'go list' : 'the command that says what its build reads';
  return {
    code: 'dependenciesNotListed',
    message: `${artifact}: ${tool} ${what}`,
    hint: hint ?? `run it by hand: ${byHand(asks)}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    project,
    ...(location && { location }),
    ...(detail !== undefined && detail !== '' && { detail }),
  };
}

function byHand(asks: DependenciesQuestion['asks']): string {
  if (asks.kind === 'go') return `go list -deps ${asks.packages.join(' ')}`;
  return typeof asks.command === 'string' ? asks.command : asks.command.join(' ');
}
