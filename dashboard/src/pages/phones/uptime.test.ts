import { expect, test } from 'vitest';
import type { PhoneHealth } from '$/api/schema';
import { DAY, gapsOf, HOUR, hoursOf, intervalsOf, knownOf, partOf, presenceOf } from './uptime';

const start = Date.parse('2026-03-02T00:00:00Z');
const at = (hours: number) => new Date(start + hours * HOUR).toISOString();
const health = (gaps: [number, number | null][], buckets: number[]) =>
  ({
    gaps: gaps.map(([from, to]) => ({ from: at(from), to: to === null ? null : at(to) })),
    buckets: buckets.map((from) => ({ from: at(from), beats: 4 })),
  }) as PhoneHealth;

test('the server says offline, the latest heartbeat says late', () => {
  const phone = { online: true, last_heartbeat_at: at(0) };
  const beat = { timestamp: at(0) };
  expect(presenceOf({ online: true, last_heartbeat_at: null }, undefined, start)).toBe('unheard');
  expect(presenceOf(phone, beat, start + HOUR / 3)).toBe('online');
  expect(presenceOf(phone, undefined, start + 0.7 * HOUR)).toBe('late');
  expect(presenceOf(phone, beat, start + 1.1 * HOUR)).toBe('offline');
  expect(presenceOf({ ...phone, online: false }, beat, start)).toBe('offline');
});

test('gaps are cut to the time that is shown, and an open one lasts', () => {
  const within = { from: start + 2 * HOUR, to: start + 10 * HOUR };
  expect(
    gapsOf(
      health(
        [
          [9, null],
          [1, 3],
          [0, 1],
        ],
        [],
      ),
      within,
    ),
  ).toEqual([
    { from: start + 9 * HOUR, to: start + 10 * HOUR },
    { from: start + 2 * HOUR, to: start + 3 * HOUR },
  ]);
});

test('what is known begins with the first heartbeat or gap', () => {
  const within = { from: start, to: start + 10 * HOUR };
  expect(knownOf(health([], [6, 5]), within).from).toBe(start + 5 * HOUR);
  expect(knownOf(health([[-3, 2]], [2]), within).from).toBe(start);
  expect(knownOf(health([], []), within).from).toBe(within.to);
});

test('a part is what no gap takes', () => {
  const span = { from: start, to: start + 4 * HOUR };
  expect(partOf([{ from: start, to: start + HOUR }], span)).toBe(0.75);
  expect(partOf([], { from: start, to: start })).toBeNull();
});

test('hours before the first heartbeat are not known', () => {
  const within = { from: start, to: start + 3 * HOUR };
  const known = { from: start + HOUR, to: start + 3 * HOUR };
  const gaps = [{ from: start + 2 * HOUR, to: start + 2.5 * HOUR }];
  expect(hoursOf(gaps, within, known).map((cell) => cell.part)).toEqual([null, 1, 0.5]);
  expect(hoursOf([], { from: start, to: start + DAY }, known)).toHaveLength(24);
});

test('intervals in minutes, newest first', () => {
  const beats = [0.75, 0.25, 0].map((hours) => ({ timestamp: at(hours) }));
  expect(intervalsOf(beats)).toEqual([30, 15, null]);
});
