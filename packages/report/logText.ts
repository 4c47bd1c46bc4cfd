import type { Paint } from './paint';

const levelKeys = ['level', 'severity', 'lvl', 'log.level', 'levelname'];
const messageKeys = ['msg', 'message', 'event', '@m'];
const timeKeys = ['time', 'timestamp', 'ts', '@timestamp', '@t', 'asctime'];
/** The same in every line of a process. */
const dull = new Set(['pid', 'hostname', 'v', 'name', '@version']);

/** pino and bunyan count. */
const numbered: Readonly<Record<string, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

/** A line of a log as people read it: one that is a JSON object with a message as level, message and the rest, and stacks below it; any other as it is. */
export function logText(line: string, paint: Paint): string {
  const trimmed = line.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return line;
  const fields = objectIn(trimmed);
  const messageKey = messageKeys.find((key) => typeof fields?.[key] === 'string');
  if (!fields || messageKey === undefined) return line;
  const levelKey = levelKeys.find((key) => typeof fields[key] === 'string' || typeof fields[key] === 'number');
  const said = levelKey === undefined ? undefined : String(fields[levelKey]).toLowerCase();
  const level = said === undefined ? undefined : (numbered[said] ?? said);
  const shown = new Set([messageKey, levelKey, ...timeKeys, ...dull]);
  const rest = Object.entries(fields).filter(([key]) => !shown.has(key));
  const stacks = rest.flatMap(([key, value]) => stackOf(key, value) ?? []);
  const short = rest.flatMap(([key, value]) => {
    const left = stackOf(key, value) === undefined ? value : besideStack(value);
    return left === undefined ? [] : [paint.dim(`${key}=${valueText(left)}`)];
  });
  const first = [...(level === undefined ? [] : [painted(level, paint)]), String(fields[messageKey]), ...short].join(' ');
  return [first, ...stacks.flatMap((stack) => stack.trimEnd().split('\n'))].join('\n');
}

/** Of a field that is a stack, or an error with one. */
function stackOf(key: string, value: unknown): string | undefined {
  const stack = typeof value === 'object' && value !== null && 'stack' in value ? value.stack : value;
  const isOne = stack !== value || /stack|trace|exception|exc_info/i.test(key);
  return isOne && typeof stack === 'string' && stack.includes('\n') ? stack : undefined;
}

/** What an error tells that does not stand in its stack too. */
function besideStack(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const left = Object.entries(value).filter(([key]) => !['stack', 'message', 'type', 'name'].includes(key));
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function valueText(value: unknown): string {
  return typeof value === 'string' && !/[\s="]/.test(value) && value !== '' ? value : JSON.stringify(value);
}

function painted(level: string, paint: Paint): string {
  const text = level.toUpperCase();
  if (/^(err|error|fatal|critical|crit|panic|emerg|alert)/.test(level)) return paint.red(text);
  if (/^warn/.test(level)) return paint.yellow(text);
  return /^(debug|trace|verbose)/.test(level) ? paint.dim(text) : paint.cyan(text);
}
