// Names of days in the language on screen.
import { locale } from '$/words';

/** 0 is Sunday: `Mon`, or `Monday`. */
export function dayName(day: number, long = false): string {
  // 4 January 1970 was a Sunday.
  const date = new Date(Date.UTC(1970, 0, 4 + day));
  const weekday = long ? 'long' : 'short';
  return new Intl.DateTimeFormat(locale(), { weekday, timeZone: 'UTC' }).format(date);
}

/** A day as the API has it, `2026-03-04`: `4 Mar`. */
export function shortDay(day: string | undefined): string {
  if (!day) return '';
  const date = new Date(`${day}T00:00:00Z`);
  const options = { day: 'numeric', month: 'short', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locale(), options).format(date);
}
