import type { Readable } from 'node:stream';
import type { Problem, Result } from '../model';

export interface BuildRequest {
  /** An uncompressed tar. */
  readonly context: Readable;
  /** Path of the Dockerfile within the tar. */
  readonly dockerfile: string;
  readonly target?: string;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly network?: 'none' | 'host' | 'default';
  /** Addresses by name. */
  readonly addHosts?: Readonly<Record<string, string>>;
  /** Images whose layers may be used again. */
  readonly cacheFrom?: readonly string[];
  /** The image says which steps its layers are of. */
  readonly inlineCache?: boolean;
  readonly pull?: boolean;
  readonly noCache?: boolean;
  /** `none`: by the engine's older builder, step by step. Absent: with BuildKit where the engine has it. */
  readonly buildkit?: 'needed' | 'none';
  /** Whose logins the base images may need, where the engine does not ask for them: without BuildKit. */
  readonly registries?: readonly string[];
  /** What `RUN --mount=type=secret` may read, by id. */
  readonly secrets?: ReadonlyMap<string, Buffer>;
  /** Sockets of the agents that `RUN --mount=type=ssh` may use, by id. */
  readonly ssh?: ReadonlyMap<string, string>;
  readonly tags: readonly string[];
  readonly signal: AbortSignal;
  /** One finished line of output at a time: step names, and what RUN printed. */
  readonly onLine: (line: string) => void;
}

/** A build that failed, and at which instruction, as far as the engine says. */
export interface BuildProblem extends Problem {
  /** With continued lines joined: `RUN npm ci`, `FROM docker.io/library/node:20`. */
  readonly instruction?: string;
}

export type BuildResult =
  Extract<Result<{ readonly imageId: string }>, { ok: true }> | { readonly ok: false; readonly problem: BuildProblem };

/**
 * A Docker engine, by its API. Failures: `engineUnreachable` (exit 3), `engineRefused`, `buildFailed` (the Dockerfile in `location`, its line for
 * a mistake in it; what the failing command printed in `detail`), `buildkitNotFound` (exit 3) and `buildkitNeeded`, `baseImageNotFound`, `contextUnreadable`, `pushRefused` and `pullRefused` (afterDelay), `aborted`.
 */
export interface Engine {
  /** Whether it answers within a second, and what it is. */
  ping(): Promise<Result<{ readonly version: string; readonly platform: string }>>;
  build(request: BuildRequest): Promise<BuildResult>;
  /** Bytes that it keeps of earlier builds. Looking takes a while where there are many images. */
  cacheBytes(signal?: AbortSignal): Promise<Result<number>>;
  /** The id of an image in its store, or undefined. */
  imageId(ref: string): Promise<Result<string | undefined>>;
  /** The image's config as far as Slipway reads it. */
  inspect(ref: string): Promise<Result<ImageConfig | undefined>>;
  push(request: MoveRequest): Promise<Result<{ readonly digest: string }>>;
  /** Brings an image of a registry into its store, under its digest if the reference has one, else under its tag. */
  pull(request: MoveRequest): Promise<Result<void>>;
  /** An image as `docker save` writes it, an uncompressed tar; undefined: the engine does not have it. */
  save(ref: string, signal?: AbortSignal): Promise<Result<Readable | undefined>>;
  tag(source: string, ref: string): Promise<Result<void>>;
  remove(ref: string): Promise<Result<void>>;
  /** References of images that carry a label. */
  list(label: {
    readonly name: string;
    readonly value?: string;
  }): Promise<Result<readonly { readonly id: string; readonly refs: readonly string[] }[]>>;
  /** Names of running containers that carry all these labels. */
  containers(labels: Readonly<Record<string, string>>): Promise<Result<readonly string[]>>;
  /** How the command ended is a value, whatever its exit code. */
  exec(command: ContainerCommand): Promise<Result<ContainerCommandEnd>>;
}

export interface ContainerCommand {
  /** Its name or id. */
  readonly container: string;
  readonly command: readonly string[];
  /** What its standard input gets, when it gets any. */
  readonly input?: Readable;
  readonly signal?: AbortSignal;
}

export interface ContainerCommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MoveRequest {
  readonly ref: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export interface ImageConfig {
  readonly id: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly onBuild: readonly string[];
}
