import picocolors from 'picocolors';

export type Paint = ReturnType<typeof picocolors.createColors>;

/**
 * Colours for a stream: where it is a terminal, unless NO_COLOR says otherwise; FORCE_COLOR wants them everywhere.
 * https://no-color.org, https://force-color.org
 */
export function paintFor(stream: { readonly isTTY: boolean; readonly env: Readonly<Record<string, string | undefined>> }): Paint {
  return picocolors.createColors(wantsColours(stream));
}

export const plain: Paint = picocolors.createColors(false);

function wantsColours({ isTTY, env }: { readonly isTTY: boolean; readonly env: Readonly<Record<string, string | undefined>> }): boolean {
  const forced = env['FORCE_COLOR'];
  if (env['NO_COLOR']) return false;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return isTTY && env['TERM'] !== 'dumb';
}

/** Told apart well on dark and light grounds; red is left to failures. */
const palette = ['cyan', 'magenta', 'blue', 'yellow', 'green', 'cyanBright', 'magentaBright', 'blueBright'] as const;
export type SubjectColour = (typeof palette)[number];

/** The same name gets the same colour in every run, unless another one that is shown has it already. */
export function colourFor(name: string, taken: Iterable<SubjectColour>): SubjectColour {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  const used = new Set(taken);
  const wanted = hash % palette.length;
  const inOrder = [...palette.slice(wanted), ...palette.slice(0, wanted)];
  return inOrder.find((colour) => !used.has(colour)) ?? inOrder[0] ?? 'cyan';
}
