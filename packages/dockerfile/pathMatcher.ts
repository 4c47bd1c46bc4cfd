import { posix } from 'node:path';
import type { WorkspacePath } from '../model';

/** Patterns of a `.dockerignore` or of `--exclude`, in order; the last that matches decides. Paths are relative to the context. */
export interface PathMatcher {
  /** Whether a path, or a directory it is in, is matched. */
  matches(path: WorkspacePath): boolean;
  /** Whether something below a matched directory may be taken back by a `!` pattern. */
  mayExcept(directory: WorkspacePath): boolean;
  /** Says all that its answers depend on. */
  readonly definition: string;
}

interface Pattern {
  readonly exception: boolean;
  readonly segments: readonly string[];
  readonly test: (path: string) => boolean;
}

export interface PatternMistake {
  readonly message: string;
  readonly line: number;
}

/** Reads the text of a `.dockerignore`: `#` comments, blank lines, `!` exceptions. Case counts. */
export function readIgnore(text: string): { readonly matcher: PathMatcher; readonly mistakes: readonly PatternMistake[] } {
  const mistakes: PatternMistake[] = [];
  const patterns: string[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.startsWith('#')) continue;
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const exception = trimmed.startsWith('!');
    const body = exception ? trimmed.slice(1).trim() : trimmed;
    const pattern = `${exception ? '!' : ''}${clean(body).replace(/^\/(?=.)/, '')}`;
    if (pattern === '!' || body === '' || !compile(pattern)) {
      mistakes.push({ message: `${trimmed} is not a valid pattern`, line: index + 1 });
    } else {
      patterns.push(pattern);
    }
  }
  return { matcher: pathMatcher(patterns), mistakes };
}

/** Semantics of moby's patternmatcher, which BuildKit uses: https://github.com/moby/patternmatcher. */
export function pathMatcher(texts: readonly string[]): PathMatcher {
  const patterns = texts.flatMap((text) => compile(text) ?? []);
  const ofDirectory = new Map<string, readonly boolean[]>();

  /** Which patterns match a path; a pattern that matches a directory matches everything in it. */
  function resultsOf(path: string): readonly boolean[] {
    const slash = path.lastIndexOf('/');
    const parent = slash > 0 ? directoryResults(path.slice(0, slash)) : undefined;
    let matched = false;
    return patterns.map((pattern, index) => {
      const result = parent?.[index] === true || (pattern.exception === matched && pattern.test(path));
      if (result) matched = !pattern.exception;
      return result;
    });
  }

  function directoryResults(path: string): readonly boolean[] {
    const known = ofDirectory.get(path);
    if (known) return known;
    const results = resultsOf(path);
    if (ofDirectory.size > 20_000) ofDirectory.clear();
    ofDirectory.set(path, results);
    return results;
  }

  return {
    matches(path) {
      if (path === '' || patterns.length === 0) return false;
      const results = resultsOf(path);
      const last = results.lastIndexOf(true);
      return last >= 0 && patterns[last]?.exception === false;
    },
    mayExcept: (directory) => patterns.some((pattern) => pattern.exception && mayMatchBelow(pattern.segments, directory.split('/'))),
    definition: texts.join('\n'),
  };
}

function clean(pattern: string): string {
  return posix.normalize(pattern).replace(/(?<=.)\/$/, '');
}

function compile(text: string): Pattern | undefined {
  // Cleaned with its sign: to Go `!..` is a name, which the next `..` takes away, and the exception with it.
  const written = clean(text);
  const exception = written.startsWith('!');
  const pattern = clean(exception ? written.slice(1) : written);
  const segments = pattern.split('/');
  if (!/[*?[\]\\]/.test(pattern)) return { exception, segments, test: (path) => path === pattern };
  const suffix = /^\*\*(\/?[^*?[\]\\]*)$/.exec(pattern)?.[1];
  if (suffix !== undefined) {
    return { exception, segments, test: (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1)) };
  }
  try {
    const expression = new RegExp(`^${patternSource(pattern)}$`, 's');
    return { exception, segments, test: (path) => expression.test(path) };
  } catch {
    return undefined;
  }
}

function patternSource(pattern: string): string {
  return pattern.replace(/\*\*\/?$|\*\*\/?|\*|\?|\\(.)|[.+()|{}$]|\\$/gs, (found, escaped: string | undefined, offset: number) => {
    if (escaped !== undefined) return escapedSource(escaped);
    if (found.startsWith('**')) return offset + found.length === pattern.length ? '.*' : '(?:.*/)?';
    if (found === '*') return '[^/]*';
    if (found === '?') return '[^/]';
    return `\\${found}`;
  });
}

/** What follows a backslash goes into the expression with it, so a letter means what it means to Go's expressions, or nothing. */
function escapedSource(character: string): string {
  if (!/[a-z0-9]/i.test(character)) return character === '_' ? character : `\\${character}`;
  if (character === 'a') return '\\x07';
  if (/[fnrtvdswDSWbB]/.test(character)) return `\\${character}`;
  throw new SyntaxError(`\\${character} means nothing`);
}

/** Whether a pattern can match something deeper than a directory that it may lead through. */
function mayMatchBelow(pattern: readonly string[], directory: readonly string[]): boolean {
  for (const [index, name] of directory.entries()) {
    const segment = pattern[index];
    if (segment === undefined) return false;
    if (segment.includes('**')) return true;
    const wild = /[*?[\]\\]/.test(segment);
    if (!wild && segment !== name) return false;
  }
  return pattern.length > directory.length;
}
