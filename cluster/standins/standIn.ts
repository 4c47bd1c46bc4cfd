/** How this machine makes what stands in for a public image, in a form that need not know of engines. */
export interface StandIn {
  /** All that the image is made from, in words that change whenever it does. Throws what is missing on this machine. */
  readonly madeFrom: () => Promise<readonly string[]>;
  /** Makes its whole file system below a folder. */
  readonly fill: (root: string) => Promise<void>;
  /** Lines of a Dockerfile that say how it runs. */
  readonly changes: readonly string[];
}

export const PATH_LINE = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
