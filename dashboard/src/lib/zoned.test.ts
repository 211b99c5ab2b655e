import { expect, test } from 'vitest';
import { fromInput, toInput } from './zoned';

test('a typed time is of the zone, in summer and in winter', () => {
  expect(fromInput('2026-03-02T09:15', 'Europe/Berlin')).toBe('2026-03-02T08:15:00.000Z');
  expect(fromInput('2026-07-02T09:15', 'Europe/Berlin')).toBe('2026-07-02T07:15:00.000Z');
  expect(toInput('2026-07-02T07:15:00Z', 'Europe/Berlin')).toBe('2026-07-02T09:15');
});

test('nothing typed is no time', () => {
  expect(fromInput('', 'UTC')).toBeNull();
  expect(fromInput('tomorrow', 'UTC')).toBeNull();
});
