import type { Filled } from '../config';
import { nearest, type Problem } from '../model';
import { placeIn, type ProjectSettings } from './settings';

export interface TemplateAt {
  /** Whose template it is, for people: `api: the build argument VERSION`. */
  readonly what: string;
  readonly settings: ProjectSettings;
  readonly keys: readonly (string | number)[];
  /** Variables that it has without any being set. */
  readonly known?: readonly string[];
}

/** What is wrong with a template: signs that are none of it, and variables that are not set, each where it stands. */
export function templateProblems(
  { mistakes, missing }: Pick<Filled, 'mistakes' | 'missing'>,
  { what, settings, keys, known = [] }: TemplateAt,
): readonly Problem[] {
  const at = (offset: number) => {
    const location = placeIn(settings, keys, offset);
    return { project: settings.project.name, ...(location && { location }) };
  };
  return [
    ...mistakes.map(({ message, offset }): Problem => ({
      code: 'templateInvalid',
      message: `${what}: ${message}`,
      hint: 'correct it in slipway.yaml',
      retry: 'whenInputChanges',
      exitCode: 2,
      ...at(offset),
    })),
    ...missing.map(({ name, offset }): Problem => ({
      code: 'variableNotSet',
      message: `${what} needs the variable ${name}, which is not set`,
      hint: hintFor(name, known),
      retry: 'whenInputChanges',
      exitCode: 2,
      ...at(offset),
    })),
  ];
}

function hintFor(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const others = `set ${name}, or give it a default: \${${name}:-…}`;
  return meant === undefined ? others : `perhaps ${meant} was meant; else ${others}`;
}
