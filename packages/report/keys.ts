import { withoutScope, type Wish } from '../model';

/** What the keyboard is used for at the moment. */
export type KeyMode =
  | { readonly kind: 'idle' }
  | { readonly kind: 'help' }
  | { readonly kind: 'asking'; readonly what: Question; readonly typed: string; readonly complaint?: string };

export type Question = 'rebuild' | 'resync' | 'showLogs';

export const idle: KeyMode = { kind: 'idle' };

type KeyHelp = readonly (readonly [key: string, short: string, long: string])[];

const keyHelp: KeyHelp = [
  ['?', 'help', 'shows this'],
  ['r', 'rebuild', 'makes a new image of a service, from scratch'],
  ['s', 'resync', 'compares containers with the files, and brings what differs'],
  ['l', 'logs', 'chooses the services whose logs are shown'],
  ['d', 'delete and quit', 'deletes what was deployed, and ends'],
  ['q', 'quit', 'ends, and leaves what was deployed running'],
];

/** What one that is attached does too: it builds and deletes nothing. */
const attachedHelp: KeyHelp = [...keyHelp.filter(([key]) => key !== 'r' && key !== 'd' && key !== 'q'), ['q', 'quit', 'ends']];

/** The keys, in the order in which they are listed. */
export function keyHelpOf(attached: boolean): KeyHelp {
  return attached ? attachedHelp : keyHelp;
}

export interface Pressed {
  readonly mode: KeyMode;
  readonly wish?: Wish;
}

/** What a terminal sends in one piece, key by key: an escape sequence is one key. */
export function keysIn(text: string): readonly string[] {
  return text.match(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|O.|[^[O])|[^]/gu) ?? [];
}

export interface Keys {
  /** Of the services. */
  readonly names: readonly string[];
  /** To what runs: nothing is built or deleted. */
  readonly attached: boolean;
}

/** What a key does. Pure. */
export function pressed(mode: KeyMode, key: string, { names, attached }: Keys): Pressed {
  if (mode.kind === 'asking') return answered(mode, key, names);
  if (attached && (key === 'r' || key === 'd')) return { mode: idle };
  switch (key) {
    case '?':
    case 'h':
      return { mode: mode.kind === 'help' ? idle : { kind: 'help' } };
    case 'r':
      return asked('rebuild', names);
    case 's':
      return asked('resync', names);
    case 'l':
      return { mode: { kind: 'asking', what: 'showLogs', typed: '' } };
    case 'd':
      return { mode: idle, wish: { kind: 'end', deletes: true } };
    case 'q':
      return { mode: idle, wish: { kind: 'end', deletes: false } };
  }
  // Any other key puts the help away.
  return { mode: mode.kind === 'help' ? idle : mode };
}

/** Of one service nothing has to be asked. */
function asked(what: 'rebuild' | 'resync', names: readonly string[]): Pressed {
  return names.length === 1 ? { mode: idle, wish: { kind: what, services: names } } : { mode: { kind: 'asking', what, typed: '' } };
}

function answered(mode: Extract<KeyMode, { kind: 'asking' }>, key: string, names: readonly string[]): Pressed {
  const { what, typed } = mode;
  const ask = (text: string): Pressed => ({ mode: { kind: 'asking', what, typed: text } });
  if (key === '\u001b') return { mode: idle };
  if (key === '\u007f' || key === '\b') return ask(typed.slice(0, -1));
  if (key === '\u0015') return ask('');
  if (key === '\t') return ask(completed(typed, names));
  if (key === '\r' || key === '\n') return entered(mode, names);
  // Arrows and the like mean nothing here.
  return key.length === 1 && key >= ' ' ? ask(typed + key) : { mode };
}

function entered({ what, typed }: Extract<KeyMode, { kind: 'asking' }>, names: readonly string[]): Pressed {
  const words = typed.split(/[\s,]+/).filter((word) => word !== '');
  if (what === 'showLogs') {
    if (words.length === 0 || words.includes('*')) return { mode: idle, wish: { kind: what, services: 'all' } };
    if (words.length === 1 && words[0] === '-') return { mode: idle, wish: { kind: what, services: [] } };
  } else {
    if (words.length === 0) return { mode: idle };
    if (words.includes('*')) return { mode: idle, wish: { kind: what, services: names } };
  }
  const found = words.map((word) => ({ word, name: meantBy(word, names) }));
  const wrong = found.find(({ name }) => name === undefined)?.word;
  if (wrong !== undefined) {
    const complaint = matches(wrong, names).length === 0 ? `no service is called ${wrong}` : `several services begin with ${wrong}`;
    return { mode: { kind: 'asking', what, typed, complaint } };
  }
  return { mode: idle, wish: { kind: what, services: [...new Set(found.flatMap(({ name }) => name ?? []))] } };
}

/** The name that was typed, or the only one that begins with it. */
function meantBy(word: string, names: readonly string[]): string | undefined {
  if (names.includes(word)) return word;
  const [only, ...others] = matches(word, names);
  return others.length === 0 ? only : undefined;
}

/** The services that what is being typed may mean; a scope may be left out. */
export function matches(word: string, names: readonly string[]): readonly string[] {
  const wanted = word.toLowerCase();
  return names.filter((name) => name.toLowerCase().startsWith(wanted) || withoutScope(name).toLowerCase().startsWith(wanted));
}

/** The word that is being typed: the last one. */
export function lastWord(typed: string): string {
  return /[^\s,]*$/.exec(typed)?.[0] ?? '';
}

function completed(typed: string, names: readonly string[]): string {
  const word = lastWord(typed);
  const found = word === '' ? [] : matches(word, names);
  const [only, ...others] = found;
  if (only === undefined) return typed;
  const end = others.length === 0 ? only : commonStart(found);
  return end.length > word.length || others.length === 0 ? `${typed.slice(0, typed.length - word.length)}${end}` : typed;
}

function commonStart(texts: readonly string[]): string {
  const [first = ''] = texts;
  let length = first.length;
  for (const text of texts) while (!text.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
