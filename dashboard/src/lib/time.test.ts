import { expect, test } from 'vitest';

const { fromLocal, toLocal } = await import('./time.svelte');

test.each([
  ['2026-03-04T09:15', 'Europe/Berlin', '2026-03-04T08:15:00.000Z'],
  ['2026-07-04T09:15', 'Europe/Berlin', '2026-07-04T07:15:00.000Z'],
  ['2026-03-04T09:15', 'Asia/Kolkata', '2026-03-04T03:45:00.000Z'],
  ['2026-03-04T23:30', 'America/New_York', '2026-03-05T04:30:00.000Z'],
  // Comes twice: the first.
  ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
  // Left out: as far behind the gap as it is in it.
  ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
])('%s in %s is %s', (local, zone, time) => {
  expect(fromLocal(local, zone)).toBe(time);
});

test('there and back again', () => {
  const time = Date.parse('2026-11-27T20:30:00Z');
  expect(Date.parse(fromLocal(toLocal(time, 'Asia/Tokyo'), 'Asia/Tokyo'))).toBe(time);
});
