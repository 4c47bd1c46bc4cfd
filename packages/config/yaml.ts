import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

let loaded: typeof Yaml | undefined;

/** The YAML parser, loaded when there is something to parse: it takes longer than all else that an Nx command loads of Slipway. */
export function yaml(): typeof Yaml {
  loaded ??= createRequire(__filename)('yaml') as typeof Yaml;
  return loaded;
}
