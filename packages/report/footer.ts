import type { Event, LogChoice } from '../model';
import { keyHelpOf, lastWord, matches, type KeyMode, type Question } from './keys';
import type { Paint } from './paint';
import { duration, someOf } from './units';
import { cutTo, visibleWidth } from './visible';
import { holdText } from './workLines';

type ServiceEvent = Extract<Event, { kind: 'service' }>;

/** A service as the footer shows it. */
export interface ShownService {
  readonly state: Exclude<ServiceEvent['state'], 'removed'>;
  readonly text: string;
  /** Of the clock: when it came into this state. */
  readonly since: number;
}

export interface FooterState {
  /** In the order of their names. */
  readonly services: ReadonlyMap<string, ShownService>;
  readonly mode: KeyMode;
  readonly logs: LogChoice;
  /** To what runs: nothing is built or deleted. */
  readonly attached: boolean;
}

export interface FooterFormat {
  readonly now: number;
  readonly columns: number;
  readonly paint: Paint;
}

/** Lines that the services take at most; with more of them those that are well are counted. */
const serviceRows = 3;
/** A state that lasts longer than this is told with its seconds. */
const countedMs = 2000;

/** The services after an event about one. */
export function withService(services: FooterState['services'], event: ServiceEvent, now: number): FooterState['services'] {
  const next = new Map(services);
  if (event.state === 'removed') {
    next.delete(event.service);
    return next;
  }
  const before = services.get(event.service);
  const since = before?.state === event.state ? before.since : now;
  next.set(event.service, { state: event.state, text: whyText(event), since });
  return new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function whyText({ service, state, because = '', detail = '' }: ServiceEvent): string {
  switch (state) {
    case 'ready':
    case 'syncing':
    case 'removed':
      return '';
    case 'failed':
      return firstLine(detail);
    case 'building':
      return because === 'runTarget' ? detail : '';
    case 'waiting':
      return because === 'waitingForRollout' ? firstLine(withoutName(detail, service)) : holdText(because, undefined);
  }
}

/** A line has little room, and begins with the name already: `deployment/worker: pod …` of worker. */
function withoutName(detail: string, service: string): string {
  const colon = detail.indexOf(': ');
  return detail.slice(0, Math.max(colon, 0)).endsWith(`/${service}`) && !detail.slice(0, colon).includes(' ')
    ? detail.slice(colon + 2)
    : detail;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** Whether anything is under way, so that the seconds of it go on. */
export function isMoving({ services }: FooterState): boolean {
  return [...services.values()].some(({ state }) => state !== 'ready' && state !== 'failed');
}

/** What stands below the lines: how every service is, and what the keys do. */
export function footerLines(state: FooterState, format: FooterFormat): readonly string[] {
  const { columns, paint } = format;
  const lines = [paint.dim('─'.repeat(columns)), ...serviceLines(state, format), ...keyLines(state, format)];
  return lines.map((line) => cutTo(line, columns));
}

const marks: Readonly<Record<ShownService['state'], string>> = { ready: '●', syncing: '↻', building: '◐', waiting: '○', failed: '✖' };

function serviceLines({ services }: FooterState, format: FooterFormat): readonly string[] {
  const one = inRows(
    [...services].map(([name, service]) => itemOf([name], service, format)),
    format.columns,
  );
  if (one.length <= serviceRows) return one;
  // Those in one state for one reason are told together; what is well comes last.
  const groups = new Map<string, { readonly names: string[]; readonly service: ShownService }>();
  for (const [name, service] of services) {
    const key = `${service.state} ${service.text}`;
    const group = groups.get(key);
    if (group) group.names.push(name);
    else groups.set(key, { names: [name], service });
  }
  const worst = [...groups.values()].sort((a, b) => order.indexOf(a.service.state) - order.indexOf(b.service.state));
  return inRows(
    worst.map(({ names, service }) => itemOf(names, service, format)),
    format.columns,
  ).slice(0, serviceRows);
}

const order: readonly ShownService['state'][] = ['failed', 'building', 'syncing', 'waiting', 'ready'];

function itemOf(names: readonly string[], { state, text, since }: ShownService, { now, paint, columns }: FooterFormat): string {
  const isLong = state !== 'ready' && state !== 'failed' && now - since >= countedMs;
  const who = names.length <= 3 ? names.join(', ') : state === 'ready' ? `${names.length} services` : someOf(names, 2);
  const is = state === 'waiting' && text !== '' ? text : `${state}${text === '' ? '' : `: ${text}`}`;
  const took = isLong ? ` ${duration(Math.floor((now - since) / 1000) * 1000)}` : '';
  return cutTo(`${colourOf(state, paint)(marks[state])} ${paint.bold(who)} ${is}${paint.dim(took)}`, columns);
}

function colourOf(state: ShownService['state'], paint: Paint): (text: string) => string {
  switch (state) {
    case 'ready':
      return paint.green;
    case 'failed':
      return paint.red;
    case 'building':
    case 'syncing':
    case 'waiting':
      return paint.yellow;
  }
}

const gap = 3;

function inRows(items: readonly string[], columns: number): readonly string[] {
  const rows: string[] = [];
  let row = '';
  for (const item of items) {
    const longer = row === '' ? item : `${row}${' '.repeat(gap)}${item}`;
    if (row !== '' && visibleWidth(longer) > columns) {
      rows.push(row);
      row = item;
    } else row = longer;
  }
  return row === '' ? rows : [...rows, row];
}

const questions: Readonly<Record<Question, string>> = {
  rebuild: 'rebuild which service?',
  resync: 'resync which service?',
  showLogs: 'show whose logs?',
};

function keyLines({ mode, services, logs, attached }: FooterState, { paint, columns }: FooterFormat): readonly string[] {
  switch (mode.kind) {
    case 'idle': {
      const shown = logs === 'all' ? '' : logs.length === 0 ? ' (none)' : ` (${someOf(logs, 2)})`;
      const short = keyHelpOf(attached).map(([key, text]) => `${paint.bold(key)} ${paint.dim(key === 'l' ? `${text}${shown}` : text)}`);
      return [inRows(short, columns)[0] ?? ''];
    }
    case 'help': {
      const ends = attached ? 'ends' : 'ends, and deletes what was deployed unless it is to be kept';
      const more = [...keyHelpOf(attached), ['Ctrl+C', '', ends] as const];
      return more.map(([key, , long]) => `${paint.bold(key.padEnd(6))}  ${long}`);
    }
    case 'asking': {
      const word = lastWord(mode.typed);
      const found = matches(word, [...services.keys()]);
      const extra = mode.what === 'showLogs' ? 'Enter alone: all, -: none' : '*: all';
      const help =
        mode.complaint === undefined ? `${someOf(found, 6)}${found.length === 0 ? 'no such service' : ''}` : paint.red(mode.complaint);
      return [`${paint.bold(questions[mode.what])} ${mode.typed}█  ${paint.dim(help)}`, paint.dim(`Tab completes   ${extra}   Esc: back`)];
    }
  }
}
