import type { Readable } from 'node:stream';
import type { Result } from '../model';

/** An image registry, by the OCI distribution API. Failures: `registryUnreachable` (exit 3, afterDelay), `registryRefused`. */
export interface Registry {
  /** The digest a reference points to, or undefined when the registry says that there is none. */
  digest(ref: string, signal?: AbortSignal): Promise<Result<string | undefined>>;
  /** Gives what a reference points to another tag in its repository; no layer moves. Failure when there is nothing: `imageNotFound`. */
  tag(ref: string, tag: string, signal?: AbortSignal): Promise<Result<void>>;
  tags(repository: string): Promise<Result<readonly string[]>>;
  remove(ref: string): Promise<Result<void>>;
  /** What a reference points to, as it is stored; undefined: the registry says that there is nothing. */
  manifest(ref: string, signal?: AbortSignal): Promise<Result<RegistryManifest | undefined>>;
  /** Replaces what a reference points to. The registry refuses a manifest whose blobs the repository does not have: `registryBlobMissing`. */
  putManifest(ref: string, manifest: Pick<RegistryManifest, 'mediaType' | 'content'>, signal?: AbortSignal): Promise<Result<void>>;
  /** Whether a repository has a blob. */
  hasBlob(blob: RegistryBlob, signal?: AbortSignal): Promise<Result<boolean>>;
  /** Its bytes, or undefined. Whoever reads to the end compares them with the digest. */
  readBlob(blob: RegistryBlob, signal?: AbortSignal): Promise<Result<Readable | undefined>>;
  /** Gives a repository a blob that another one of the same registry has; false: it will not, so the bytes have to be sent. */
  mountBlob(blob: RegistryBlob & { readonly from: string }, signal?: AbortSignal): Promise<Result<boolean>>;
  writeBlob(blob: RegistryBlob & BlobContent, signal?: AbortSignal): Promise<Result<void>>;
}

export interface RegistryManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly content: Buffer;
}

export interface RegistryBlob {
  /** With its registry: `localhost:5000/shop/api`. */
  readonly repository: string;
  /** `sha256:…`. */
  readonly digest: string;
}

export interface BlobContent {
  /** Bytes. */
  readonly size: number;
  /** Its bytes from their beginning; called again when they have to be sent again. */
  readonly open: () => Readable;
}
