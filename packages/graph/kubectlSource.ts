import picomatch from 'picomatch';
import { fillTemplate, readManifests, variablesOf, type ManifestText } from '../config';
import type { KubectlSource, Location, Problem, WorkspacePath } from '../model';
import { fetchedPath, isSafeUrl, isUrl } from './fetchedManifests';
import { imagesInFields } from './imageFields';
import type { SourceFacts, SourceRequest } from './manifestSources';
import { joinPath, type RecordedFiles } from './workspaceFiles';

/** Where manifests of a project are when its config does not say. */
export const defaultPatterns = ['k8s/*.yaml', 'k8s/*.yml'];

/** Manifests of a project as they stand in files. */
export function kubectlSource(request: SourceRequest): SourceFacts {
  const { project, config, own, files } = request;
  const paths = new Set<WorkspacePath>();
  const problems: Problem[] = [];
  for (const [index, pattern] of (config.manifests ?? defaultPatterns).entries()) {
    if (isUrl(pattern)) {
      const problem = urlProblem(pattern, request);
      if (problem) problems.push({ ...problem, ...(own && { location: own.locate(['manifests', index]) }) });
      else paths.add(fetchedPath(pattern));
      continue;
    }
    const found = pathsOf(pattern, { files, projectRoot: project.root });
    if (found.length === 0 && config.manifests) {
      problems.push({
        code: 'manifestNotFound',
        message: `${project.name}: ${pattern} of manifests matches no file`,
        hint: 'paths are relative to the project; correct manifests in slipway.yaml',
        retry: 'whenInputChanges',
        exitCode: 2,
        ...(own && { location: own.locate(['manifests']) }),
      });
    }
    for (const path of found) paths.add(path);
  }
  const found = [...paths].flatMap((path) => {
    const text = files.textOf(path);
    return text === undefined ? [] : [{ path, text }];
  });
  const { texts, hydrated, problems: notFilled } = hydrate(found, request);
  problems.push(...notFilled);
  let known: ReturnType<typeof readManifests> | undefined;
  const read = (): NonNullable<typeof known> => (known ??= readManifests(texts));
  const manifests = texts.map(({ path }) => path);
  return {
    sources: manifests.length === 0 ? [] : [{ kind: 'kubectl', manifests, ...(hydrated && { hydrated }) }],
    inputs: manifests.map((path) => ({ path, because: `a manifest of ${project.name}` })),
    mentions: (word) => texts.some(({ text }) => text.includes(word)),
    get containers() {
      return read().containers;
    },
    get services() {
      return read().services;
    },
    get places() {
      return read().places;
    },
    get images() {
      return imagesInFields(read().others, config.apply?.images);
    },
    get problems() {
      return [...problems, ...read().problems];
    },
  };
}

/** Why what is behind a URL is not applied. */
function urlProblem(url: string, { project, config, notFetched }: SourceRequest): Problem | undefined {
  const what = { project: project.name, retry: 'whenInputChanges', exitCode: 2 } as const;
  const refused = { ...what, code: 'manifestUrlRefused' };
  if (config.apply?.fetchManifests !== true)
    return {
      ...refused,
      message: `${project.name}: ${url} of manifests is a URL; what is behind it may be another thing tomorrow`,
      hint: 'download it into the project and name the file; or allow it with apply.fetchManifests: true',
    };
  if (!isSafeUrl(url))
    return {
      ...refused,
      message: `${project.name}: ${url} of manifests is not encrypted, so anybody on the way may change what is applied`,
      hint: 'name it with https',
    };
  const why = notFetched?.get(url);
  if (why === undefined) return undefined;
  return {
    ...what,
    code: 'manifestNotFetched',
    message: `${project.name}: ${url} of manifests cannot be fetched: ${why}`,
    hint: 'check that this machine reaches it, or download it into the project',
    retry: 'afterDelay',
    exitCode: 3,
  };
}

interface Hydrated {
  readonly texts: readonly ManifestText[];
  readonly hydrated: KubectlSource['hydrated'];
  readonly problems: readonly Problem[];
}

/** Fills in the variables of manifests that are templates, by the rules of build arguments. */
function hydrate(found: readonly ManifestText[], { project, config, env }: SourceRequest): Hydrated {
  const globs = (config.apply?.hydrate ?? []).map((pattern) => namedBy(pattern, project.root));
  const manifests: WorkspacePath[] = [];
  const variables: Record<string, string> = {};
  const problems: Problem[] = [];
  const texts = found.map(({ path, text }) => {
    if (!globs.some((matches) => matches(path))) return { path, text };
    manifests.push(path);
    for (const name of variablesOf(text)) {
      const value = env[name];
      if (value !== undefined) variables[name] = value;
    }
    const filled = fillTemplate(text, { value: (name) => env[name] });
    const what = { project: project.name, retry: 'whenInputChanges', exitCode: 2 } as const;
    for (const { message, offset } of filled.mistakes) {
      const location = placeAt({ path, text }, offset);
      problems.push({ ...what, code: 'templateInvalid', message: `${path}: ${message}`, hint: 'correct the manifest', location });
    }
    for (const { name, offset } of filled.missing) {
      const hint = `set ${name}, or give it a default: \${${name}:-…}`;
      const location = placeAt({ path, text }, offset);
      problems.push({ ...what, code: 'variableNotSet', message: `${path} needs the variable ${name}, which is not set`, hint, location });
    }
    return { path, text: filled.text };
  });
  return { texts, hydrated: manifests.length === 0 ? undefined : { manifests, variables }, problems };
}

function placeAt({ path, text }: ManifestText, offset: number): Location {
  const before = text.slice(0, offset).split('\n');
  return { file: path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

interface Where {
  readonly files: RecordedFiles;
  readonly projectRoot: WorkspacePath;
}

function pathsOf(pattern: string, where: Where): readonly WorkspacePath[] {
  const { base, glob } = scanned(pattern);
  const at = joinPath(where.projectRoot, base);
  if (glob === '') {
    if (where.files.kindOf(at) !== 'dir') return where.files.textOf(at) === undefined ? [] : [at];
    return listed(at, where)
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => joinPath(at, name));
  }
  return below(at, { ...where, deep: glob.includes('/') || glob.includes('**') }).filter(namedBy(pattern, where.projectRoot));
}

/** Whether a pattern of a project names a path. What is in the name of the project's folder is no part of the pattern. */
function namedBy(pattern: string, projectRoot: WorkspacePath): (path: WorkspacePath) => boolean {
  const { base, glob } = scanned(pattern);
  const at = joinPath(projectRoot, base);
  if (glob === '') return (path) => path === at;
  const matches = matcherOf(glob);
  const folder = at === '' ? '' : `${at}/`;
  return (path) => path.startsWith(folder) && matches(path.slice(folder.length));
}

const matchers = new Map<string, (path: string) => boolean>();

/** The same few globs are asked for in every project. */
function matcherOf(glob: string): (path: string) => boolean {
  let matcher = matchers.get(glob);
  if (!matcher) matchers.set(glob, (matcher = picomatch(glob, { dot: true })));
  return matcher;
}

interface Scanned {
  /** The folder that the glob is below, or the path itself. */
  readonly base: string;
  /** Empty: it is none. */
  readonly glob: string;
}

const scans = new Map<string, Scanned>();

function scanned(written: string): Scanned {
  const pattern = written.replaceAll('\\', '/');
  if (!/[*?[\]{}()!+@]/.test(pattern)) return { base: pattern, glob: '' };
  let scan = scans.get(pattern);
  if (!scan) scans.set(pattern, (scan = picomatch.scan(pattern)));
  return scan;
}

/** The names in the root of a project change with every new file of it; a manifest that is new there is seen when something else is read again. */
function listed(directory: WorkspacePath, { files, projectRoot }: Where): readonly string[] {
  return directory === projectRoot ? files.namesIn(directory) : files.manifestsIn(directory);
}

function below(directory: WorkspacePath, how: Where & { readonly deep: boolean }): WorkspacePath[] {
  return listed(directory, how).flatMap((name) => {
    const path = joinPath(directory, name);
    if (!how.deep) return [path];
    if (name === 'node_modules' || name === '.git') return [];
    return how.files.kindOf(path) === 'dir' ? below(path, how) : [path];
  });
}
