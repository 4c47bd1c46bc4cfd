import type { BuildProblem, BuildRequest } from './engine';

/** A build whose image goes straight to a registry. */
export interface BuildkitRequest extends Omit<BuildRequest, 'tags'> {
  /** The repository that gets the image, under its digest alone: `registry.example/shop/api`. */
  readonly repository: string;
  /** The registry speaks plain http, or its certificate is not to be checked. */
  readonly isInsecure?: boolean;
  /** A reference under which the steps of this build are kept for the next one, on whatever machine. */
  readonly cache?: string;
  /** More of them. */
  readonly cacheTo?: readonly string[];
}

export type BuildkitResult =
  { readonly ok: true; readonly value: { readonly digest: string } } | { readonly ok: false; readonly problem: BuildProblem };

/**
 * A buildkitd. Failures: those of an engine's `build`; `pushRefused`, when the registry does not take the image; `buildkitLost`
 * (afterDelay), when the connection ends before the build does.
 */
export interface Buildkit {
  build(request: BuildkitRequest): Promise<BuildkitResult>;
}
