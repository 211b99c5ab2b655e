import { expect, test } from 'vitest';
import { DAY, gapsOf, HOUR, hoursOf, intervalsOf, presenceOf, uptimeOf } from './uptime';

const start = Date.parse('2026-03-02T00:00:00Z');
const beats = (...minutes: number[]) =>
  minutes.map((minute) => ({ timestamp: new Date(start + minute * 60_000).toISOString() }));

test('a missed beat is quiet, an hour of silence is away', () => {
  const beat = beats(0)[0];
  expect(presenceOf(undefined, start)).toBe('unheard');
  expect(presenceOf(beat, start + 20 * 60_000)).toBe('online');
  expect(presenceOf(beat, start + 40 * 60_000)).toBe('quiet');
  expect(presenceOf(beat, start + 61 * 60_000)).toBe('away');
});

test('gaps lie between beats that are more than an hour apart, and after the last one', () => {
  const within = { from: start, to: start + 6 * HOUR };
  const gaps = gapsOf(beats(0, 15, 30, 150, 165), within);
  expect(gaps).toEqual([
    { from: start + 30 * 60_000, to: start + 150 * 60_000 },
    { from: start + 165 * 60_000, to: start + 360 * 60_000 },
  ]);
  expect(gapsOf([], within)).toEqual([]);
});

test('a gap that began earlier is cut where the time begins', () => {
  const within = { from: start + HOUR, to: start + 3 * HOUR };
  expect(gapsOf(beats(0, 150), within)).toEqual([{ from: start + HOUR, to: start + 150 * 60_000 }]);
});

test('uptime is the part of what is known', () => {
  const known = { from: start, to: start + 4 * HOUR };
  expect(uptimeOf([{ from: start, to: start + HOUR }], known)).toBe(0.75);
  expect(uptimeOf([], known)).toBe(1);
  expect(uptimeOf([], { from: start, to: start })).toBeNull();
});

test('hours before the first beat are not known', () => {
  const within = { from: start, to: start + 3 * HOUR };
  const known = { from: start + HOUR, to: start + 3 * HOUR };
  const gaps = [{ from: start + 2 * HOUR, to: start + 2.5 * HOUR }];
  expect(hoursOf(gaps, within, known).map((cell) => cell.part)).toEqual([null, 1, 0.5]);
  expect(hoursOf([], { from: start, to: start + DAY }, known)).toHaveLength(24);
});

test('intervals in minutes, newest first', () => {
  expect(intervalsOf(beats(45, 15, 0))).toEqual([30, 15, null]);
});
