import { parseInstructions, type Instruction } from './instructions';

/**
 * The line of the instruction that a builder names: `RUN npm ci`, with its continued lines joined, or `FROM` with an image, which a
 * builder writes in full. Undefined when none or more than one may be meant.
 */
export function lineOfInstruction(text: string, named: string): number | undefined {
  const [keyword = '', ...rest] = named.trim().split(/\s+/);
  // Flags of the instruction stand before its text; those of a command in it are the text.
  const begin = rest.findIndex((word) => !word.startsWith('--'));
  const wanted = rest.slice(begin < 0 ? rest.length : begin).join(' ');
  const matches = parseInstructions(text).instructions.filter(
    (instruction) => instruction.keyword === keyword.toUpperCase() && says(instruction, wanted),
  );
  // One image may be the base of several stages, and the first of them fails.
  const [only] = matches;
  return matches.length === 1 || keyword === 'FROM' ? only?.line : undefined;
}

function says({ keyword, text }: Instruction, wanted: string): boolean {
  const words = text.trim().split(/\s+/);
  if (keyword !== 'FROM') return words.join(' ') === wanted;
  const [image = ''] = words;
  return wanted === image || wanted.endsWith(`/${image}`) || wanted === `${image}:latest` || wanted.endsWith(`/${image}:latest`);
}
