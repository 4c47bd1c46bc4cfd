import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { buildLines, type BuildDocument } from '../../../report';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface BuildExecutorOptions extends ExecutorOptions {
  readonly dryRun?: boolean;
  /** One of the project's images. */
  readonly artifact?: string;
  /** Relative to the workspace, or absolute. */
  readonly fileOutput?: string;
  /** Of `k8s-deploy`, which passes its options on: false, it must not build, and says itself what is missing. */
  readonly build?: boolean;
  /** Of `k8s-deploy` likewise: it is told which images there are, so there is none to make. */
  readonly buildArtifacts?: string;
}

/** `nx-slipway:build`. Leaves a record of the images, the declared output that `nx affected` follows to what is deployed. */
export default async function build(options: BuildExecutorOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  if (options.build === false || options.buildArtifacts !== undefined) return { success: true };
  const { buildCommand } = await import('../../../dev/index.js');
  const { dryRun = false, artifact } = options;
  const own = buildOptions(options, context);
  return inThisProcess(async (surroundings) => {
    const { success, document } = await execute(options, context, surroundings, (common) => buildCommand({ ...common, ...own }));
    // What was built has been told by events.
    const untold = dryRun ? document : { images: document.images.filter(({ built }) => !built) };
    for (const line of buildLines(untold)) surroundings.stdout.write(`${line}\n`);
    // What is deployed follows from all images of the project.
    if (success && !dryRun && artifact === undefined && context.projectName !== undefined) {
      const record = join(context.root, '.slipway/images', `${context.projectName}.json`);
      await mkdir(dirname(record), { recursive: true });
      await writeFile(record, imageRecord(document));
    }
    return { success };
  });
}

/** What `slipway build` is asked for beside what all commands are. */
export function buildOptions(
  { dryRun = false, fileOutput, artifact }: BuildExecutorOptions,
  { root }: Pick<ExecutorContext, 'root'>,
): { readonly dryRun: boolean; readonly artifacts?: readonly string[]; readonly fileOutput?: string } {
  return {
    dryRun,
    ...(artifact !== undefined && { artifacts: [artifact] }),
    ...(fileOutput !== undefined && { fileOutput: resolve(root, fileOutput) }),
  };
}

/** The same text for the same images: how they came about this time is no part of it. */
export function imageRecord({ images }: BuildDocument): string {
  const lasting = images.map(({ project, artifact, image, tag, digest, ref }) => ({ project, artifact, image, tag, digest, ref }));
  return `${JSON.stringify({ images: lasting }, null, 2)}\n`;
}
