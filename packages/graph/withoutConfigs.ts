import { acceptsDefinedBy, below, definitionOf } from '../dockerfile';
import type { Input, WorkspacePath } from '../model';

export interface KnownConfigs {
  /** Every slipway.yaml of the workspace. */
  readonly configPaths: readonly WorkspacePath[];
}

/**
 * What configures Slipway is no part of an app: who takes the folder that it is in leaves it out, and who names it takes it. What it says
 * of the image is in the recipe and in the other inputs.
 */
export function withoutConfigs(input: Input, { configPaths }: KnownConfigs): Input {
  const around = configPaths.filter((path) => path !== input.path && below(input.path, path) !== undefined);
  if (around.length === 0) return input;
  const inner = input.accepts;
  const definition = JSON.stringify(['without', around, input.path, inner && definitionOf(inner)]);
  const configs = new Set(around);
  const accepts = acceptsDefinedBy(definition, (path, kind) => (kind === 'dir' || !configs.has(path)) && (inner?.(path, kind) ?? true));
  return { ...input, accepts };
}
