import { expect, test } from 'vitest';
import { joined } from './endless.svelte';

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
