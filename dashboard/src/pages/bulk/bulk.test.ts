import { expect, test } from 'vitest';
import { fileName, guess, isTemplate, settled, type BulkMessage } from './bulk';

test.each([
  [
    ['FromPhoneNumber', 'ToPhoneNumber', 'Content', 'SendTime(optional)'],
    [1, 2, 0, 3],
  ],
  [
    ['Name', 'Mobile', 'Message text', 'Date'],
    [1, 2, undefined, 3],
  ],
  [
    ['phone', 'sms'],
    [0, 1, undefined, undefined],
  ],
  [
    ['Empfänger', 'Nachricht', 'Absender'],
    [0, 1, 2, undefined],
  ],
  [
    ['a', 'b'],
    [undefined, undefined, undefined, undefined],
  ],
])('%j is read by its names', (columns, [to, content, from, time]) => {
  const mapping = guess(columns);
  expect([mapping.to, mapping.content, mapping.from, mapping.send_time]).toEqual([
    to,
    content,
    from,
    time,
  ]);
});

test('no column is taken twice', () => {
  const mapping = guess(['message time', 'message', 'number']);
  expect(mapping).toEqual({ send_time: 0, content: 1, to: 2 });
});

test('the template is known by its three names', () => {
  expect(isTemplate([' ToPhoneNumber', 'Content', 'FromPhoneNumber', 'x'])).toBe(true);
  expect(isTemplate(['ToPhoneNumber', 'Content'])).toBe(false);
});

test('a request id shows the name of its file', () => {
  expect(fileName('bulk-VCspwvs-march-promo.csv')).toBe('march-promo.csv');
  expect(fileName('bulk-mine')).toBe('bulk-mine');
});

test('what waits is not settled', () => {
  const one = { total: 10, pending_count: 3, scheduled_count: 2 } as BulkMessage;
  expect(settled(one)).toBe(5);
});
