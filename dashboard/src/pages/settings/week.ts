// Hours of the week, as a person writes them and as the API takes them.

/** As the API has it: 0 is Sunday, minutes after midnight, the end not included. */
export interface Window {
  day_of_week: number;
  start_minute: number;
  end_minute: number;
}
/** Two texts of the clock, as inputs of times have them. */
export interface Hours {
  from: string;
  to: string;
}
/** Hours by the day, 0 is Sunday. */
export type Week = Hours[][];
export type Problem = 'order' | 'overlap' | 'many';

export const DAY = 1440;
/** Windows on one day at most. */
const MOST = 6;
/** As a week is read: Monday first. */
export const DAYS = [1, 2, 3, 4, 5, 6, 0] as const;
const WEEKDAYS = [1, 2, 3, 4, 5];

/** `09:30` is 570; `null` if it is no time. */
export function minutes(text: string): number | null {
  const [, hours, minute] = /^([01]\d|2[0-3]):([0-5]\d)/.exec(text) ?? [];
  return hours === undefined ? null : Number(hours) * 60 + Number(minute);
}

/** 570 is `09:30`; the end of the day is `00:00`. */
export function clockText(minute: number): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
}

/** Start and end; midnight as an end is that of the next day. */
function span({ from, to }: Hours): [number, number] | null {
  const [start, end] = [minutes(from), minutes(to)];
  return start === null || end === null ? null : [start, end || DAY];
}

export function fromWindows(windows: readonly Window[]): Week {
  const week: Week = Array.from({ length: 7 }, () => []);
  for (const { day_of_week, start_minute, end_minute } of windows) {
    week[day_of_week]?.push({ from: clockText(start_minute), to: clockText(end_minute) });
  }
  return week;
}

/** In the order of the API; what is no time is left out. */
export function toWindows(week: Week): Window[] {
  return week
    .flatMap((day, day_of_week) =>
      day.flatMap((hours) => {
        const found = span(hours);
        return found ? [{ day_of_week, start_minute: found[0], end_minute: found[1] }] : [];
      }),
    )
    .sort((a, b) => a.day_of_week - b.day_of_week || a.start_minute - b.start_minute);
}

/** What is wrong with one day; hours that touch are fine. */
export function problemOf(day: readonly Hours[]): Problem | undefined {
  if (day.length > MOST) return 'many';
  const spans = day.map(span);
  if (spans.some((one) => one === null || one[1] <= one[0])) return 'order';
  const sorted = spans.filter((one) => one !== null).sort((a, b) => a[0] - b[0]);
  const late = sorted.some(([start], at) => start < (sorted[at - 1]?.[1] ?? 0));
  return late ? 'overlap' : undefined;
}

/** Hours to begin with, after those that are there. */
export function nextHours(day: readonly Hours[]): Hours {
  const last = day.map(span).at(-1);
  if (!last || last[1] > DAY - 60) return { from: '09:00', to: '17:00' };
  return { from: clockText(last[1]), to: clockText(Math.min(DAY, last[1] + 120)) };
}

/** The same hours from Monday to Friday. */
export function onWeekdays(week: Week, day: number): Week {
  const hours = week[day] ?? [];
  return week.map((own, at) => (WEEKDAYS.includes(at) ? hours.map((one) => ({ ...one })) : own));
}

/** Mondays to Fridays, nine to five. */
export function usual(): Week {
  return onWeekdays(fromWindows([{ day_of_week: 1, start_minute: 540, end_minute: 1020 }]), 1);
}

/** Whether it is within the windows, by the clock of a zone. */
export function isOpen(windows: readonly Window[], zone: string, now: number): boolean {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
  }).formatToParts(now);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(part('weekday'));
  const minute = Number(part('hour')) * 60 + Number(part('minute'));
  return windows.some(
    (one) => one.day_of_week === day && one.start_minute <= minute && minute < one.end_minute,
  );
}

/** The days with their hours, neighbours with the same ones together: `[1, 5, '09:00–17:00']`. */
export function summary(windows: readonly Window[]): [number, number, string][] {
  const text = (day: number) =>
    windows
      .filter((one) => one.day_of_week === day)
      .map((one) => `${clockText(one.start_minute)}–${clockText(one.end_minute)}`)
      .join(', ');
  const found: [number, number, string][] = [];
  for (const day of DAYS) {
    const last = found.at(-1);
    if (last && last[2] === text(day)) last[1] = day;
    else found.push([day, day, text(day)]);
  }
  return found.filter(([, , hours]) => hours);
}
