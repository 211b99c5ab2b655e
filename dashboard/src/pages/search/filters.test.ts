import { expect, test } from 'vitest';
import { asked, dayStart, narrow, read, write } from './filters';

const address = (text: string) => read(new URLSearchParams(text));

test('an address says what is looked for, and is written back the same', () => {
  const text =
    'query=%23hi&owners=%2B14155550123%2C%2B447700900456&types=call%2Fmissed' +
    '&statuses=failed%2Cexpired&since=2026-03-01&until=2026-03-02&sort=contact&order=desc';
  const filters = address(text);
  expect(filters).toMatchObject({
    query: '#hi',
    owners: ['+14155550123', '+447700900456'],
    types: ['call/missed'],
    statuses: ['failed', 'expired'],
    since: '2026-03-01',
    until: '2026-03-02',
    sort: 'contact',
    descending: true,
  });
  const pairs = Object.entries(write(filters)).map(([name, value]) => [name, value ?? '']);
  expect(new URLSearchParams(pairs).toString()).toBe(text);
});

test('what nobody knows is left out, and the newest are first', () => {
  const filters = address('types=sms&statuses=lost&since=yesterday&sort=size');
  expect(filters).toMatchObject({ types: [], statuses: [], since: '', sort: 'created_at' });
  expect(filters.descending).toBe(true);
  expect(narrow(filters)).toBe(false);
  expect(Object.values(write(filters)).every((value) => value === null)).toBe(true);
  expect(address('sort=status').descending).toBe(false);
});

test.each([
  ['2026-01-15', 'Europe/Berlin', '2026-01-14T23:00:00.000Z'],
  ['2026-07-15', 'Europe/Berlin', '2026-07-14T22:00:00.000Z'],
  // The days on which the clock is changed, and those after them.
  ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
  ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
  ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z'],
  ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
  ['2026-03-04', 'Asia/Kathmandu', '2026-03-03T18:15:00.000Z'],
  ['2026-03-04', 'America/St_Johns', '2026-03-04T03:30:00.000Z'],
  ['2026-03-04', 'Pacific/Kiritimati', '2026-03-03T10:00:00.000Z'],
  // Midnight did not happen.
  ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
])('%s in %s begins at %s', (day, zone, instant) => {
  expect(dayStart(day, zone)).toBe(instant);
});

test('the last day is within', () => {
  const { since, until } = asked(address('since=2026-03-01&until=2026-03-01'), 'UTC');
  expect([since, until]).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z']);
});
