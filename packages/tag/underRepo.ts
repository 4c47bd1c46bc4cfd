import { createHash } from 'node:crypto';

export interface RepoRule {
  /** Registry, perhaps with a path: `registry.example/team`. */
  readonly repo: string;
  /** Whether names below it may have slashes of their own. Undefined: as is known of the registry. */
  readonly multiLevel?: boolean | undefined;
}

const longestName = 255;
const google = /^([a-z]+\.)?gcr\.io$|^[a-z0-9-]+-docker\.pkg\.dev$/;

/** Registries of Google take names of any depth. So does one on this machine; others may have to be told of each name first, or have one level. */
export function takesNestedNames(repo: string): boolean {
  const host = hostOf(repo);
  return google.test(host) || isLoopback(host);
}

/**
 * The name of an image under the repository that all images go to, without tag. Skaffold's rules: one that is there already stays; where
 * names may be nested it is joined (what both begin with, a project of Google's, is not doubled); else it becomes one name with
 * underscores. A name that is too long is cut, with a hash of the whole, so that no two become one.
 */
export function underRepo(image: string, { repo, multiLevel }: RepoRule): string {
  const prefix = repo.replace(/\/+$/, '');
  if (prefix === '' || image.startsWith(`${prefix}/`)) return image;
  if (google.test(hostOf(prefix))) return within(`${prefix}/${withoutShared(image, prefix)}`);
  if (multiLevel ?? takesNestedNames(prefix)) return within(`${prefix}/${image}`);
  return within(`${prefix}/${image.replace(/[/._:@]/g, '_').toLowerCase()}`);
}

function hostOf(repo: string): string {
  const [host = ''] = repo.split('/');
  return host.toLowerCase();
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host) || /\.localhost(:\d+)?$/.test(host);
}

/** What remains of an image's name after the parts that it shares with the repository: `gcr.io/project/x` under `gcr.io/project/y` is `x`. */
function withoutShared(image: string, prefix: string): string {
  const [own, theirs] = [image.split('/'), prefix.split('/')];
  let shared = 0;
  while (shared < own.length - 1 && own[shared] === theirs[shared]) shared += 1;
  // The registry alone in common means nothing: it may hold projects of many owners.
  return shared < 2 ? image : own.slice(shared).join('/');
}

function within(name: string): string {
  if (name.length <= longestName) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 10);
  return `${name.slice(0, longestName - hash.length - 1).replace(/[^a-z0-9]+$/, '')}_${hash}`;
}
