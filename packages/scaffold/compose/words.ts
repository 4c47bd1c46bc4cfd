const word = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs;
const piece = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\\"']+)/gs;

/** A command that is one text, in words as Compose makes them: quotes hold together, and no shell looks at it. */
export function commandWords(text: string): readonly string[] {
  return [...text.matchAll(word)].map(([each]) =>
    [...each.matchAll(piece)]
      .map(([, escaped, double, single, plain]) => escaped ?? double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? plain ?? '')
      .join(''),
  );
}
