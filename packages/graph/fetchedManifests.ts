import type { WorkspacePath } from '../model';

/** Why manifests that are URLs could not be fetched, by the URL. */
export type NotFetched = ReadonlyMap<string, string>;

export function isUrl(pattern: string): boolean {
  return /^https?:\/\//.test(pattern);
}

/** On the way of what is not encrypted anybody may change what is applied. */
export function isSafeUrl(url: string): boolean {
  return /^https:/.test(url) || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(url);
}

/** Where what is behind a URL is kept, with a name that people recognise: it is what mistakes are told of. */
export function fetchedPath(url: string): WorkspacePath {
  if (!URL.canParse(url)) return `.slipway/manifests/${encodeURIComponent(url)}`;
  const { host, pathname, search } = new URL(url);
  return `.slipway/manifests/${`${host}${pathname}${search}`.replace(/[:*?"<>|\\]/g, '_').replace(/\/+$/, '')}`;
}
