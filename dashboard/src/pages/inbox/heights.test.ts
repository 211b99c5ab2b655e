import { expect, test } from 'vitest';
import { GUESS, offsets, rowAt } from './heights';

test('rows are where the heights before them put them', () => {
  const edges = offsets(
    ['a', 'b', 'c'],
    new Map([
      ['a', 10],
      ['c', 30],
    ]),
  );
  expect([...edges]).toEqual([0, 10, 10 + GUESS, 40 + GUESS]);
  expect([0, 9, 10, 9 + GUESS, 10 + GUESS, 5000].map((at) => rowAt(edges, at))).toEqual([
    0, 0, 1, 1, 2, 2,
  ]);
  expect(rowAt(offsets([], new Map()), 0)).toBe(0);
});
