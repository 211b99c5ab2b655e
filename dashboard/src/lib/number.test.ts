import { expect, test } from 'vitest';
import { parseNumber, parseNumbers, readable } from './number';

test.each([
  ['+14155550123', '+1 415 555 0123'],
  ['+447700900456', '+44 7700 900456'],
  ['+33612345678', '+33 6 12 34 56 78'],
  ['+4915123456789', '+49 151 23456789'],
  ['+35312345678', '+353 123 45678'],
  ['+237675123456', '+237 675 123 456'],
  ['MyBank', 'MyBank'],
  ['12345', '12345'],
])('%s reads %s', (number, text) => {
  expect(readable(number)).toBe(text);
});

test.each([
  ['+1 (415) 555-0123', '+14155550123'],
  ['0044 7700 900456', '+447700900456'],
  ['12345', '12345'],
  ['hello', null],
  ['+12', null],
  ['', null],
])('%s is taken as %s', (typed, number) => {
  expect(parseNumber(typed)).toBe(number);
});

test('a pasted list gives each number once, and says which are none', () => {
  const { numbers, wrong } = parseNumbers('+14155550123, +1 415 555 0123;+447700900456\nBob\n');
  expect(numbers).toEqual(['+14155550123', '+447700900456']);
  expect(wrong).toEqual(['Bob']);
});
