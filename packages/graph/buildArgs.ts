import { fillTemplate, variablesOf } from '../config';
import type { Problem } from '../model';
import type { ProjectSettings } from './settings';
import { templateProblems } from './templateProblems';

export interface BuildArgs {
  /** What is known before the image has a tag. */
  readonly values: Readonly<Record<string, string>>;
  /** See `BuildRecipe.lateArgs`. */
  readonly late: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

export interface ArgsRequest extends ProjectSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The name of the image as manifests have it. */
  readonly image: string;
}

/** They depend on what the image is called, and so on all that it is made from. */
const isLate = (variable: string): boolean => variable === 'IMAGE_TAG' || variable === 'IMAGE_REPO';

/** The build arguments of a project, with their variables replaced: all that have no value at once, each with its place. */
export function buildArgsOf(request: ArgsRequest): BuildArgs {
  const { project, config, env, image } = request;
  const value = (variable: string): string | undefined => (variable === 'IMAGE_NAME' ? image : env[variable]);
  const values: Record<string, string> = {};
  const late: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [name, written] of Object.entries(config.image?.docker?.args ?? {})) {
    const template = String(written);
    const filled = fillTemplate(template, { value, later: isLate });
    if (variablesOf(template).some(isLate)) late[name] = filled.text;
    else values[name] = fillTemplate(template, { value }).text;
    const what = `${project.name}: the build argument ${name}`;
    problems.push(...templateProblems(filled, { what, settings: request, keys: ['image', 'docker', 'args', name] }));
  }
  return { values, late, problems };
}
