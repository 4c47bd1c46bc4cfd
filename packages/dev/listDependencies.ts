import { isAbsolute, join, relative, sep } from 'node:path';
import { commandLine, type Processes } from '../clients';
import type { DependenciesCommand, ListedDependencies } from '../graph';
import { failed, succeeded, type Problem, type Result, type WorkspacePath } from '../model';

interface ListingOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly processes: Processes;
}

const patienceMs = 60_000;

/** Asks the commands that say what builds read, all at once. */
export async function listDependencies(commands: readonly DependenciesCommand[], options: ListingOptions): Promise<ListedDependencies> {
  const listed = commands.map(async (each) => {
    const paths = await pathsOf(each, options);
    return [each.artifact, paths.ok ? { paths: paths.value } : { paths: [], problem: paths.problem }] as const;
  });
  return new Map(await Promise.all(listed));
}

async function pathsOf(asked: DependenciesCommand, { root, env, processes }: ListingOptions): Promise<Result<readonly WorkspacePath[]>> {
  const { folder, command } = asked;
  const signal = AbortSignal.timeout(patienceMs);
  const ran = await processes.run({ ...commandLine(command), cwd: join(root, folder), env, signal });
  if (signal.aborted) return failed(notListed(asked, `did not end within ${patienceMs / 1000} s`));
  if (!ran.ok) return failed(notListed(asked, `did not run: ${ran.problem.message}`));
  const { exitCode, stdout, stderr } = ran.value;
  if (exitCode !== 0) return failed(notListed(asked, `ended with exit code ${exitCode}`, stderr || stdout));
  const paths: WorkspacePath[] = [];
  for (const path of namedIn(stdout)) {
    const inWorkspace = relative(root, isAbsolute(path) ? path : join(root, folder, path))
      .split(sep)
      .join('/');
    if (inWorkspace === '..' || inWorkspace.startsWith('../') || isAbsolute(inWorkspace))
      return failed(notListed(asked, `names ${path}, which is outside of the workspace`));
    paths.push(inWorkspace);
  }
  return succeeded(paths);
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

function notListed({ project, artifact, location, command }: DependenciesCommand, what: string, detail?: string): Problem {
  return {
    code: 'dependenciesNotListed',
    message: `${artifact}: the command that says what its build reads ${what}`,
    hint: `run it by hand: ${typeof command === 'string' ? command : command.join(' ')}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    project,
    ...(location && { location }),
    ...(detail !== undefined && detail !== '' && { detail }),
  };
}
