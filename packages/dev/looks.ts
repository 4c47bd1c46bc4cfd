import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { leavesOf, projectOf, type WorkspacePath } from '../model';
import { classify, landingOf, releasesReading, viewOf } from '../plan';
import type { CommandOptions, CommandResult, DoctorDocument, ExplainDocument, InputsDocument } from './command';
import { size } from '../report';
import { isConfigOf } from './configChanges';
import { withProblems, worstExit } from './worstExit';
import { openRun } from './run';
import { goalFor, problemsOf } from './selection';
import { preflight, readFor } from './session';

/** What changing files would do, and why; the files need not exist. */
export async function explainCommand(
  options: CommandOptions & { readonly files: readonly string[]; readonly cwd?: string },
): Promise<CommandResult<ExplainDocument>> {
  const read = await readFor(options, 'dev');
  if (!read.ok) return { exitCode: read.problem.exitCode, problems: [read.problem], document: { files: [] } };
  const { workspace } = read.value;
  const files = options.files.map((file) => {
    const path = workspacePath(options.root, options.cwd ?? options.root, file);
    const project = projectOf(workspace.projects.values(), path);
    const artifacts = classify(workspace, path).map(({ artifact, action, containerPaths, because }) => ({
      name: artifact,
      action,
      containerPaths,
      because,
    }));
    const alone = releasesReading(workspace, path)
      .filter(({ release }) => !artifacts.some((artifact) => release.artifacts.includes(artifact.name)))
      .map(({ release, because }) => ({ name: release.name, action: 'redeploy' as const, containerPaths: [], because }));
    const effects = [...artifacts, ...alone];
    // Of a Dockerfile or a manifest its effects say enough; what a slipway.yaml changes is known when it is read anew, whatever takes it as a file.
    const isSaidBeside = effects.length === 0 || path.slice(path.lastIndexOf('/') + 1) === 'slipway.yaml';
    const isConfig = isSaidBeside && isConfigOf({ read: read.value, options }, path);
    const missing = !existsSync(join(options.root, path)) && ({ missing: true } as const);
    // An artifact with a mistake in it may take any file, so no answer is whole.
    const isUncertain = effects.length === 0 && !isConfig && workspace.problems.length > 0 && ({ isUncertain: true } as const);
    const projects = project ? [project.name] : [];
    return { path, projects, ...missing, ...isUncertain, artifacts: effects, ...(isConfig && { isConfig }) };
  });
  return { ...withProblems(workspace.problems), document: { files } };
}

function workspacePath(root: string, cwd: string, file: string): WorkspacePath {
  const absolute = isAbsolute(file) ? file : join(cwd, file);
  return relative(root, absolute).split(sep).join('/');
}

/** Which files an image takes as `dev` builds it, where they land, and what changing one asks for. */
export async function inputsCommand(
  options: CommandOptions & { readonly artifacts?: readonly string[] },
): Promise<CommandResult<readonly InputsDocument[]>> {
  const { session, problems } = await preflight(options, new Set(['workspace']), 'dev');
  if (!session) return { exitCode: worstExit(problems), problems, document: [] };
  const { workspace } = session.read;
  const chosen = goalFor(workspace, 'built', options);
  if (!chosen.ok) return { exitCode: worstExit(chosen.problems), problems: chosen.problems, document: [] };
  // Without the workspace among its facts the loop plans nothing, and decides nothing about the files it reads.
  const run = await openRun({ session, goal: chosen.goal, report: options.report, watch: false, listenOnly: true });
  await run.loop.until((turn) => turn.after.scanned);
  await run.source.settle();
  const world = { ...run.loop.world(), workspace };
  const documents: InputsDocument[] = [];
  for (const name of chosen.goal.artifacts) {
    const artifact = workspace.artifacts.get(name);
    if (!artifact) continue;
    const { sources } = viewOf(world, artifact).now;
    let contextBytes = 0;
    const files = [...leavesOf(sources)].flatMap(([path, entry]) => {
      if (entry.kind === 'file') contextBytes += entry.size;
      if (entry.kind === 'dir') return [];
      const landings = artifact.inputs.flatMap((input) => {
        const landing = landingOf(input, path);
        return landing ? [{ input, landing }] : [];
      });
      const rebuild = landings.find(({ input }) => input.onChange === 'rebuild');
      const containerPaths = [
        ...new Set(landings.flatMap(({ landing }) => (landing.containerPath === undefined ? [] : [landing.containerPath]))),
      ];
      return [
        {
          path,
          containerPaths,
          onChange: rebuild ? ('rebuild' as const) : ('sync' as const),
          because: (rebuild ?? landings[0])?.input.because ?? '',
        },
      ];
    });
    documents.push({
      project: artifact.project,
      artifact: artifact.name,
      image: artifact.image,
      dockerfile: artifact.recipe.dockerfile,
      ...(artifact.recipe.target !== undefined && { target: artifact.recipe.target }),
      context: artifact.recipe.context,
      contextBytes,
      files,
    });
  }
  await run.close();
  return { ...withProblems(problemsOf(workspace, options.projects)), document: documents };
}

/** Engines with many images count for long. */
const cachePatienceMs = 5_000;

/** Everything that `dev` needs, looked at without doing any of it. */
export async function doctorCommand(options: CommandOptions): Promise<CommandResult<DoctorDocument>> {
  const { checks, problems, session } = await preflight(options, new Set(['workspace', 'cluster', 'anyEngine', 'delivery']), 'dev');
  const cache = session && (await session.engine.cacheBytes(AbortSignal.timeout(cachePatienceMs)));
  const known = checks.map((check) =>
    check.name === 'engine' && check.ok && cache?.ok
      ? { ...check, message: `${check.message}; its build cache has ${size(cache.value)}` }
      : check,
  );
  const all = [...problems, ...(session?.read.workspace.problems ?? [])];
  const ofProjects = (session?.read.workspace.problems ?? []).map((problem) => ({
    name: problem.artifact ?? problem.project ?? 'workspace',
    ok: false,
    message: problem.message,
    ...(problem.hint !== undefined && { hint: problem.hint }),
  }));
  return { ...withProblems(all), document: { checks: [...known, ...ofProjects] } };
}
