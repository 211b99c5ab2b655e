import { expect, test } from 'vitest';
import { GUESS, Layout, rowAt } from './heights';

const rows = (ids: string) => [...ids].map((id) => ({ id }));

test('rows are where the heights before them put them', () => {
  const layout = new Layout();
  const abc = rows('abc');
  expect([...layout.edges(abc)]).toEqual([0, GUESS, 2 * GUESS, 3 * GUESS]);
  expect(layout.measure('a', 10, 0)).toBe(true);
  expect(layout.measure('c', 30, 7)).toBe(true);
  expect(layout.measure('c', 30, 2)).toBe(false);
  const edges = layout.edges(abc);
  expect([...edges]).toEqual([0, 10, 10 + GUESS, 40 + GUESS]);
  expect([0, 9, 10, 9 + GUESS, 10 + GUESS, 5000].map((at) => rowAt(edges, at))).toEqual([
    0, 0, 1, 1, 2, 2,
  ]);
  expect(rowAt(new Layout().edges([]), 0)).toBe(0);
});

test('heights go with their rows when others come, go and change places', () => {
  const layout = new Layout();
  layout.edges(rows('abcd'));
  for (const [at, id] of [...'abcd'].entries()) layout.measure(id, 10 * (at + 1), at);
  expect([...layout.edges(rows('abcd'))]).toEqual([0, 10, 30, 60, 100]);
  expect([...layout.edges(rows('acbd'))]).toEqual([0, 10, 40, 60, 100]);
  expect([...layout.edges(rows('xacbd'))]).toEqual([
    0,
    GUESS,
    GUESS + 10,
    GUESS + 40,
    GUESS + 60,
    GUESS + 100,
  ]);
  expect([...layout.edges(rows('ad'))]).toEqual([0, 10, 50]);
  expect([...layout.edges(rows('adbc'))]).toEqual([0, 10, 50, 70, 100]);
});

test('there is room for many', () => {
  const many = Array.from({ length: 5000 }, (_, at) => ({ id: `${at}` }));
  const layout = new Layout();
  layout.edges(many.slice(0, 900));
  expect(layout.edges(many).at(-1)).toBe(5000 * GUESS);
  layout.measure('4999', 1, 4999);
  expect(layout.edges(many).at(-1)).toBe(4999 * GUESS + 1);
});
