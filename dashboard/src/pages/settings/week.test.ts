import { expect, test } from 'vitest';
import {
  fromWindows,
  isOpen,
  nextHours,
  onWeekdays,
  problemOf,
  summary,
  toWindows,
  usual,
} from './week';

const hours = (from: string, to: string) => ({ from, to });
const window = (day_of_week: number, start_minute: number, end_minute: number) => ({
  day_of_week,
  start_minute,
  end_minute,
});

test('windows become hours and the same windows again, midnight included', () => {
  const windows = [window(0, 0, 1440), window(1, 540, 720), window(1, 780, 1020)];
  const week = fromWindows(windows);
  expect(week[0]).toEqual([hours('00:00', '00:00')]);
  expect(week[1]).toEqual([hours('09:00', '12:00'), hours('13:00', '17:00')]);
  expect(toWindows(week)).toEqual(windows);
});

test.each([
  [[hours('09:00', '12:00'), hours('12:00', '17:00')], undefined],
  [[hours('12:00', '17:00'), hours('09:00', '12:00')], undefined],
  [[hours('22:00', '00:00')], undefined],
  [[hours('09:00', '12:00'), hours('11:59', '17:00')], 'overlap'],
  [[hours('22:00', '00:00'), hours('23:00', '23:30')], 'overlap'],
  [[hours('12:00', '12:00')], 'order'],
  [[hours('17:00', '09:00')], 'order'],
  [[hours('', '09:00')], 'order'],
  [Array.from({ length: 7 }, (_, at) => hours(`0${at}:00`, `0${at}:30`)), 'many'],
])('%j: %s', (day, problem) => {
  expect(problemOf(day)).toBe(problem);
});

test('new hours come after those that are there', () => {
  expect(nextHours([])).toEqual(hours('09:00', '17:00'));
  expect(nextHours([hours('09:00', '12:00')])).toEqual(hours('12:00', '14:00'));
  expect(nextHours([hours('09:00', '23:00')])).toEqual(hours('23:00', '00:00'));
});

test('hours of one day are put on all weekdays as copies', () => {
  const week = onWeekdays(fromWindows([window(2, 60, 120), window(6, 0, 60)]), 2);
  expect(week.map((day) => day.length)).toEqual([0, 1, 1, 1, 1, 1, 1]);
  expect(week[3]?.[0]).not.toBe(week[2]?.[0]);
});

test('it is open by the clock of the zone, on the day on which it is changed too', () => {
  const windows = [window(0, 120, 240)];
  const at = (text: string) => isOpen(windows, 'Europe/Berlin', Date.parse(text));
  // On 29 March 2026 the clock jumps from two to three, on 25 October it is half past two twice.
  expect(at('2026-03-29T00:59:00Z')).toBe(false);
  expect(at('2026-03-29T01:00:00Z')).toBe(true);
  expect(at('2026-03-29T01:59:00Z')).toBe(true);
  expect(at('2026-03-29T02:00:00Z')).toBe(false);
  expect(at('2026-10-25T00:30:00Z')).toBe(true);
  expect(at('2026-10-25T01:30:00Z')).toBe(true);
  expect(at('2026-10-25T03:00:00Z')).toBe(false);
});

test('days with the same hours are told together', () => {
  expect(summary([...toWindows(usual()), window(0, 600, 720)])).toEqual([
    [1, 5, '09:00–17:00'],
    [0, 0, '10:00–12:00'],
  ]);
});
