/** `6 ms`, `1.2 s`, `42 s`, `1 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 0.5) return '<1 ms';
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const rest = whole % 60;
  return rest === 0 ? `${Math.floor(whole / 60)} min` : `${Math.floor(whole / 60)} min ${rest} s`;
}

/** `0 B`, `214 B`, `1.2 KB`, `13 MB`: units of a thousand, as disks and registries count. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let amount = bytes;
  let unit = 'B';
  for (const larger of ['KB', 'MB', 'GB', 'TB']) {
    if (amount < 999.5) break;
    amount /= 1000;
    unit = larger;
  }
  return `${amount < 9.95 ? amount.toFixed(1) : amount.toFixed(0)} ${unit}`;
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The first few, and how many more there are: `a, b and 3 more`. */
export function someOf(names: readonly string[], most = 3): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** A reference without what only machines compare: the digest, and all but the first twelve places of a content tag. */
export function shortRef(ref: string): string {
  return ref.replace(/@sha256:[0-9a-f]+$/, '').replace(/:([^:/]*?[0-9a-f]{12})[0-9a-f]+$/, ':$1');
}

/** The tag of a reference when it is one that people gave; nothing for one that is made from content. */
export function givenTag(ref: string): string {
  const tag = /:([^:/]+)$/.exec(ref.replace(/@.*$/s, ''))?.[1] ?? '';
  return /^[0-9a-f]{24}$/.test(tag) ? '' : tag;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A file's name as people see it: it may hold line breaks, and what terminals take for commands. */
export function inOneLine(path: string): string {
  return path.replace(/\p{Cc}/gu, (character) => escapes.get(character) ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
