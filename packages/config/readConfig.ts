import type { ErrorObject } from 'ajv';
import type { Document } from 'yaml';
import { nearest, type Location, type Problem, type WorkspacePath } from '../model';
import type { Config } from './config';
import { unlessKnown } from './knownConfigs';
import { projectSchema, rootSchema } from './schema';
import { validatorFor } from './validators';
import { yaml } from './yaml';

export interface ConfigText {
  readonly path: WorkspacePath;
  readonly text: string;
  /** Whether it lies at the root of the workspace. */
  readonly isRoot: boolean;
}

export interface ReadConfig {
  /** Undefined when there is any mistake. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
  /** Where a key stands, or the nearest one around it that is there: `['image', 'name']`. */
  readonly locate: (keys: readonly (string | number)[]) => Location;
  /** Where a sign of a text stands, when the text is written on one line; else its key. Undefined: it is not in this file. */
  readonly locateIn: (keys: readonly (string | number)[], offset: number) => Location | undefined;
}

/** Reads a slipway.yaml. All mistakes at once, each with its place. */
export function readConfig(file: ConfigText): ReadConfig {
  return unlessKnown(file, { read: () => readText(file), places: () => placesIn(file).places });
}

/** Where things stand in a text, whether they are right or not. */
function placesIn({ path, text }: ConfigText) {
  const lines = new (yaml().LineCounter)();
  const document = yaml().parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { file: path, line, column: col };
  };
  const locate = (keys: readonly (string | number)[]): Location => at(offsetOf(document, keys));
  const locateIn = (keys: readonly (string | number)[], offset: number): Location | undefined => {
    const node = document.getIn(keys, true);
    if (!yaml().isScalar(node) || !node.range) return undefined;
    const [from, to] = node.range;
    if (text.slice(from, to).includes('\n')) return locate(keys);
    return at(from + offset + (/^["']/.test(text.slice(from)) ? 1 : 0));
  };
  return { document, at, places: { locate, locateIn } };
}

function readText(file: ConfigText): ReadConfig {
  const { isRoot } = file;
  const { document, at, places } = placesIn(file);
  const { locate } = places;
  // What follows the first mistake mostly follows from it, and would hide it.
  const [mistake] = document.errors;
  if (mistake) {
    const problem = invalid(at(mistake.pos[0]), `not valid YAML: ${mistake.message.replace(/\.$/, '')}`);
    return { config: undefined, problems: [problem], ...places };
  }
  const value: unknown = document.toJS();
  if (value === null)
    return { config: undefined, problems: [invalid(at(0), 'the file is empty', 'write version: 1, or delete it')], ...places };
  const validate = validatorFor(isRoot ? 'root' : 'project');
  // At the root image says what all images have in common, besides.
  const twofold = !isRoot && isMapping(value) && ['image', 'images'].every((key) => Object.hasOwn(value as object, key));
  const contradictions = twofold
    ? [
        invalid(
          locate(['images']),
          'image and images cannot stand beside each other',
          'give the image of image a name in images, and leave image out',
        ),
      ]
    : [];
  if (validate(value)) return { config: twofold ? undefined : value, problems: contradictions, ...places };
  const schema = isRoot ? rootSchema : projectSchema;
  const mistakes = meaningful(validate.errors ?? []).map((error) => {
    const keys = keysOf(error);
    const unknown = unknownKey(error);
    const location = locate(unknown === undefined ? keys : [...keys, unknown]);
    const parent = (error.parentSchema ?? schema) as { readonly properties?: Readonly<Record<string, unknown>> };
    return unknown === undefined
      ? invalid(location, expected(error, keys))
      : unknownKeyProblem({ location, unknown, keys, known: Object.keys(parent.properties ?? {}) });
  });
  const problems = [...mistakes, ...contradictions];
  problems.sort((a, b) => (a.location?.line ?? 0) - (b.location?.line ?? 0));
  return { config: undefined, problems, ...places };
}

function invalid(location: Location, what: string, hint?: string): Problem {
  const place = `${location.file}:${location.line ?? 1}`;
  return {
    code: 'configInvalid',
    message: `${place}: ${what}`,
    ...(hint !== undefined && { hint }),
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
  };
}

/**
 * The errors of a oneOf's branches say what it might have been; the oneOf itself says what is expected. Only of a map that was written
 * where a map may stand is it known which branch was meant, and what is wrong within it says more.
 */
function meaningful(errors: readonly ErrorObject[]): ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === 'oneOf');
  const named = errors.filter((error) => error.keyword !== 'propertyNames');
  const within = (error: ErrorObject, choice: ErrorObject): boolean =>
    error.schemaPath.startsWith(`${choice.schemaPath}/`) && isAt(error, choice);
  const isOtherForm = (error: ErrorObject, choice: ErrorObject): boolean =>
    error.instancePath === choice.instancePath && (error.keyword === 'type' || error.keyword === 'enum');
  const isOpen = (choice: ErrorObject): boolean =>
    isMapping(choice.data) && errors.some((error) => within(error, choice) && !isOtherForm(error, choice));
  return named.filter((error) => {
    if (error.keyword === 'oneOf' && isOpen(error)) return false;
    return choices.every((choice) => !within(error, choice) || (isOpen(choice) && !isOtherForm(error, choice)));
  });
}

function isAt(error: ErrorObject, choice: ErrorObject): boolean {
  return error.instancePath === choice.instancePath || error.instancePath.startsWith(`${choice.instancePath}/`);
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keysOf(error: ErrorObject): (string | number)[] {
  const keys = error.instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replace(/~1/g, '/').replace(/~0/g, '~'))
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  // A name that somebody chose is wrong itself.
  return error.propertyName === undefined ? keys : [...keys, error.propertyName];
}

function unknownKey(error: ErrorObject): string | undefined {
  const name: unknown =
    error.keyword === 'additionalProperties' ? (error.params as { additionalProperty?: unknown }).additionalProperty : undefined;
  return typeof name === 'string' ? name : undefined;
}

function nameOfKeys(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((name, key) => (typeof key === 'number' ? `${name}[${key}]` : name === '' ? key : `${name}.${key}`), '');
}

interface UnknownKey {
  readonly location: Location;
  readonly unknown: string;
  readonly keys: readonly (string | number)[];
  readonly known: readonly string[];
}

function unknownKeyProblem({ location, unknown, keys, known }: UnknownKey): Problem {
  const where = keys.length === 0 ? 'slipway.yaml' : nameOfKeys(keys);
  if (keys.length === 0 && unknown in rootSchema.properties) {
    return invalid(location, `${unknown} can only stand in the slipway.yaml at the root of the workspace`, 'move it there');
  }
  const meant = nearest(unknown, known);
  const hint = meant === undefined ? `keys of ${where}: ${known.join(', ')}` : `perhaps ${meant} was meant`;
  return invalid(location, `${unknown} is not a key of ${where}`, hint);
}

/** One phrase that says what should stand there. */
function expected(error: ErrorObject, keys: readonly (string | number)[]): string {
  const name = keys.length === 0 ? 'the file' : nameOfKeys(keys);
  const schema = error.parentSchema as
    { readonly patternHint?: string; readonly oneOfHint?: string; readonly propertiesHint?: string; readonly notHint?: string } | undefined;
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'required':
      return `${keys.length === 0 ? '' : `${name}.`}${String(params['missingProperty'])} is missing`;
    case 'type':
      return `${name} must be ${String(params['type']).split(',').map(typeName).join(' or ')}, not ${shown(error.data)}`;
    case 'const':
      return `${name} must be ${JSON.stringify(params['allowedValue'])}, not ${shown(error.data)}`;
    case 'enum':
      return `${name} must be one of ${(params['allowedValues'] as readonly unknown[]).map(String).join(', ')}, not ${shown(error.data)}`;
    case 'pattern':
      if (error.propertyName !== undefined) return `${name} must be called ${schema?.patternHint ?? 'something else'}`;
      return `${name} must be ${schema?.patternHint ?? `of the form ${String(params['pattern'])}`}, not ${shown(error.data)}`;
    case 'oneOf':
      return `${name} must be ${schema?.oneOfHint ?? 'of another form'}, not ${shown(error.data)}`;
    case 'minimum':
      return `${name} must be at least ${String(params['limit'])}, not ${shown(error.data)}`;
    case 'maximum':
      return `${name} must be at most ${String(params['limit'])}, not ${shown(error.data)}`;
    case 'not':
      return `${name} must have ${schema?.notHint ?? 'other keys'}, not ${Object.keys(Object(error.data) as object).join(' and ')}`;
    case 'maxProperties':
    case 'minProperties':
      return `${name} must have ${schema?.propertiesHint ?? 'one key'}, not ${Object.keys(Object(error.data) as object).join(' and ') || 'none'}`;
    case 'minLength':
    case 'minItems':
      return `${name} is empty`;
    default:
      return `${name} ${error.message ?? 'is not valid'}`;
  }
}

function typeName(type: string): string {
  switch (type) {
    case 'object':
      return 'a map';
    case 'array':
      return 'a list';
    case 'integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    default:
      return `a ${type}`;
  }
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : JSON.stringify(value);
}

/** Of a key in a map the key itself, of an item of a list the item. */
function offsetOf(document: Document, keys: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = yaml().isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const key of keys) {
    if (yaml().isMap(node)) {
      const pair = node.items.find((item) => yaml().isScalar(item.key) && String(item.key.value) === String(key));
      if (!pair) break;
      offset = yaml().isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else {
      node = yaml().isNode(node) && 'items' in node && Array.isArray(node.items) ? (node.items as unknown[])[Number(key)] : undefined;
      if (!yaml().isNode(node)) break;
      offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}
