/** A source with wildcards, as COPY resolves it: Go's filepath.Match, which has no `**`. */
export interface Wildcard {
  /** The path up to the first part with a wildcard. */
  readonly directory: string;
  /** Parts with and after the first wildcard. */
  readonly depth: number;
  /** Whether it matches a path (from the context). */
  readonly matches: (path: string) => boolean;
}

export function hasWildcard(path: string): boolean {
  return /[*?[]/.test(path.replace(/\\./gs, ''));
}

/** Undefined when the pattern is malformed. */
export function wildcard(pattern: string): Wildcard | undefined {
  const parts = pattern.split('/');
  const first = parts.findIndex(hasWildcard);
  try {
    const expression = new RegExp(`^${parts.map(partSource).join('/')}$`, 's');
    return { directory: parts.slice(0, first).join('/'), depth: parts.length - first, matches: (path) => expression.test(path) };
  } catch {
    return undefined;
  }
}

function partSource(part: string): string {
  return part.replace(
    /\\(.)|\*|\?|\[(\^?)((?:\\.|[^\]\\])*)\]|[.+()|{}$^[\]\\]/gs,
    (found, escaped: string | undefined, negated: string | undefined, members) => {
      if (escaped !== undefined) return escapeText(escaped);
      if (found === '*') return '[^/]*';
      if (found === '?') return '[^/]';
      if (found.length > 1) return `${negated === '^' ? '[^/' : '['}${String(members).replace(/\[/g, '\\[')}]`;
      if (found === '[') throw new SyntaxError('a bracket is not closed');
      return `\\${found}`;
    },
  );
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
