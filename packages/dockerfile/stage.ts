import type { ContainerPath } from '../model';
import { below } from './below';
import type { Instruction } from './instructions';

/** What a path of the context is, links not followed: whoever copies a link copies something else. */
export type PathKind = 'file' | 'dir' | 'link';

/** Files of the context that an instruction takes, and where they land in the stage. */
export interface Landing {
  /** Relative to the context; `''` is all of it. */
  readonly source: string;
  /** Where it lands; for a directory its content lands there. Undefined: nowhere, or nowhere that is known. */
  readonly containerPath: ContainerPath | undefined;
  /** Part of the source, when not all of it is meant. */
  readonly filter: LandingFilter | undefined;
  /** Permission bits that the instruction sets. */
  readonly mode: number | undefined;
  /** The line of the instruction that took it. */
  readonly line: number;
  /** Why a change of it needs a new image; undefined: it can be copied into a running container. */
  readonly rebuild: { readonly because: string; readonly line: number } | undefined;
}

export interface LandingFilter {
  /** Says all that its answers depend on. */
  readonly definition: string;
  /** Asked with paths relative to the context, at or below the source. */
  readonly accepts: (path: string, kind: 'file' | 'dir') => boolean;
}

/** The image that a stage stands on in the end. */
export type BaseImage = { readonly kind: 'scratch' } | { readonly kind: 'image'; readonly name: string };

/** A stage as far as it has been built. */
export interface Stage {
  readonly index: number;
  readonly name: string | undefined;
  readonly line: number;
  readonly base: BaseImage;
  /** Values of ENV and ARG, its own and inherited; the later instruction wins, whichever it is. */
  readonly variables: Map<string, string>;
  /** Declared, with a value that is not known here (the platform's). */
  readonly unknownArgs: Set<string>;
  workdir: { readonly path: ContainerPath; readonly known: boolean };
  user: string | undefined;
  readonly ports: Set<string>;
  shell: readonly string[];
  /** Undefined: as the base image has it. */
  entrypoint: readonly string[] | undefined;
  command: readonly string[] | undefined;
  commandIsOwn: boolean;
  /** Directories that are there for certain. */
  readonly directories: Set<ContainerPath>;
  /** Where something landed of which it is not known what it is. */
  readonly unknownPlaces: Set<ContainerPath>;
  landings: Landing[];
  /** What was read while the stage was made, without being a file of it now. */
  consumed: Landing[];
  /** What its RUNs say. */
  readonly runs: string[];
  readonly onBuild: Instruction[];
}

const defaultShell = ['/bin/sh', '-c'];

export function newStage(identity: Pick<Stage, 'index' | 'name' | 'line' | 'base'>): Stage {
  return {
    ...identity,
    variables: new Map(),
    unknownArgs: new Set(),
    workdir: { path: '/', known: identity.base.kind === 'scratch' },
    user: undefined,
    ports: new Set(),
    shell: defaultShell,
    entrypoint: identity.base.kind === 'scratch' ? [] : undefined,
    command: identity.base.kind === 'scratch' ? [] : undefined,
    commandIsOwn: false,
    directories: new Set(['/']),
    unknownPlaces: new Set(),
    landings: [],
    consumed: [],
    runs: [],
    onBuild: [],
  };
}

/** A stage that begins where another ended. */
export function stageFrom(parent: Stage, identity: Pick<Stage, 'index' | 'name' | 'line'>): Stage {
  return {
    ...parent,
    ...identity,
    variables: new Map(parent.variables),
    unknownArgs: new Set(parent.unknownArgs),
    ports: new Set(parent.ports),
    directories: new Set(parent.directories),
    unknownPlaces: new Set(parent.unknownPlaces),
    landings: [...parent.landings],
    consumed: [...parent.consumed],
    runs: [...parent.runs],
    commandIsOwn: false,
    onBuild: [],
  };
}

/** A directory and all above it. */
export function addDirectory(stage: Stage, path: ContainerPath): void {
  for (let at = path; at !== '' && !stage.directories.has(at); at = at.slice(0, at.lastIndexOf('/'))) stage.directories.add(at);
}

/** Something whose files are not known lands at or below a path: what was copied there before may be hidden by it, so it is not copied again. */
export function cover(stage: Stage, path: ContainerPath, rebuild: { readonly because: string; readonly line: number }): void {
  stage.unknownPlaces.add(path);
  stage.landings = stage.landings.flatMap((landing) => {
    if (landing.rebuild || landing.containerPath === undefined) return [landing];
    if (below(path, landing.containerPath) !== undefined) return [{ ...landing, rebuild }];
    const rest = below(landing.containerPath, path);
    if (rest === undefined) return [landing];
    const hidden = landing.source === '' ? rest : `${landing.source}/${rest}`;
    const inner = landing.filter;
    return [
      {
        ...landing,
        filter: {
          definition: `${inner?.definition ?? ''} without ${hidden}`,
          accepts: (at, kind) => below(hidden, at) === undefined && (inner?.accepts(at, kind) ?? true),
        },
      },
      { ...landing, source: hidden, containerPath: undefined, filter: inner, rebuild },
    ];
  });
}
