import type { Input, WorkspacePath } from '../model';
import { below } from './below';
import type { PathMatcher } from './pathMatcher';
import type { DockerfileFacts } from './readDockerfile';
import type { Landing } from './stage';

export interface InputOptions {
  /** Path of the Dockerfile in the workspace. */
  readonly file: WorkspacePath;
  readonly context: WorkspacePath;
  /** What its `.dockerignore` leaves out, with paths relative to the context. */
  readonly ignore: PathMatcher | undefined;
}

export type Accepts = NonNullable<Input['accepts']>;

/** The files that an image takes, as inputs of its artifact, in the order in which they land. */
export function inputsOf(facts: DockerfileFacts, options: InputOptions): readonly Input[] {
  const inputs = new Map<string, Input>();
  for (const landing of facts.landings) {
    const input = inputOf(landing, options);
    const key = JSON.stringify([input.path, input.containerPath, input.onChange, input.mode, input.accepts && definitionOf(input.accepts)]);
    const before = inputs.get(key);
    // Of equal ones the place of the last counts, and what was said first.
    inputs.delete(key);
    inputs.set(key, before ?? input);
  }
  return [...inputs.values()];
}

function inputOf(landing: Landing, { file, context, ignore }: InputOptions): Input {
  const { rebuild, containerPath, filter, mode } = landing;
  const path = joined(context, landing.source);
  const because = rebuild ? `${rebuild.because} (${file}:${rebuild.line})` : `copied to ${containerPath ?? ''} (${file}:${landing.line})`;
  const accepts = filter || ignore ? acceptsOf({ path, context, filter, ignore }) : undefined;
  return {
    path,
    ...(containerPath !== undefined && { containerPath }),
    onChange: rebuild ? 'rebuild' : 'sync',
    because,
    ...(accepts && { accepts }),
    ...(mode !== undefined && { mode }),
  };
}

function joined(context: WorkspacePath, path: string): WorkspacePath {
  if (context === '') return path;
  return path === '' ? context : `${context}/${path}`;
}

interface Acceptance {
  readonly path: WorkspacePath;
  readonly context: WorkspacePath;
  readonly filter: Landing['filter'];
  readonly ignore: PathMatcher | undefined;
}

function acceptsOf({ path, context, filter, ignore }: Acceptance): Accepts {
  const definition = JSON.stringify([path, context, filter?.definition, ignore?.definition]);
  return acceptsDefinedBy(definition, (at, kind) => {
    if (below(path, at) === undefined) return false;
    const inContext = below(context, at);
    if (inContext === undefined) return false;
    if (filter && !filter.accepts(inContext, kind)) return false;
    return !ignore?.matches(inContext) || (kind === 'dir' && ignore.mayExcept(inContext));
  });
}

const definitions = new WeakMap<Accepts, string>();
const remembered = new Map<string, Accepts>();

/** Gives back the same function for the same definition, so that inputs that are read again are equal to what they were. */
export function acceptsDefinedBy(definition: string, accepts: Accepts): Accepts {
  const before = remembered.get(definition);
  if (before) return before;
  if (remembered.size > 10_000) remembered.clear();
  remembered.set(definition, accepts);
  definitions.set(accepts, definition);
  return accepts;
}

/** What a function's answers depend on, as text. */
export function definitionOf(accepts: Accepts): string {
  return definitions.get(accepts) ?? '';
}
