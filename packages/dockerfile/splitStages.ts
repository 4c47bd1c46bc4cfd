import { platformArgs } from './build';
import { expand, type Lookup } from './expand';
import { parseInstructions, quotedWords, type Instruction } from './instructions';

/** A stage as it is written, its base told. */
export interface SplitStage {
  readonly index: number;
  /** In lower case. */
  readonly name: string | undefined;
  readonly line: number;
  /** An image whose name only the engine knows has an empty one. */
  readonly base:
    { readonly kind: 'scratch' } | { readonly kind: 'image'; readonly name: string } | { readonly kind: 'stage'; readonly index: number };
  /** What `FROM --platform` says. */
  readonly platform: string | undefined;
  /** Without its FROM. */
  readonly instructions: readonly Instruction[];
}

export interface SplitDockerfile {
  readonly escape: string;
  readonly stages: readonly SplitStage[];
  readonly final: SplitStage;
  /** The stages that the final one needs, and itself, in their order. */
  readonly reached: readonly SplitStage[];
  /** ARG before the first FROM: a name with its value, or with undefined when only the engine knows it. */
  readonly globalArgs: ReadonlyMap<string, string | undefined>;
}

export interface SplitOptions {
  readonly args: Readonly<Record<string, string>>;
  /** Name or number of a stage; absent: the last. */
  readonly target?: string;
  readonly platform?: string;
}

/** The stages of a Dockerfile, for whoever follows them one by one. Undefined where `readDockerfile` tells a mistake. */
export function splitStages(text: string, options: SplitOptions): SplitDockerfile | undefined {
  const { escape, instructions } = parseInstructions(text);
  const globalArgs = new Map<string, string | undefined>(platformArgs(options.platform));
  const scope: Lookup = (name) => {
    const value = globalArgs.get(name);
    if (value !== undefined) return { kind: 'set', value };
    return { kind: globalArgs.has(name) ? 'unknown' : 'unset' };
  };
  const known = (word: string): string => {
    const { text, unknown } = expand(word, scope, escape);
    return unknown.length > 0 ? '' : text;
  };
  const stages: (SplitStage & { readonly instructions: Instruction[] })[] = [];
  for (const instruction of instructions) {
    const stage = stages.at(-1);
    if (instruction.keyword === 'FROM') stages.push(stageOf(instruction, stages, known));
    else if (stage) stage.instructions.push(instruction);
    else if (instruction.keyword === 'ARG') {
      for (const [name, value] of argsOf(instruction, escape)) {
        const known = options.args[name] ?? (value === undefined ? undefined : expand(value, scope, escape).text);
        if (known !== undefined) globalArgs.set(name, known);
      }
    }
  }
  const final = options.target === undefined ? stages.at(-1) : stageNamed(options.target, stages);
  return final && { escape, stages, final, reached: reachedFrom(final, stages), globalArgs };
}

/** The names that an ARG declares, with their defaults as written. */
export function argsOf({ text }: Instruction, escape: string): readonly (readonly [string, string | undefined])[] {
  return quotedWords(text, escape).map((word) => {
    const at = word.indexOf('=');
    return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
  });
}

function stageOf(
  { text, flags, line }: Instruction,
  before: readonly SplitStage[],
  expanded: (word: string) => string,
): SplitStage & { readonly instructions: Instruction[] } {
  const [image = '', , alias] = text.split(/\s+/);
  const base = expanded(image);
  const parent = before.findLast((stage) => stage.name === base.toLowerCase());
  const platform = flags.find((flag) => flag.name === 'platform')?.value;
  return {
    index: before.length,
    name: alias?.toLowerCase(),
    line,
    base: parent ? { kind: 'stage', index: parent.index } : base === 'scratch' ? { kind: 'scratch' } : { kind: 'image', name: base },
    platform: platform === undefined ? undefined : expanded(platform),
    instructions: [],
  };
}

/** An earlier stage by its name or number. */
export function stageNamed<T extends SplitStage>(name: string, stages: readonly T[]): T | undefined {
  return stages.findLast((stage) => stage.name === name.toLowerCase()) ?? (/^\d+$/.test(name) ? stages[Number(name)] : undefined);
}

function reachedFrom(final: SplitStage, stages: readonly SplitStage[]): readonly SplitStage[] {
  const reached = new Set<SplitStage>();
  const reach = (stage: SplitStage | undefined): void => {
    if (!stage || reached.has(stage)) return;
    reached.add(stage);
    if (stage.base.kind === 'stage') reach(stages[stage.base.index]);
    for (const name of namedIn(stage)) reach(stageNamed(name, stages.slice(0, stage.index)));
  };
  reach(final);
  return [...reached].sort((one, other) => one.index - other.index);
}

/** What `COPY --from` and `RUN --mount=from=` name. */
function namedIn({ instructions }: SplitStage): readonly string[] {
  return instructions.flatMap(({ flags }) =>
    flags.flatMap(({ name, value = '' }) => {
      if (name === 'from') return [value];
      const from = name === 'mount' ? /(?:^|,)from=([^,]*)/.exec(value)?.[1] : undefined;
      return from === undefined ? [] : [from];
    }),
  );
}
