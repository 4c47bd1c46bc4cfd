/** One instruction of a Dockerfile, its continued lines joined. Lines and columns count from 1. */
export interface Instruction {
  /** In upper case. */
  readonly keyword: string;
  readonly flags: readonly Flag[];
  /** What follows the keyword and its flags. */
  readonly text: string;
  /** The arguments when they are written as a JSON array. */
  readonly json: readonly string[] | undefined;
  readonly heredocs: readonly Heredoc[];
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
}

/** `--name` or `--name=value`. */
export interface Flag {
  readonly name: string;
  readonly value: string | undefined;
}

export interface Heredoc {
  /** As it stands among the arguments: `<<EOF`. */
  readonly word: string;
  readonly content: string;
}

export interface Mistake {
  /** `targetNotFound`: what is wrong may be what is asked for, and not the file. Absent: the file is. */
  readonly code?: 'targetNotFound';
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export interface ParsedDockerfile {
  readonly escape: string;
  readonly instructions: readonly Instruction[];
  readonly mistakes: readonly Mistake[];
}

const mayHaveHeredocs: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD']);

const parsed = new Map<string, ParsedDockerfile>();

/** Splits a Dockerfile into instructions by BuildKit's rules: parser directives, continued lines with comments between them, here-documents, flags. */
export function parseInstructions(text: string): ParsedDockerfile {
  // The same text is read for every context that is tried, and again whenever the workspace is.
  let known = parsed.get(text);
  if (!known) {
    if (parsed.size > 1_000) parsed.clear();
    parsed.set(text, (known = parse(text)));
  }
  return known;
}

function parse(text: string): ParsedDockerfile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const mistakes: Mistake[] = [];
  const escape = escapeOf(lines, mistakes);
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const first = lines[at] ?? '';
    if (first.trim() === '' || isComment(first)) continue;
    const start = at;
    let { text: joined, continues } = withoutContinuation(first.trimStart(), escape);
    while (continues && at + 1 < lines.length) {
      at += 1;
      const next = lines[at] ?? '';
      if (isComment(next) || next.trim() === '') continue;
      const part = withoutContinuation(next, escape);
      joined += part.text;
      continues = part.continues;
    }
    const column = first.length - first.trimStart().length + 1;
    const instruction = split(joined, escape);
    const heredocs: Heredoc[] = [];
    if (mayHaveHeredocs.has(instruction.keyword) && !instruction.json) {
      for (const opening of heredocsIn(instruction.text, escape)) {
        const body: string[] = [];
        let closed = false;
        while (!closed && at + 1 < lines.length) {
          at += 1;
          const line = lines[at] ?? '';
          closed = (opening.stripsTabs ? line.replace(/^\t+/, '') : line) === opening.name;
          if (!closed) body.push(line);
        }
        if (!closed) mistakes.push({ message: `the here-document ${opening.name} is not ended`, line: start + 1, column });
        heredocs.push({ word: opening.word, content: body.join('\n') });
      }
    }
    instructions.push({ ...instruction, heredocs, line: start + 1, column, endLine: at + 1 });
  }
  return { escape, instructions, mistakes };
}

/** Directives come first of all; the first line that is none ends them. */
function escapeOf(lines: readonly string[], mistakes: Mistake[]): string {
  for (const [index, line] of lines.entries()) {
    const directive = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line.trimStart());
    const name = directive?.[1]?.toLowerCase();
    if (name === undefined || !['escape', 'syntax', 'check'].includes(name)) break;
    if (name !== 'escape') continue;
    const value = directive?.[2] ?? '';
    if (value === '`' || value === '\\') return value;
    mistakes.push({ message: `the escape character can be \\ or \`, not ${value}`, line: index + 1, column: 1 });
  }
  return '\\';
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

function withoutContinuation(line: string, escape: string): { text: string; continues: boolean } {
  const trimmed = line.replace(/[ \t]+$/, '');
  const continues = trimmed.endsWith(escape) && !trimmed.endsWith(escape + escape);
  return continues ? { text: trimmed.slice(0, -1), continues } : { text: line, continues };
}

/** An instruction within a line: also what follows ONBUILD. */
export function split(line: string, escape: string): Pick<Instruction, 'keyword' | 'flags' | 'text' | 'json'> {
  const keyword = /^\S*/.exec(line)?.[0] ?? '';
  let rest = line.slice(keyword.length).trim();
  const flags: Flag[] = [];
  while (rest.startsWith('--')) {
    const word = firstWord(rest, escape);
    rest = rest.slice(word.raw.length).trimStart();
    if (word.text === '--') break;
    const [, name, value] = /^--([^=]*)(?:=([^]*))?$/.exec(word.text) ?? [];
    flags.push({ name: name ?? '', value });
  }
  return { keyword: keyword.toUpperCase(), flags, text: rest, json: jsonStrings(rest) };
}

/** Whether a flag that needs no value is set, as in `--link` and `--link=true`. */
export function isOn({ flags }: Pick<Instruction, 'flags'>, name: string): boolean {
  return flags.some((flag) => flag.name === name && flag.value !== 'false');
}

/** What is not a JSON array of strings is read as words: BuildKit's rule. */
export function jsonStrings(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return undefined;
    const strings = parsed.filter((item): item is string => typeof item === 'string');
    return strings.length === parsed.length ? strings : undefined;
  } catch {
    return undefined;
  }
}

/** The first word, quotes and escapes respected; `text` is without the quotes. */
function firstWord(line: string, escape: string): { readonly raw: string; readonly text: string } {
  let text = '';
  let quote: string | undefined;
  let at = 0;
  for (; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (quote === undefined && /\s/.test(char)) break;
    if (char === quote) quote = undefined;
    else if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === escape && at + 1 < line.length) {
      at += 1;
      text += line.charAt(at);
    } else text += char;
  }
  return { raw: line.slice(0, at), text };
}

/** Words with their quotes and escapes as written; white space within quotes does not part them. */
export function quotedWords(line: string, escape: string): string[] {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== '') {
    const { raw } = firstWord(rest, escape);
    words.push(raw);
    rest = rest.slice(raw.length).trimStart();
  }
  return words;
}

function heredocsIn(text: string, escape: string): { readonly word: string; readonly name: string; readonly stripsTabs: boolean }[] {
  if (!text.includes('<<')) return [];
  return quotedWords(text, escape).flatMap((word) => {
    const [, , dash, rest] = /^(\d*)<<(-?)([^<]+)$/.exec(word) ?? [];
    return rest === undefined ? [] : [{ word, name: firstWord(rest, escape).text, stripsTabs: dash === '-' }];
  });
}
