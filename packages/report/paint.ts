import picocolors from 'picocolors';

type Formatter = (text: string) => string;

export interface Paint extends Readonly<Record<'bold' | 'dim' | 'underline' | 'red' | 'green' | 'yellow' | 'cyan', Formatter>> {
  readonly isColorSupported: boolean;
  /** For names, so that each has its own; red is left to failures. */
  readonly names: readonly Formatter[];
}

/** Of the 256 colours some that are read on white as well as on black. What a terminal shows for its own sixteen is often good for one of them only. */
export const onAnyGround = { green: 28, yellow: 136, cyan: 30, names: [30, 133, 32, 130, 64, 99, 168, 67] } as const;

/** Where a colour of a service stands in `Paint.names`. */
export type NameColour = number;

/**
 * Colours for a stream: where it is a terminal, unless NO_COLOR says otherwise; FORCE_COLOR wants them everywhere.
 * https://no-color.org, https://force-color.org
 */
export function paintFor(stream: { readonly isTTY: boolean; readonly env: Readonly<Record<string, string | undefined>> }): Paint {
  const isWanted = wantsColours(stream);
  const basic = picocolors.createColors(isWanted);
  if (!isWanted || !has256(stream.env)) {
    const { cyan, magenta, blue, green, bold } = basic;
    const names = [cyan, magenta, blue, green];
    return { ...basic, names: [...names, ...names.map((colour) => (text: string) => bold(colour(text)))] };
  }
  const { green, yellow, cyan, names } = onAnyGround;
  return { ...basic, green: of256(green), yellow: of256(yellow), cyan: of256(cyan), names: names.map(of256) };
}

export const plain: Paint = paintFor({ isTTY: false, env: {} });

function of256(number: number): Formatter {
  return (text) => `\u001b[38;5;${number}m${text}\u001b[39m`;
}

function has256({ TERM = '', COLORTERM, TERM_PROGRAM, WT_SESSION }: Readonly<Record<string, string | undefined>>): boolean {
  return (
    /256|direct|kitty|alacritty|ghostty|wezterm/.test(TERM) ||
    [COLORTERM, TERM_PROGRAM, WT_SESSION].some((value) => value !== undefined && value !== '')
  );
}

function wantsColours({ isTTY, env }: { readonly isTTY: boolean; readonly env: Readonly<Record<string, string | undefined>> }): boolean {
  const forced = env['FORCE_COLOR'];
  if (env['NO_COLOR']) return false;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return isTTY && env['TERM'] !== 'dumb';
}

/** The same name gets the same colour in every run, unless another one that is shown has it already. */
export function colourFor(name: string, taken: Iterable<NameColour>): NameColour {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  const used = new Set(taken);
  const { length } = onAnyGround.names;
  const wanted = hash % length;
  const inOrder = onAnyGround.names.map((_colour, at) => (wanted + at) % length);
  return inOrder.find((colour) => !used.has(colour)) ?? wanted;
}
