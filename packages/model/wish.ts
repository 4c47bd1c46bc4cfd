/** What a person asks of a `dev` that runs. */
export type Wish =
  /** A new image of the files as they are, whatever is there already. */
  | { readonly kind: 'rebuild'; readonly services: readonly string[] }
  /** What containers really hold is compared with the files, and what differs is brought once more. */
  | { readonly kind: 'resync'; readonly services: readonly string[] }
  | { readonly kind: 'showLogs'; readonly services: LogChoice }
  | { readonly kind: 'end'; readonly deletes: boolean };

/** The services whose logs are shown. */
export type LogChoice = 'all' | readonly string[];
