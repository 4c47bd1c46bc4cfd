/** Whether trying again can help, and when. `afterDelay` is for what the world may mend by itself (a refused push). */
export type Retry = 'whenInputChanges' | 'afterDelay' | 'never';

/** The exit code a problem leads to when it ends a command: 1 a service failed, 2 wrong use or config, 3 something is out of reach. */
export type ExitCode = 1 | 2 | 3;

/** A place in a text file. Lines and columns count from 1. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** Something that was expected to be able to fail, and did. Made where the call failed; never thrown across a folder. */
export interface Problem {
  /** Stable and machine readable, in camelCase: `imageNotFound`. */
  readonly code: string;
  /** One sentence without a final full stop, naming the thing and the reason. */
  readonly message: string;
  /** The next thing to do. */
  readonly hint?: string;
  readonly retry: Retry;
  readonly exitCode: ExitCode;
  readonly location?: Location;
  /** What the tool or server said, as it said it; may have several lines. */
  readonly detail?: string;
  /** What keeps others from it in the same way, in words that are the same for all of them: `the namespace shop does not exist`. */
  readonly sharedCause?: string;
  readonly project?: string;
  /** The image that it is about, where the project has several. */
  readonly artifact?: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function succeeded<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function failed<T = never>(problem: Problem): Result<T> {
  return { ok: false, problem };
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of a project that runs an image of another one which cannot be made. What it makes itself is not concerned. */
export function isOfUsedImage({ code }: Problem): boolean {
  return code === 'usedImageBroken';
}
