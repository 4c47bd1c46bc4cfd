import { below } from '../dockerfile';
import type { WorkspacePath } from '../model';
import type { GraphFacts, GraphProject, GraphTarget } from './graphSource';
import { outputPath } from './interpolate';

/** A path that a target of the graph writes. */
export interface Output {
  readonly path: WorkspacePath;
  readonly project: GraphProject;
  readonly target: GraphTarget;
}

export function outputsOf(graph: GraphFacts): readonly Output[] {
  return graph.projects.flatMap((project) =>
    [...project.targets.values()].flatMap((target) =>
      target.outputs.flatMap((output) => {
        const path = outputPath(output, project);
        return path === undefined ? [] : [{ path, project, target }];
      }),
    ),
  );
}

/** What an output will be that has not been made yet: by its name, a file or a directory. */
export function expectedKind(outputs: readonly Output[], path: WorkspacePath): 'file' | 'dir' | undefined {
  if (outputs.some((output) => output.path !== path && below(path, output.path) !== undefined)) return 'dir';
  if (!outputs.some((output) => below(output.path, path) !== undefined)) return undefined;
  return /[^/.]\.\w+$/.test(path) ? 'file' : 'dir';
}
