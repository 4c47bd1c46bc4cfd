import { nearest, type Problem, type WorkspacePath } from '../model';
import { build, type BuiltStages } from './build';
import { parseInstructions, type Instruction, type Mistake } from './instructions';
import type { LocalSource } from './copy';
import type { Landing, PathKind } from './stage';

export interface DockerfileOptions {
  /** Path of the Dockerfile in the workspace, for messages. */
  readonly file: WorkspacePath;
  readonly args: Readonly<Record<string, string>>;
  /** Name or number of a stage; absent: the last. */
  readonly target?: string;
  /** `linux/amd64`; absent: not known before the build. */
  readonly platform?: string;
  /** What a path of the context is. Whether a source is a file or a directory decides where it lands. */
  readonly kindOf: (path: string) => PathKind | undefined;
  /** The names in a directory of the context: a wildcard that matches directories flattens them. Absent: as if there were none. */
  readonly namesIn?: (directory: string) => readonly string[];
  /** What images leave to those that stand on them, as their ONBUILD says it. Absent, or empty: nothing that is known. */
  readonly triggersOf?: (image: string) => readonly string[];
}

export interface DockerfileFacts {
  readonly stages: readonly StageFacts[];
  /** The stage that is built. */
  readonly stage: StageFacts;
  /** Everything of the context that the image depends on; where two land on one path the later wins. */
  readonly landings: readonly Landing[];
  /** The paths of the context that it names, of the stages that are built. */
  readonly sources: readonly LocalSource[];
  /** Images it stands on or copies from, of the stages that are built; neither `scratch` nor stages. */
  readonly images: readonly string[];
  /** The image whose settings it inherits in the end; undefined for `scratch`. */
  readonly baseImage: string | undefined;
  /** As the container starts, without what the cluster overrides. Undefined: as the base image has it. */
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  /** Undefined: the base image decides. */
  readonly workdir: string | undefined;
  readonly user: string | undefined;
  readonly ports: readonly string[];
  /** Names that ARG declares anywhere. */
  readonly args: readonly string[];
}

export interface StageFacts {
  readonly index: number;
  readonly name: string | undefined;
  readonly line: number;
  readonly base: { readonly kind: 'scratch' } | { readonly kind: 'image' | 'stage'; readonly name: string };
}

/** Reads a Dockerfile: what the image of a stage is made from, and where files of the context land in it. All mistakes at once; with any, no facts. */
export function readDockerfile(
  text: string,
  options: DockerfileOptions,
): { readonly facts: DockerfileFacts | undefined; readonly problems: readonly Problem[] } {
  const parsed = parseInstructions(text);
  const mistakes: Mistake[] = [...parsed.mistakes, ...shapeMistakes(parsed.instructions)];
  const built = build(parsed, options, mistakes);
  if (mistakes.length > 0 || !built) return { facts: undefined, problems: mistakes.map((mistake) => problemOf(mistake, options.file)) };
  return { facts: factsOf(built, parsed.instructions), problems: [] };
}

/** The names of its stages, in lower case. */
export function stageNames(text: string): readonly string[] {
  return parseInstructions(text).instructions.flatMap((instruction) => {
    const name = instruction.keyword === 'FROM' ? instruction.text.split(/\s+/)[2] : undefined;
    return name === undefined ? [] : [name.toLowerCase()];
  });
}

function problemOf({ code, message, line, column }: Mistake, file: WorkspacePath): Problem {
  const common = { retry: 'whenInputChanges', exitCode: 2, location: { file, line, column } } as const;
  if (code !== undefined)
    return { ...common, code, message: `${file}: ${message}`, hint: 'name one of its stages as the target, or write that stage' };
  return { ...common, code: 'dockerfileInvalid', message: `${file}:${line}: ${message}`, hint: 'correct the Dockerfile' };
}

const keywords = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);

function shapeMistakes(instructions: readonly Instruction[]): Mistake[] {
  const mistakes: Mistake[] = [];
  if (instructions.length === 0) return [{ message: 'it has no instructions', line: 1, column: 1 }];
  let from = false;
  for (const { keyword, line, column, text } of instructions) {
    if (!keywords.has(keyword)) {
      const meant = nearest(keyword, keywords);
      const suggestion = meant === undefined ? '' : `, perhaps ${meant} was meant`;
      mistakes.push({ message: `${keyword} is not an instruction${suggestion}`, line, column });
    } else if (text === '' && keyword !== 'CMD' && keyword !== 'ENTRYPOINT') {
      mistakes.push({ message: `${keyword} needs an argument`, line, column });
    } else if (keyword === 'FROM') {
      from = true;
    } else if (!from && keyword !== 'ARG') {
      mistakes.push({ message: `${keyword} stands before the first FROM`, line, column });
    }
  }
  if (!from && mistakes.length === 0) mistakes.push({ message: 'it has no FROM', line: 1, column: 1 });
  return mistakes;
}

function factsOf({ stages, final, reached, sources, images }: BuiltStages, instructions: readonly Instruction[]): DockerfileFacts {
  const own = stages[final.index];
  return {
    stages,
    stage: own ?? { index: final.index, name: final.name, line: final.line, base: final.base },
    landings: [...final.consumed, ...final.landings],
    sources: sources.filter((source) => reached.has(source.stage)),
    images: [...new Set(images.filter((image) => reached.has(image.stage)).map((image) => image.name))],
    baseImage: final.base.kind === 'image' ? final.base.name : undefined,
    entrypoint: final.entrypoint,
    command: final.command,
    workdir: final.workdir.known ? final.workdir.path : undefined,
    user: final.user,
    ports: [...final.ports],
    args: [
      ...new Set(
        instructions
          .filter(({ keyword }) => keyword === 'ARG')
          .flatMap(({ text }) => text.split(/\s+/).map((word) => word.replace(/=.*$/s, ''))),
      ),
    ],
  };
}

export type { Landing, LocalSource, PathKind };
