import type { Instruction } from './instructions';
import type { PathKind } from './stage';
import { splitStages, stageNamed, type SplitDockerfile, type SplitOptions, type SplitStage } from './splitStages';
import { isRemote } from './copy';

/** What only an engine can do. */
export interface NeedsEngine {
  /** One phrase for people: `RUN npm ci`. */
  readonly because: string;
  readonly line: number;
}

export interface NeedsEngineOptions extends SplitOptions {
  /** What a path of the context is: ADD unpacks files, and copies directories as COPY does. */
  readonly kindOf: (path: string) => PathKind | undefined;
  /** What images leave to those that stand on them, as their ONBUILD says it. Absent, or empty: nothing that is known. */
  readonly triggersOf?: (image: string) => readonly string[];
}

/**
 * The first thing in a Dockerfile, of the stages that are built, that an engine has to run or that only it knows. Undefined: the
 * image is made of its base and of copied files, and can be put together from what the Dockerfile says.
 */
export function needsEngine(text: string, options: NeedsEngineOptions): NeedsEngine | undefined {
  const whole = needOfWhole(text, options);
  if (whole) return whole;
  const split = splitStages(text, options);
  if (!split) return { because: 'it cannot be read', line: 1 };
  for (const stage of split.reached) {
    const need = needOfStage(stage, split, options);
    if (need) return need;
  }
  return undefined;
}

/** What changes the meaning of all instructions. */
export function needOfWhole(text: string, options: NeedsEngineOptions): NeedsEngine | undefined {
  const frontend = /^\s*#\s*syntax\s*=\s*(\S+)/i.exec(text)?.[1];
  if (frontend !== undefined && !/^(docker\.io\/)?docker\/dockerfile(:|@|$)/.test(frontend)) {
    return { because: `its syntax is ${frontend}`, line: 1 };
  }
  if (options.args['BUILDKIT_SYNTAX'] !== undefined) return { because: 'BUILDKIT_SYNTAX sets its syntax', line: 1 };
  return undefined;
}

function needOfStage(stage: SplitStage, split: SplitDockerfile, options: NeedsEngineOptions): NeedsEngine | undefined {
  if (stage.platform !== undefined) return { because: 'FROM --platform', line: stage.line };
  if (stage.base.kind === 'image' && stage.base.name === '') return { because: 'a FROM that depends on the platform', line: stage.line };
  const [trigger] = triggersFor(stage, options);
  if (trigger !== undefined) return { because: `ONBUILD ${trigger} of its base`, line: stage.line };
  for (const instruction of stage.instructions) {
    const because = needOf(instruction, { stage, split, options });
    if (because !== undefined) return { because, line: instruction.line };
  }
  return undefined;
}

/** What the base of a stage leaves to it. */
export function triggersFor({ base }: SplitStage, { triggersOf }: NeedsEngineOptions): readonly string[] {
  return base.kind === 'image' ? (triggersOf?.(base.name) ?? []) : [];
}

/** Where an instruction stands. */
export interface Place {
  readonly stage: SplitStage;
  readonly split: SplitDockerfile;
  readonly options: NeedsEngineOptions;
}

const copyFlags: ReadonlySet<string> = new Set(['from', 'chown', 'chmod', 'link', 'parents', 'exclude']);

/** As a phrase for people; undefined: it can be followed. */
export function needOf(instruction: Instruction, place: Place): string | undefined {
  const { keyword, text, json, flags } = instruction;
  switch (keyword) {
    case 'RUN': {
      const script = text.replace(/\s+/g, ' ');
      return `RUN ${script.length > 40 ? `${script.slice(0, 39).trimEnd()}…` : script}`;
    }
    case 'ARG': {
      const name = [...place.split.globalArgs].find(
        ([each, value]) => value === undefined && new RegExp(`(^|\\s)${each}(\\s|$)`).test(text),
      );
      return name && place.options.args[name[0]] === undefined ? `ARG ${name[0]} is known to the engine` : undefined;
    }
    case 'ONBUILD':
      return place.stage === place.split.final ? undefined : 'ONBUILD in a stage that others stand on';
    case 'ADD':
    case 'COPY': {
      const unknown = flags.find((flag) => !copyFlags.has(flag.name));
      if (unknown) return `${keyword} --${unknown.name}`;
      const destination = (json ?? text.split(/\s+/)).at(-1) ?? '';
      if (destination.endsWith('/.')) return `${keyword} to ${destination}, which some engines take for a file,`;
      if (instruction.heredocs.length > 0) return `${keyword} of a here-document`;
      const chmod = flags.find((flag) => flag.name === 'chmod')?.value;
      if (chmod !== undefined && !/^0?[0-7]{3,4}$/.test(chmod)) return `${keyword} --chmod=${chmod}`;
      return keyword === 'ADD' ? needOfAdd(instruction, place) : needOfCopy(flags.find((flag) => flag.name === 'from')?.value, place);
    }
  }
  return undefined;
}

function needOfCopy(from: string | undefined, { stage, split }: Place): string | undefined {
  if (from === undefined || stageNamed(from, split.stages.slice(0, stage.index))) return undefined;
  return `COPY --from=${from}`;
}

/** A name does not tell whether a file is an archive, so a file is left to the engine. */
function needOfAdd({ text, json }: Instruction, { options }: Place): string | undefined {
  const sources = (json ?? text.split(/\s+/)).slice(0, -1);
  const remote = sources.find(isRemote);
  if (remote !== undefined) return `ADD ${remote}`;
  const other = sources.find(
    (source) =>
      options.kindOf(
        source
          .replace(/^(\.?\/)+/, '')
          .replace(/\/+$/, '')
          .replace(/^\.$/, ''),
      ) !== 'dir',
  );
  return other === undefined ? undefined : `ADD ${other}, which may be an archive (COPY is not)`;
}
