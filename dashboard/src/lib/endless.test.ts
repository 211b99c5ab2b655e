import { expect, test } from 'vitest';
import { joined, put } from './endless.svelte';

const at = (id: string, second: number) => ({
  id,
  order_timestamp: new Date(second * 1000).toISOString(),
});

test('what the head no longer has is gone, what is older stays', () => {
  const earlier = [at('d', 40), at('c', 30), at('b', 20), at('a', 10)];
  const head = [at('e', 50), at('d', 40), at('b', 20)];
  expect(joined(head, earlier, false).map((item) => item.id)).toEqual(['e', 'd', 'b', 'a']);
});

test('one that moved up is shown once', () => {
  const earlier = [at('c', 30), at('b', 20), at('a', 10)];
  const head = [at('a', 60), at('c', 30)];
  expect(joined(head, earlier, false).map((item) => item.id)).toEqual(['a', 'c', 'b']);
});

test('without a common one the earlier ones are dropped, for there may be a gap', () => {
  expect(joined([at('z', 90)], [at('a', 10)], false).map((item) => item.id)).toEqual(['z']);
});

test('a head that is the whole list replaces everything', () => {
  expect(joined([at('a', 10)], [at('b', 20), at('a', 10)], true)).toHaveLength(1);
});

test('a changed one stays in its place, a new one goes where its time is', () => {
  const list = [at('c', 30), at('b', 20), at('a', 10)];
  const ids = (item: ReturnType<typeof at>) => put(list, item).map((one) => one.id);
  expect(ids(at('b', 20))).toEqual(['c', 'b', 'a']);
  expect(ids(at('b', 40))).toEqual(['b', 'c', 'a']);
  expect(ids(at('x', 25))).toEqual(['c', 'x', 'b', 'a']);
  expect(ids(at('y', 50))).toEqual(['y', 'c', 'b', 'a']);
  expect(ids(at('z', 5))).toEqual(['c', 'b', 'a', 'z']);
});
