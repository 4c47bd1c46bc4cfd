import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildProblem, Engine } from '../../clients';
import { lineOfInstruction } from '../../dockerfile';
import { failed, succeeded, type Problem, type Result } from '../../model';
import { labels, type Builder, type BuildJob, type Built } from '../builder';
import { contextOf } from './context';
import { namedBases } from './namedBases';
import { packContext } from './packContext';

/** Through the BuildKit of a Docker engine. The image gets its name only when exactly the snapshot was sent. */
export function dockerBuilder(engine: Engine): Builder {
  return { build: (job) => buildInEngine(engine, job) };
}

/** `part`: what the engine is sent instead of the whole Dockerfile. */
export async function buildInEngine(engine: Engine, job: BuildJob, part?: string): Promise<Result<Built>> {
  const { artifact, snapshot, root, ref, signal, onLine } = job;
  const { recipe } = artifact;
  const { entries, dockerfile } = contextOf(artifact, snapshot);
  const bases = await reachableBases(job, engine);
  const isAsIs = part === undefined && Object.keys(bases).length === 0;
  const rewrite = isAsIs ? [] : [[recipe.dockerfile, (text: string) => namedBases(part ?? text, bases)] as const];
  const context = packContext({ root, entries, rewrite: new Map(rewrite) });
  const made = await engine.build({
    context: context.stream,
    dockerfile,
    ...(recipe.target !== undefined && { target: recipe.target }),
    ...(recipe.platform !== undefined && { platform: recipe.platform }),
    args: recipe.args,
    labels: { [labels.project]: artifact.project, [labels.inputs]: snapshot.inputsHash },
    tags: [],
    signal,
    onLine,
  });
  // Whatever came of it, nothing more is read.
  context.stream.destroy();
  const [changed] = await context.changed;
  if (!made.ok) return failed(changed ? sourcesChanged(job, changed[0]) : await located(made.problem, job, dockerfile));
  const { imageId } = made.value;
  if (changed) {
    await engine.remove(imageId);
    return succeeded<Built>({
      image: { location: 'engine', ref: imageId, id: imageId },
      sentHash: `changed:${changed[1]}`,
      builder: 'docker',
    });
  }
  const tagged = await engine.tag(imageId, ref);
  if (!tagged.ok) return failed({ ...tagged.problem, project: artifact.project });
  return succeeded<Built>({ image: { location: 'engine', ref, id: imageId }, sentHash: snapshot.inputsHash, builder: 'docker' });
}

/** By tag where the engine has it, so that nothing is fetched; else by digest from the registry. */
async function reachableBases({ bases }: BuildJob, engine: Engine): Promise<Readonly<Record<string, string>>> {
  const found = Object.entries(bases).map(async ([name, ref]) => {
    const tag = ref.replace(/@.*$/, '');
    const id = await engine.imageId(tag);
    return [name, id.ok && id.value !== undefined ? tag : ref] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** The engine knows the Dockerfile by its place in the tar, and often the instruction but not its line. */
async function located({ instruction, ...problem }: BuildProblem, { artifact, root }: BuildJob, dockerfile: string): Promise<Problem> {
  const { location, ...rest } = problem;
  const own = { ...rest, project: artifact.project };
  if (location?.file !== dockerfile) return location ? { ...own, location } : own;
  const file = artifact.recipe.dockerfile;
  if (location.line !== undefined || instruction === undefined) return { ...own, location: { ...location, file } };
  const text = await readFile(join(root, file), 'utf8').catch(() => '');
  const line = lineOfInstruction(text, instruction);
  return { ...own, location: { file, ...(line !== undefined && { line }) } };
}

/** A build of something that was half old and half new proves nothing about either. */
function sourcesChanged({ artifact }: BuildJob, path: string): Problem {
  return {
    code: 'sourcesChanged',
    message: `${artifact.name}: ${path} changed while it was being sent to the engine, and the build failed`,
    hint: 'it is tried again with the files as they are then',
    retry: 'afterDelay',
    exitCode: 1,
    project: artifact.project,
    location: { file: path },
  };
}
