import type { BuiltImage, DeliveredImage, Result } from '../model';

export interface DeliverRequest {
  readonly image: BuiltImage;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** How images of this run reach the cluster. */
export interface Delivery {
  /** Why it is done this way, as one phrase for people. */
  readonly because: string;
  /** Where images are pushed to; undefined when they are not pushed. */
  readonly repo: string | undefined;
  /** What an image is called from its build to the manifest: `localhost:5000/shop/api:3f2a`. */
  refFor(image: string, tag: string): string;
  /** What the cluster can already have under a reference; undefined: nothing, it has to be built. */
  lookUp(ref: string, signal?: AbortSignal): Promise<Result<DeliveredImage | undefined>>;
  /** Moves an image only when it is not there yet. */
  deliver(request: DeliverRequest): Promise<Result<DeliveredImage>>;
}
