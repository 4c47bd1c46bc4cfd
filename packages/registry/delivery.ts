import type { Engine } from '../clients';
import type { BuiltImage, DeliveredImage, Result } from '../model';

export interface DeliverRequest {
  readonly image: BuiltImage;
  /** The tag that people know it by, besides that of its content. */
  readonly tag?: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** How images of this run reach the cluster. */
export interface Delivery {
  /** Why it is done this way, as one phrase for people. */
  readonly because: string;
  /** Where images are pushed to; undefined when they are not pushed. */
  readonly repo: string | undefined;
  /** The registry came with the cluster: what nothing in the cluster uses is used by nobody. */
  readonly isClustersOwn?: boolean;
  /** The registry as pods of the cluster know it, when that is another name: `kind-registry:5000`. */
  readonly hostFromPods?: string;
  /** The engine that images are built in, when the cluster has one of its own. */
  readonly engine?: Engine;
  /** An image's full name, without tag: `localhost:5000/shop/api`. */
  nameOf(image: string): string;
  /** What the cluster can already have under a reference; undefined: nothing, it has to be built. */
  lookUp(ref: string, signal?: AbortSignal): Promise<Result<DeliveredImage | undefined>>;
  /** Moves an image only when it is not there yet. */
  deliver(request: DeliverRequest): Promise<Result<DeliveredImage>>;
  /** Gives an image that is there already another tag, and gives it back by that one. Nothing is built, and no layer moves. */
  retag(image: DeliveredImage, tag: string, request: Pick<DeliverRequest, 'signal' | 'onLine'>): Promise<Result<DeliveredImage>>;
}
