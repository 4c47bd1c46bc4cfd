/** A piece of a template: text as it is, or a variable. Offsets count from the template's beginning. */
type Piece = { readonly text: string } | { readonly name: string; readonly fallback: string | undefined; readonly offset: number };

/** A place in a template that is not right, or a variable that nothing gives a value. */
export interface TemplateMistake {
  readonly message: string;
  readonly offset: number;
}

export interface Filled {
  readonly text: string;
  /** Variables without a value and without a default, in order, each once. */
  readonly missing: readonly { readonly name: string; readonly offset: number }[];
  readonly mistakes: readonly TemplateMistake[];
}

export interface FillOptions {
  readonly value: (name: string) => string | undefined;
  /** Variables that get their value later: they stay as they are, and what is around them is written so that filling once more changes nothing else of it. */
  readonly later?: (name: string) => boolean;
}

const variable = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/;

/**
 * The one kind of template there is, in build arguments, labels and tags: `${NAME}`, and `${NAME:-default}` for one that is not
 * set or empty; `$$` stands for a dollar sign. Any other dollar sign is itself.
 */
export function fillTemplate(template: string, { value, later }: FillOptions): Filled {
  const { pieces, mistakes } = piecesOf(template);
  const missing: { readonly name: string; readonly offset: number }[] = [];
  const text = pieces.map((piece) => {
    const given = later ? (plain: string) => plain.replaceAll('$', '$$$$') : (plain: string) => plain;
    if ('text' in piece) return given(piece.text);
    const { name, fallback, offset } = piece;
    if (later?.(name)) return fallback === undefined ? `\${${name}}` : `\${${name}:-${fallback}}`;
    const found = value(name);
    if (found !== undefined && found !== '') return given(found);
    if (fallback !== undefined) return given(fallback);
    if (found === undefined && !missing.some((other) => other.name === name)) missing.push({ name, offset });
    return '';
  });
  return { text: text.join(''), missing, mistakes };
}

/** The names of the variables in a template, in order, each once. */
export function variablesOf(template: string): readonly string[] {
  return [...new Set(piecesOf(template).pieces.flatMap((piece) => ('name' in piece ? [piece.name] : [])))];
}

function piecesOf(template: string): { readonly pieces: readonly Piece[]; readonly mistakes: readonly TemplateMistake[] } {
  const pieces: Piece[] = [];
  const mistakes: TemplateMistake[] = [];
  let text = '';
  const end = (): void => {
    if (text !== '') pieces.push({ text });
    text = '';
  };
  for (let at = 0; at < template.length;) {
    const rest = template.slice(at);
    const [whole, name = '', fallback] = variable.exec(rest) ?? [];
    if (rest.startsWith('$$')) {
      text += '$';
      at += 2;
    } else if (whole !== undefined) {
      end();
      pieces.push({ name, fallback, offset: at });
      at += whole.length;
    } else {
      const message = mistakeAt(rest);
      if (message !== undefined) mistakes.push({ message, offset: at });
      text += rest.slice(0, 1);
      at += 1;
    }
  }
  end();
  return { pieces, mistakes };
}

function mistakeAt(rest: string): string | undefined {
  if (!rest.startsWith('${')) return undefined;
  const [inner] = /^\$\{[^}]*\}/.exec(rest) ?? [];
  return inner === undefined
    ? 'a ${ has no } after it; write $$ for a dollar sign'
    : `${inner} is not a variable: write \${NAME} or \${NAME:-default}, and $$ for a dollar sign`;
}
