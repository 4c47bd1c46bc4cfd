import { fillTemplate, variablesOf } from '../config';
import type { Problem } from '../model';
import type { ImageSettings } from './imageSettings';
import { templateProblems } from './templateProblems';

/** Texts by name, with their variables replaced. */
export interface FilledTexts {
  /** What is known before the image has a tag. */
  readonly values: Readonly<Record<string, string>>;
  /** Templates still: what names the image itself depends on all that it is made from. See `BuildRecipe.lateArgs`. */
  readonly late: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

export interface TextsRequest extends ImageSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface WrittenTexts {
  readonly written: Readonly<Record<string, string | number | boolean>>;
  /** Where they stand in the config. */
  readonly keys: readonly (string | number)[];
  /** What one is, for people: `the build argument`. */
  readonly what: string;
}

const known = ['IMAGE_NAME', 'IMAGE_REPO', 'IMAGE_TAG'];
const isLate = (variable: string): boolean => variable === 'IMAGE_TAG' || variable === 'IMAGE_REPO';

/** Fills templates of a project's config: all variables that have no value at once, each with its place. */
export function imageTextsOf(request: TextsRequest, { written, keys, what }: WrittenTexts): FilledTexts {
  const { artifact, env, image } = request;
  const value = (variable: string): string | undefined => (variable === 'IMAGE_NAME' ? image : env[variable]);
  const values: Record<string, string> = {};
  const late: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(written)) {
    const template = String(text);
    const filled = fillTemplate(template, { value, later: isLate });
    if (variablesOf(template).some(isLate)) late[name] = filled.text;
    else values[name] = fillTemplate(template, { value }).text;
    problems.push(...templateProblems(filled, { what: `${artifact}: ${what} ${name}`, settings: request, keys: [...keys, name], known }));
  }
  return { values, late, problems };
}
