/** Where a variable's value comes from: a text, `unset`, or `unknown` (the base image or the platform decides). */
export type Lookup = (name: string) => { readonly kind: 'set'; readonly value: string } | { readonly kind: 'unset' | 'unknown' };

export interface Expansion {
  readonly text: string;
  /** Names whose value is not known; the text is what it would be if they were empty. */
  readonly unknown: readonly string[];
  /** What is wrong with the word; then the text means nothing. */
  readonly mistake: string | undefined;
}

/** Replaces variables in a word and takes its quotes and escapes away, as BuildKit's shell lexer does: `$a`, `${a:-b}`, `${a:+b}`, `${a:?b}`, `${a#p}`, `${a%p}`, `${a/p/r}`. */
export function expand(word: string, lookup: Lookup, escape: string): Expansion {
  // Most words hold nothing to expand.
  if (!/[$'"\\`]/.test(word)) return { text: word, unknown: [], mistake: undefined };
  const expander = new Expander(word, lookup, escape);
  const text = expander.until(undefined, false);
  return { text, unknown: [...expander.unknown], mistake: expander.mistake };
}

class Expander {
  readonly unknown = new Set<string>();
  mistake: string | undefined;
  private at = 0;

  constructor(
    private readonly word: string,
    private readonly lookup: Lookup,
    private readonly escape: string,
  ) {}

  /** Up to a closing character (which is passed), or to the end. */
  until(stop: string | undefined, keepsEscapes: boolean): string {
    let text = '';
    while (this.at < this.word.length) {
      const char = this.word.charAt(this.at);
      if (char === stop) {
        this.at += 1;
        return text;
      }
      if (char === '$') text += this.variable();
      else if (char === "'") text += this.single();
      else if (char === '"') text += this.double();
      else if (char === this.escape) {
        if (keepsEscapes) text += char;
        text += this.word.charAt(this.at + 1);
        this.at += 2;
      } else {
        text += char;
        this.at += 1;
      }
    }
    if (stop !== undefined) this.fail(`${stop} is missing in ${this.word}`);
    return text;
  }

  private fail(mistake: string): void {
    this.mistake ??= mistake;
    this.at = this.word.length;
  }

  private single(): string {
    const end = this.word.indexOf("'", this.at + 1);
    if (end < 0) {
      this.fail(`a single quote is not closed in ${this.word}`);
      return '';
    }
    const text = this.word.slice(this.at + 1, end);
    this.at = end + 1;
    return text;
  }

  private double(): string {
    let text = '';
    this.at += 1;
    while (this.at < this.word.length) {
      const char = this.word.charAt(this.at);
      if (char === '"') {
        this.at += 1;
        return text;
      }
      if (char === '$') {
        text += this.variable();
        continue;
      }
      const next = this.word.charAt(this.at + 1);
      if (char === this.escape && (next === '"' || next === '$' || next === this.escape)) {
        text += next;
        this.at += 2;
      } else {
        text += char;
        this.at += 1;
      }
    }
    this.fail(`a double quote is not closed in ${this.word}`);
    return '';
  }

  private variable(): string {
    const plain = /^\$([A-Za-z_][A-Za-z0-9_]*|\d+|[@*#?\-$!])/.exec(this.word.slice(this.at));
    if (plain?.[1] !== undefined) {
      this.at += plain[0].length;
      return this.value(plain[1]) ?? '';
    }
    if (this.word.charAt(this.at + 1) !== '{') {
      this.at += 1;
      return '$';
    }
    const braced = /^\$\{([A-Za-z_][A-Za-z0-9_]*|\d+)(:?[-+?]|\}|##?|%%?|\/\/?)/.exec(this.word.slice(this.at));
    const [opening, name, operator] = braced ?? [];
    if (opening === undefined || name === undefined || operator === undefined) {
      this.fail(`${this.word} has a substitution that is not supported`);
      return '';
    }
    this.at += opening.length;
    if (operator === '}') return this.value(name) ?? '';
    if (operator.startsWith('/')) {
      const pattern = this.until('/', true);
      const replacement = this.until('}', true);
      const value = this.value(name) ?? '';
      return value.replace(new RegExp(globSource(pattern, true), operator === '//' ? 'g' : ''), () => replacement);
    }
    const argument = this.until('}', operator.startsWith('#') || operator.startsWith('%'));
    return this.modified({ name, operator, argument });
  }

  private modified({ name, operator, argument }: { readonly name: string; readonly operator: string; readonly argument: string }): string {
    const value = this.value(name);
    const missing = value === undefined || (operator.startsWith(':') && value === '');
    switch (operator.replace(':', '')) {
      case '-':
        return missing ? argument : value;
      case '+':
        return missing ? '' : argument;
      case '?':
        if (missing && !this.unknown.has(name)) this.fail(`${name}: ${argument === '' ? 'it must be set' : argument}`);
        return value ?? '';
      case '#':
      case '##':
        return (value ?? '').replace(new RegExp(`^${globSource(argument, operator === '##')}`), '');
      case '%':
      case '%%':
        return withoutSuffix(value ?? '', argument, operator === '%%');
    }
    return value ?? '';
  }

  private value(name: string): string | undefined {
    const found = this.lookup(name);
    if (found.kind === 'set') return found.value;
    if (found.kind === 'unknown') this.unknown.add(name);
    return undefined;
  }
}

/** `*` and `?` are the only wildcards here, and they match slashes too. */
function globSource(pattern: string, greedy: boolean): string {
  return pattern.replace(
    /\\([*?\\/}])|([*?])|([[\]{}.+()|^$\\])/g,
    (_all, escaped: string | undefined, wildcard: string | undefined, special: string) => {
      if (escaped !== undefined) return /[*?\\]/.test(escaped) ? `\\${escaped}` : escaped;
      if (wildcard !== undefined) return wildcard === '?' ? '.' : greedy ? '.*' : '.*?';
      return `\\${special}`;
    },
  );
}

function withoutSuffix(value: string, pattern: string, longest: boolean): string {
  const whole = new RegExp(`^${globSource(pattern, true)}$`);
  const starts = Array.from({ length: value.length + 1 }, (_, index) => index);
  const start = (longest ? starts : starts.reverse()).find((index) => whole.test(value.slice(index)));
  return start === undefined ? value : value.slice(0, start);
}
