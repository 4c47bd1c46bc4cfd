import type { Result } from '../model';

/** An image registry, by the OCI distribution API. Failures: `registryUnreachable` (exit 3, afterDelay), `registryRefused`. */
export interface Registry {
  /** The digest a reference points to, or undefined when the registry says that there is none. */
  digest(ref: string, signal?: AbortSignal): Promise<Result<string | undefined>>;
  tags(repository: string): Promise<Result<readonly string[]>>;
  remove(ref: string): Promise<Result<void>>;
}
