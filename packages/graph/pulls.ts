import { posix } from 'node:path';
import picomatch from 'picomatch';
import { below } from '../dockerfile';
import type { ContainerPath, Problem, Pull, WorkspacePath } from '../model';
import { placeIn, type ProjectSettings } from './settings';

type PullsRequest = Pick<ProjectSettings, 'project' | 'config' | 'own' | 'inherited'> & { readonly workdir: string | undefined };

/** What `sync.pull` of a config names, and what is wrong with it. */
export function pullsOf(request: PullsRequest): { readonly pulls: readonly Pull[]; readonly problems: readonly Problem[] } {
  const { project, config, workdir = '/' } = request;
  if (config.sync?.mode === 'off') return { pulls: [], problems: [] };
  const read = (config.sync?.pull ?? []).map(({ src, dest }, index): Pull | Problem => {
    const wrong = (key: 'src' | 'dest', message: string, hint: string): Problem => {
      const location = placeIn(request, ['sync', 'pull', index, key]);
      const problem = { code: 'pullInvalid', message: `${project.name}: sync.pull ${message}`, hint, project: project.name } as const;
      return { ...problem, retry: 'whenInputChanges', exitCode: 2, ...(location && { location }) };
    };
    const pull = pullFrom({ src, workdir, dest, within: project.root });
    if (pull.from === '/') return wrong('src', `of ${src} would look at the whole container`, 'name a file, or a directory below the root');
    if (dest === undefined && !isBelow(workdir, pull.from))
      return wrong('src', `of ${src} is outside of the WORKDIR ${workdir}`, 'say with dest which directory of the project gets it');
    if (dest !== undefined && !staysBelow(dest))
      return wrong('dest', `to ${dest} would write outside of the project`, 'name a directory relative to the project, and below it');
    return pull;
  });
  return {
    pulls: read.flatMap((each) => ('code' in each ? [] : [each])),
    problems: read.flatMap((each) => ('code' in each ? [each] : [])),
  };
}

export interface PullSource {
  /** A file, directory or glob in the container. */
  readonly src: string;
  /** Where a relative one begins, and what `within` stands for where there is no `dest`. */
  readonly workdir: ContainerPath;
  /** The directory below `within` that gets it. */
  readonly dest: string | undefined;
  readonly within: WorkspacePath;
}

/** How deep is looked below directories that a pattern says nothing of. */
const deepest = 32;

export function pullFrom({ src, workdir, dest, within }: PullSource): Pull {
  const pattern = posix.resolve('/', workdir, src);
  const { base: fixed, glob } = picomatch.scan(pattern);
  const from = glob === '' ? pattern : plain(fixed);
  const levels = glob === '' || glob.includes('**') ? deepest : glob.split('/').length;
  const to = dest === undefined ? within : posix.join(within, dest);
  return { from, depth: levels, pattern, to: plain(to), base: dest === undefined ? workdir : from, within };
}

/** Where files of a container land by a pull; undefined for those that it does not name. */
export function landingBy({ from, pattern, to, base }: Pull): (path: ContainerPath) => WorkspacePath | undefined {
  const isMatch = picomatch([pattern, `${pattern}/**`], { dot: true, flags: 's' });
  return (path) => {
    if (!isBelow(from, path) || path.split('/').includes('..') || !isMatch(path)) return undefined;
    const rest = path === base ? posix.basename(path) : below(base, path);
    return rest === undefined || rest === '' ? undefined : plain(posix.join(to, rest));
  };
}

function isBelow(directory: string, path: string): boolean {
  return below(directory, path) !== undefined;
}

function staysBelow(path: string): boolean {
  return !posix.isAbsolute(path) && !/^\.\.(\/|$)/.test(posix.normalize(path));
}

function plain(path: string): string {
  const normal = posix.normalize(path === '' ? '.' : path);
  if (normal === '.') return '';
  return normal === '/' ? normal : normal.replace(/\/$/, '');
}
