import { expect, test } from 'vitest';
import { bytes, segments } from './segments';

// The table of the server's own test.
test.each([
  ['', 'GSM-7', 0, 1],
  ['a'.repeat(160), 'GSM-7', 160, 1],
  ['a'.repeat(161), 'GSM-7', 161, 2],
  ['a'.repeat(306), 'GSM-7', 306, 2],
  ['a'.repeat(307), 'GSM-7', 307, 3],
  ['€'.repeat(80), 'GSM-7', 160, 1],
  ['€'.repeat(81), 'GSM-7', 162, 2],
  ['€'.repeat(153), 'GSM-7', 306, 3],
  ['ж'.repeat(70), 'UCS-2', 70, 1],
  ['ж'.repeat(71), 'UCS-2', 71, 2],
  ['😀'.repeat(35), 'UCS-2', 70, 1],
  ['😀'.repeat(67), 'UCS-2', 134, 3],
  ['ç', 'UCS-2', 1, 1],
])('%s takes %s, %i units, %i parts', (text, encoding, units, count) => {
  expect(segments(text)).toMatchObject({ encoding, units, count });
});

test('what is left counts down to the next segment', () => {
  expect(segments('a'.repeat(150)).left).toBe(10);
  expect(segments('a'.repeat(161)).left).toBe(153 - 8);
});

test('bytes are those of UTF-8', () => {
  expect(bytes('aä€😀')).toBe(1 + 2 + 3 + 4);
});
