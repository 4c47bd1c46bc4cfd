import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildProblem } from '../../clients';
import { lineOfInstruction } from '../../dockerfile';
import type { Problem } from '../../model';
import type { BuildJob } from '../builder';

/** BuildKit knows the Dockerfile by its place in the tar, and often the instruction but not its line. */
export async function located(
  { instruction, ...problem }: BuildProblem,
  { artifact, root }: BuildJob,
  dockerfile: string,
): Promise<Problem> {
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
export function sourcesChanged({ artifact }: BuildJob, path: string): Problem {
  return {
    code: 'sourcesChanged',
    message: `${artifact.name}: ${path} changed while it was being sent to the builder, and the build failed`,
    hint: 'it is tried again with the files as they are then',
    retry: 'afterDelay',
    exitCode: 1,
    project: artifact.project,
    location: { file: path },
  };
}
