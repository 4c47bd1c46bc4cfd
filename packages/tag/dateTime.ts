import { failed, succeeded, type DateTimeTagger, type Problem, type Result } from '../model';

/** As Skaffold's. */
export const defaultDateFormat = '2006-01-02_15-04-05.999_MST';

/** The time of the run in a layout of Go's `time` package, which writes 2 January 2006, 15:04:05 as it is to look. */
export function dateTimeTag({ format, timezone }: DateTimeTagger, now: Date): Result<string> {
  if (timezone !== undefined && !isTimezone(timezone)) return failed(timezoneUnknown(timezone));
  const time = partsOf(now, timezone);
  return succeeded(format.replace(elements, (element) => written(element, time)));
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

interface Time {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  readonly weekday: number;
  /** Minutes east of Greenwich. */
  readonly offset: number;
  readonly zone: string;
}

const months = 'January February March April May June July August September October November December'.split(' ');
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Longer ones first, where one begins like another. */
const elements =
  /January|Jan|Monday|Mon|MST|2006|002|__2|_2|Z07:00|Z0700|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|03|04|05|06|15|PM|pm|1|2|3|4|5/g;

function written(element: string, time: Time): string {
  const hour12 = time.hour % 12 === 0 ? 12 : time.hour % 12;
  const dayOfYear = Math.round((Date.UTC(time.year, time.month - 1, time.day) - Date.UTC(time.year, 0, 1)) / 86_400_000) + 1;
  switch (element) {
    case '2006':
      return padded(time.year, 4);
    case '06':
      return padded(time.year % 100, 2);
    case 'January':
      return months[time.month - 1] ?? '';
    case 'Jan':
      return (months[time.month - 1] ?? '').slice(0, 3);
    case '01':
      return padded(time.month, 2);
    case '1':
      return `${time.month}`;
    case 'Monday':
      return weekdays[time.weekday] ?? '';
    case 'Mon':
      return (weekdays[time.weekday] ?? '').slice(0, 3);
    case '02':
      return padded(time.day, 2);
    case '_2':
      return `${time.day}`.padStart(2, ' ');
    case '2':
      return `${time.day}`;
    case '002':
      return padded(dayOfYear, 3);
    case '__2':
      return `${dayOfYear}`.padStart(3, ' ');
    case '15':
      return padded(time.hour, 2);
    case '03':
      return padded(hour12, 2);
    case '3':
      return `${hour12}`;
    case '04':
      return padded(time.minute, 2);
    case '4':
      return `${time.minute}`;
    case '05':
      return padded(time.second, 2);
    case '5':
      return `${time.second}`;
    case 'PM':
      return time.hour < 12 ? 'AM' : 'PM';
    case 'pm':
      return time.hour < 12 ? 'am' : 'pm';
    case 'MST':
      return time.zone;
    case 'Z07:00':
    case '-07:00':
      return offsetOf(element, time.offset, ':');
    case 'Z0700':
    case '-0700':
      return offsetOf(element, time.offset, '');
    case '-07':
      return offsetOf(element, time.offset, undefined);
    default:
      return fraction(element, time.millisecond);
  }
}

function padded(value: number, width: number): string {
  return `${value}`.padStart(width, '0');
}

function offsetOf(element: string, offset: number, between: string | undefined): string {
  if (element.startsWith('Z') && offset === 0) return 'Z';
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${offset < 0 ? '-' : '+'}${padded(hours, 2)}${between === undefined ? '' : `${between}${padded(minutes, 2)}`}`;
}

/** `.000` keeps all its digits, `.999` leaves zeros at the end away, and the point with them. */
function fraction(element: string, millisecond: number): string {
  const [point = '', ...digits] = element;
  const exact = padded(millisecond, 3).padEnd(digits.length, '0').slice(0, digits.length);
  if (digits[0] === '0') return point + exact;
  const short = exact.replace(/0+$/, '');
  return short === '' ? '' : point + short;
}

function partsOf(now: Date, timezone: string | undefined): Time {
  const zone = timezone === undefined ? {} : { timeZone: timezone };
  const format = new Intl.DateTimeFormat('en-US', {
    ...zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, Number(value)] as const));
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const [year, month, day, hour, minute, second] = [part('year'), part('month'), part('day'), part('hour'), part('minute'), part('second')];
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return {
    year,
    month,
    day,
    hour,
    minute,
    second,
    millisecond: now.getUTCMilliseconds(),
    weekday: new Date(local).getUTCDay(),
    offset: Math.round((local - now.getTime() + now.getUTCMilliseconds()) / 60_000),
    zone: zoneName(now, zone),
  };
}

/** English has short names for a zone only in the places where it is used. */
function zoneName(now: Date, zone: { readonly timeZone?: string }): string {
  const names = ['en-US', 'en-GB', 'en-AU', 'en-NZ', 'en-IN', 'en-ZA'].map(
    (locale) =>
      new Intl.DateTimeFormat(locale, { ...zone, timeZoneName: 'short' }).formatToParts(now).find(({ type }) => type === 'timeZoneName')
        ?.value,
  );
  const name = names.find((each) => each !== undefined && !/[+-]/.test(each)) ?? names[0] ?? '';
  // As Go writes a zone without a name: its hours alone.
  return name.replace(/^GMT(?=[+-])/, '').replace(/^([+-])(\d)(?!\d)/, '$10$2');
}

function timezoneUnknown(timezone: string): Problem {
  return {
    code: 'timezoneUnknown',
    message: `image.tag.dateTime.timezone is ${timezone}, which is not a time zone`,
    hint: 'write it like Europe/Berlin, or UTC',
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}
