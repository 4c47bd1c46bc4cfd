import { posix } from 'node:path';
import { below } from './below';
import type { Instruction } from './instructions';
import { needOf, needOfWhole, triggersFor, type NeedsEngineOptions } from './needsEngine';
import { splitStages, stageNamed, type SplitDockerfile, type SplitStage } from './splitStages';
import { hasWildcard, wildcard } from './wildcard';

export interface EngineHeadOptions extends NeedsEngineOptions {
  /** Path of the Dockerfile in the context, as the engine is sent it. */
  readonly dockerfile: string;
}

/** The part of a Dockerfile that an engine makes; what is left only copies, and can be put on top of it. */
export interface EngineHead {
  /** The Dockerfile up to the last instruction that needs an engine: the image of its last stage is what the rest stands on. */
  readonly text: string;
  /** The last instruction that needs it, as one phrase for people. */
  readonly because: string;
  readonly line: number;
  readonly split: SplitDockerfile;
  /** What is left: of the stage that the text ends in, and the stages that stand on it. The first one stands on the text's image. */
  readonly rest: readonly SplitStage[];
  /** The stage that the text ends in has had a CMD by then, so an ENTRYPOINT that follows does not take it away. */
  readonly commandIsOwn: boolean;
}

/**
 * Parts a Dockerfile after the last instruction that needs an engine on the way from a base to the image. Undefined: nothing needs
 * one, or nothing is copied after it, or the rest depends on something that only the engine knows by then.
 */
export function engineHead(text: string, options: EngineHeadOptions): EngineHead | undefined {
  const split = needOfWhole(text, options) ? undefined : splitStages(text, options);
  if (!split) return undefined;
  const chain = chainOf(split);
  // What triggers take is not written here: it may be the Dockerfile itself.
  if (chain.some((stage) => isOfPlatform(stage) || triggersFor(stage, options).length > 0)) return undefined;
  const last = lastNeed(chain, split, options);
  if (!last) return undefined;
  const { stage, instruction, because } = last;
  const at = stage.instructions.indexOf(instruction);
  const rest = chain
    .slice(chain.indexOf(stage))
    .map((each) => (each === stage ? { ...each, instructions: each.instructions.slice(at + 1) } : each));
  const above = chain
    .slice(0, chain.indexOf(stage) + 1)
    .map((each) => (each === stage ? { ...each, instructions: each.instructions.slice(0, at + 1) } : each));
  const tail = rest.flatMap(({ instructions }) => instructions);
  if (!tail.some(({ keyword }) => keyword === 'COPY' || keyword === 'ADD')) return undefined;
  // Triggers are carried out by what stands on the whole image, and not by its own rest.
  if (above.at(-1)?.instructions.some(({ keyword }) => keyword === 'ONBUILD') === true) return undefined;
  // Values of ARG are not in the image that the rest stands on.
  if (above.some(({ instructions }) => instructions.some(({ keyword }) => keyword === 'ARG')) && tail.some(isExpanded)) return undefined;
  const headText = text.split('\n').slice(0, instruction.endLine).join('\n');
  if (takesDockerfile(headText, options)) return undefined;
  const commandIsOwn = above.at(-1)?.instructions.some(({ keyword }) => keyword === 'CMD') === true;
  return { text: `${headText}\n`, because, line: instruction.line, split, rest, commandIsOwn };
}

/** The stages that the final one stands on, and itself. */
function chainOf({ stages, final }: SplitDockerfile): readonly SplitStage[] {
  const chain: SplitStage[] = [];
  for (let at: SplitStage | undefined = final; at; at = at.base.kind === 'stage' ? stages[at.base.index] : undefined) chain.unshift(at);
  return chain;
}

function isOfPlatform({ platform, base }: SplitStage): boolean {
  return platform !== undefined || (base.kind === 'image' && base.name === '');
}

interface LastNeed {
  readonly stage: SplitStage;
  readonly instruction: Instruction;
  readonly because: string;
}

function lastNeed(chain: readonly SplitStage[], split: SplitDockerfile, options: NeedsEngineOptions): LastNeed | undefined {
  for (const stage of [...chain].reverse()) {
    for (const instruction of [...stage.instructions].reverse()) {
      const because = needOf(instruction, { stage, split, options }) ?? needOfSource(instruction, stage, split, options);
      if (because !== undefined) return { stage, instruction, because };
    }
  }
  return undefined;
}

/** A stage that is copied from must itself be one that can be followed. */
function needOfSource(
  { keyword, flags }: Instruction,
  stage: SplitStage,
  split: SplitDockerfile,
  options: NeedsEngineOptions,
): string | undefined {
  const from = keyword === 'COPY' ? flags.find((flag) => flag.name === 'from')?.value : undefined;
  const source = from === undefined ? undefined : stageNamed(from, split.stages.slice(0, stage.index));
  if (from === undefined || !source) return undefined;
  const chain = chainOf({ ...split, final: source });
  const hasTriggers = chain.some((each) => triggersFor(each, options).length > 0);
  if (hasTriggers || chain.some(isOfPlatform) || lastNeed(chain, split, options)) return `COPY --from=${from}`;
  return undefined;
}

function isExpanded({ text, flags }: Instruction): boolean {
  return text.includes('$') || flags.some(({ value }) => value?.includes('$') === true);
}

/** Whether the Dockerfile itself gets into the image, or might: the engine is sent another one. */
function takesDockerfile(text: string, options: EngineHeadOptions): boolean {
  const { dockerfile, args, platform } = options;
  const reached = splitStages(text, { args, ...(platform !== undefined && { platform }) })?.reached ?? [];
  return reached.some(({ instructions }) =>
    instructions.some((instruction) => namedSources(instruction).some((source) => takes(source, dockerfile))),
  );
}

function namedSources({ keyword, flags, json, text }: Instruction): readonly string[] {
  if (keyword === 'RUN') {
    const mounts = flags.filter(({ name, value = '' }) => name === 'mount' && !/(^|,)(from=|type=(cache|tmpfs|secret|ssh))/.test(value));
    return mounts.map(({ value }) => /(?:^|,)(?:source|src)=([^,]*)/.exec(value ?? '')?.[1] ?? '.');
  }
  if ((keyword !== 'COPY' && keyword !== 'ADD') || flags.some(({ name }) => name === 'from')) return [];
  return (json ?? text.split(/\s+/)).slice(0, -1);
}

function takes(source: string, dockerfile: string): boolean {
  if (source.includes('$')) return true;
  const path = posix.join('/', source).slice(1).replace(/\/$/, '');
  if (!hasWildcard(path)) return below(path, dockerfile) !== undefined;
  for (let at = dockerfile; at !== '.'; at = posix.dirname(at)) if (wildcard(path)?.matches(at) !== false) return true;
  return false;
}
