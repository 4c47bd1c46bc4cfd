import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine, parseImageRef } from '../../clients';
import {
  contentDigest,
  failed,
  leavesOf,
  succeeded,
  type BuildCommand,
  type BuiltImage,
  type DirEntry,
  type Problem,
  type Result,
  type WorkspacePath,
} from '../../model';
import type { Builder, BuildJob, BuildTools, Built } from '../builder';
import { nameInEngine, nameInRegistry, provisionalRef } from '../naming';

type CommandTools = Pick<BuildTools, 'engine' | 'registry' | 'processes' | 'env' | 'hasRegistry'>;

/** Of what a failing command printed, the last lines. */
const toldLines = 40;

/**
 * A command of the workspace makes the image and leaves it under exactly the reference it is given, in the engine or in the registry: one
 * that nobody looks for, where something has to go well before the image gets its name. It
 * reads the files by itself, so they are looked at before and after: an image made of anything else is taken away again.
 */
export function customBuilder(tools: CommandTools): Builder {
  return {
    async build(job) {
      const { artifact, snapshot, root } = job;
      const { command } = artifact.recipe;
      if (!command) throw new Error(`${artifact.name} has no build command`);
      const before = await firstChanged(root, snapshot.sources);
      if (before !== undefined) return succeeded(notMade(job, before));
      const ref = job.beforeNaming ? provisionalRef(job.ref) : job.ref;
      const problem = await run(command, { ...job, ref }, tools);
      const after = await firstChanged(root, snapshot.sources);
      if (problem) return failed({ ...problem, project: artifact.project, location: { file: command.config } });
      const image = await imageOf({ ...job, ref }, command, tools);
      if (!image.ok) return image;
      if (after === undefined) {
        const named = job.beforeNaming ? await nameMade(image.value, job, tools) : succeeded(undefined);
        if (!named.ok) return failed({ ...named.problem, project: artifact.project });
        return succeeded({ image: { ...image.value, ref: job.ref }, sentHash: snapshot.inputsHash, builder: 'custom' });
      }
      const removed = await takenAway(image.value, tools);
      return removed.ok ? succeeded(notMade(job, after)) : failed({ ...removed.problem, project: artifact.project });
    },
  };
}

async function run(command: BuildCommand, job: BuildJob, { env, hasRegistry, processes }: CommandTools): Promise<Problem | undefined> {
  const { artifact, root, signal, onLine } = job;
  const printed: string[] = [];
  const ended = await processes.run({
    ...commandLine(command.run),
    cwd: join(root, command.folder),
    env: { ...env, ...command.env, ...artifact.recipe.args, ...variablesOf(job, hasRegistry) },
    signal,
    onLine: (line) => {
      printed.push(line);
      if (printed.length > toldLines) printed.shift();
      onLine(line);
    },
  });
  if (!ended.ok) return ended.problem;
  const { exitCode } = ended.value;
  if (exitCode === 0) return undefined;
  return {
    code: 'buildFailed',
    message: `the build command ended with exit code ${exitCode}`,
    retry: 'whenInputChanges',
    exitCode: 1,
    ...(printed.length > 0 && { detail: printed.join('\n') }),
  };
}

/** What the command is told, over anything of the same name. */
function variablesOf({ artifact, root, ref }: BuildJob, hasRegistry: boolean): Readonly<Record<string, string>> {
  const { tag = '' } = parseImageRef(ref);
  return {
    IMAGE: ref,
    IMAGE_REPO: ref.slice(0, -tag.length - 1),
    IMAGE_TAG: tag,
    PUSH_IMAGE: String(hasRegistry),
    BUILD_CONTEXT: join(root, artifact.recipe.context),
    PLATFORMS: artifact.recipe.platform ?? '',
  };
}

/** Where the command has left the image. */
async function imageOf(
  { artifact, ref, signal }: BuildJob,
  { config }: BuildCommand,
  { engine, registry, hasRegistry }: CommandTools,
): Promise<Result<BuiltImage>> {
  if (hasRegistry) {
    const digest = await registry.digest(ref, signal);
    if (!digest.ok) return failed({ ...digest.problem, project: artifact.project });
    if (digest.value !== undefined) return succeeded({ location: 'registry', ref, id: digest.value });
  }
  // A command that needs no engine may run where none is.
  const inEngine = await engine.imageId(ref);
  if (inEngine.ok && inEngine.value !== undefined) return succeeded({ location: 'engine', ref, id: inEngine.value });
  return failed({
    code: 'imageNotMade',
    message: `the build command ended well, and there is no image ${ref}`,
    hint: 'let it make exactly $IMAGE, and push it when $PUSH_IMAGE is true',
    retry: 'whenInputChanges',
    exitCode: 1,
    project: artifact.project,
    location: { file: config },
  });
}

function nameMade({ location, id }: BuiltImage, job: BuildJob, { engine, registry }: CommandTools): Promise<Result<void>> {
  return location === 'registry' ? nameInRegistry(registry, id, job) : nameInEngine(engine, id, job);
}

function takenAway({ location, ref }: BuiltImage, { engine, registry }: CommandTools): Promise<Result<void>> {
  return location === 'registry' ? registry.remove(ref) : engine.remove(ref);
}

function notMade({ ref }: BuildJob, changed: WorkspacePath): Built {
  return { image: { location: 'engine', ref, id: '' }, sentHash: `changed:${changed}`, builder: 'custom' };
}

/** The first file or link that is not as the snapshot has it. */
async function firstChanged(root: string, sources: DirEntry): Promise<WorkspacePath | undefined> {
  for (const [path, entry] of leavesOf(sources)) {
    if (entry.kind === 'file') {
      const content = await readFile(join(root, path)).catch(() => undefined);
      if (!content || contentDigest(content) !== entry.digest) return path;
    } else if (entry.kind === 'link' && (await readlink(join(root, path)).catch(() => undefined)) !== entry.target) {
      return path;
    }
  }
  return undefined;
}
