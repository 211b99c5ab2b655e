// Times, always in the account's zone: relative in lists, exact with seconds and zone elsewhere.
import { locale } from '$/words';
import { preferences } from './preferences.svelte';

let zone = $state(Intl.DateTimeFormat().resolvedOptions().timeZone);
let now = $state(Date.now());
setInterval(() => (now = Date.now()), 15_000);

/** The account's zone; the browser's until it is known, or when the browser does not know it. */
export function keepZone(name: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    zone = name;
  } catch {
    // The browser's own stays.
  }
}

export function zoneName(): string {
  return zone;
}

/** Follows the clock in steps of some seconds. */
export function currentTime(): number {
  return now;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const hours = preferences.hours.value;
  const key = `${name} ${locale()} ${zone} ${hours}`;
  let found = formats.get(key);
  if (!found) {
    const hour12 = options.hour && hours !== 'auto' ? hours === '12' : undefined;
    found = new Intl.DateTimeFormat(locale(), { timeZone: zone, hour12, ...options });
    formats.set(key, found);
  }
  return found;
}

/** `4 Mar 2026, 09:15:28 CET` */
export function exact(time: string): string {
  return format('exact', {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(new Date(time));
}

/** A sentence of the server with its times as people read them. */
export function withTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, exact);
}

/** `09:15`, or with seconds `09:15:28` */
export function clock(time: string, seconds = false): string {
  const second = seconds ? ('2-digit' as const) : undefined;
  const options = { hour: '2-digit', minute: '2-digit', second } as const;
  return format(`clock${seconds}`, options).format(new Date(time));
}

/** `Wednesday, 4 March`, with the year when it is another one. */
export function day(time: string): string {
  const date = new Date(time);
  const sameYear = yearOf(date) === yearOf(new Date(now));
  return format(`day${sameYear}`, {
    weekday: 'long',
    month: 'long',
    day: 'numeric',
    year: sameYear ? undefined : 'numeric',
  }).format(date);
}

/** The same text for all times of one day in the account's zone: `2026-03-04`. */
export function dayKey(time: string): string {
  const options = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  const parts = format('key', options).formatToParts(new Date(time));
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

function yearOf(date: Date): string {
  return format('year', { year: 'numeric' }).format(date);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `5 min. ago`, `in 2 hr.`; the date when it is more than a week away. */
export function relative(time: string): string {
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  const away = Math.abs(seconds);
  if (away > 7 * 86_400) return shortDate(time);
  const words = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' });
  for (const [unit, size] of STEPS) {
    if (away >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return words.format(0, 'second');
}

/** `4 Mar`, with the year when it is another one. */
export function shortDate(time: string): string {
  const date = new Date(time);
  const sameYear = yearOf(date) === yearOf(new Date(now));
  return format(`short${sameYear}`, {
    month: 'short',
    day: 'numeric',
    year: sameYear ? undefined : 'numeric',
  }).format(date);
}

/** `1,234` */
export function count(number: number): string {
  return new Intl.NumberFormat(locale()).format(number);
}

/** `3.4 s`, `12 min`, `2 h 5 min` */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

/** What a clock of the account's zone showed at a time, as inputs have it: `2026-03-04T09:15`. */
export function toLocal(time: number, inZone = zone): string {
  const options = { timeZone: inZone, hourCycle: 'h23', ...NUMERIC } as const;
  const parts = new Intl.DateTimeFormat('en', options).formatToParts(time);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '00';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

const NUMERIC = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
} as const;

/**
 * The time at which clocks of the account's zone show `2026-03-04T09:15`. In the hour that comes
 * twice it is the first; one that is left out counts on from before the gap.
 */
export function fromLocal(local: string, inZone = zone): string {
  const wanted = Date.parse(`${local}Z`);
  const offset = (time: number) => Date.parse(`${toLocal(time, inZone)}Z`) - time;
  // The offsets of the day before and the day after are the only candidates.
  const [before, after] = [offset(wanted - 86_400_000), offset(wanted + 86_400_000)];
  const fitting = [before, after].filter((one) => offset(wanted - one) === one);
  return new Date(wanted - (fitting.length ? Math.max(...fitting) : before)).toISOString();
}

/** The day of a time that is about days of UTC, such as of a billing period: `4 Mar 2026`. */
export function utcDate(time: string): string {
  const options = { dateStyle: 'medium', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locale(), options).format(new Date(time));
}
