import type { Artifact, Outcome, Problem, Step, World } from '../model';
import { mistakeInImage } from './mistakes';

/** One kind of step. */
export type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

export function failure(problem: Problem, project?: string): Outcome {
  const told = project === undefined || problem.project !== undefined ? problem : { ...problem, project };
  return { kind: 'failed', problem: told };
}

/** Of several images of a project the failure says which one. */
export function imageFailure(problem: Problem, artifact: Artifact | undefined): Outcome {
  if (!artifact) return failure(problem);
  const { name, project } = artifact;
  return failure(name === project ? problem : { ...problem, project, artifact: name }, project);
}

/** After a mistake the artifact is what it was before it: an image of the files as they are now would be a mixture. */
export function mistakeOf({ workspace }: World, name: string): Problem | undefined {
  const artifact = workspace?.artifacts.get(name);
  return workspace && artifact && mistakeInImage(artifact, workspace);
}

export function notThere(name: string): Problem {
  return { code: 'notInWorkspace', message: `${name} is no longer part of the workspace`, retry: 'whenInputChanges', exitCode: 1 };
}

/** A function, so that a check before does not make TypeScript believe that it cannot have changed. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
