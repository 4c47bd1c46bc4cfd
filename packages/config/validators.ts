import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as AjvModule from 'ajv';
import type { Options, ValidateFunction } from 'ajv';
import type { Config } from './config';
import { projectSchema, rootSchema } from './schema';

export const ajvOptions = {
  allErrors: true,
  allowUnionTypes: true,
  verbose: true,
  keywords: ['patternHint', 'oneOfHint', 'propertiesHint', 'notHint'],
} as const satisfies Options;

/** What `tools/validators.mjs` makes of the schema. */
interface MadeBefore {
  readonly schemaDigest: string;
  readonly root: ValidateFunction<Config>;
  readonly project: ValidateFunction<Config>;
}

type Kind = 'root' | 'project';

const known = new Map<Kind, ValidateFunction<Config>>();
let before: { readonly made: MadeBefore | undefined } | undefined;

/** Making one takes a quarter of a second, which neither a command nor Nx is to pay for; a workspace without config pays for nothing. */
export function validatorFor(kind: Kind): ValidateFunction<Config> {
  const validator = known.get(kind) ?? madeBefore()?.[kind] ?? compiled(kind);
  known.set(kind, validator);
  return validator;
}

function madeBefore(): MadeBefore | undefined {
  before ??= { made: loaded() };
  return before.made;
}

/** The compiler alone does not make it, and it may be of an older schema. */
function loaded(): MadeBefore | undefined {
  try {
    const made = createRequire(__filename)('./validators.made.js') as MadeBefore;
    return made.schemaDigest === schemaDigest() ? made : undefined;
  } catch {
    return undefined;
  }
}

/** Of all that a validator is made from. */
export function schemaDigest(): string {
  return createHash('sha256')
    .update(JSON.stringify([ajvOptions, projectSchema, rootSchema]))
    .digest('hex');
}

function compiled(kind: Kind): ValidateFunction<Config> {
  const { Ajv } = createRequire(__filename)('ajv') as typeof AjvModule;
  return new Ajv({ ...ajvOptions, keywords: [...ajvOptions.keywords] }).compile<Config>(kind === 'root' ? rootSchema : projectSchema);
}
