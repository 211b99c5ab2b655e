import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Endless, Far, joined, put, renewed } from './endless.svelte';

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

test('a piece takes the place of what was there, and what it lacks is gone', () => {
  const list = [at('f', 60), at('e', 50), at('d', 40), at('c', 30), at('b', 20)];
  const ids = (piece: string, before: string, end = false) =>
    renewed(
      list,
      [...piece].map((id) => at(id, 10 * (id.charCodeAt(0) - 96))),
      list.find((one) => one.id === before),
      end,
    ).map((one) => one.id);
  expect(ids('edc', 'f').join('')).toBe('fedcb');
  expect(ids('ec', 'f').join('')).toBe('fecb');
  expect(ids('ed', '').join('')).toBe('edcb');
  expect(ids('e', 'f', true).join('')).toBe('fe');
  // All that was there is gone, and the piece is older.
  expect(ids('a', 'd').join('')).toBe('feda');
  // The one before it went away meanwhile: nothing is known then.
  expect(renewed(list, [at('a', 10)], at('x', 55), false)).toHaveLength(5);
});

/** A server with so many, newest first, which answers at once unless it is broken. */
class Stored {
  broken = false;
  asked = 0;
  constructor(readonly all: ReturnType<typeof at>[]) {}
  read = async (limit: number, _time?: string, id?: string) => {
    this.asked++;
    await Promise.resolve();
    if (this.broken) throw new Error('broken');
    const from = id ? this.all.findIndex((one) => one.id === id) + 1 : 0;
    return this.all.slice(from, from + limit);
  };
}

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => at(`${count - index}`, count - index));

/** Until nothing is being read. */
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Looks at ten rows, further and further down, until the end. */
async function toTheEnd(list: Endless<ReturnType<typeof at>>): Promise<void> {
  for (let tries = 0; tries < 500 && !list.complete; tries++) {
    list.see(list.items.length - 10, list.items.length - 1);
    await settled();
  }
}

const kept = (list: Endless<ReturnType<typeof at>>) =>
  list.items.filter((item) => !(item instanceof Far)).length;

test('it is read to its end, and only what is near to the view is kept', async () => {
  const stored = new Stored(many(10_000));
  const list = new Endless(stored.read);
  await settled();
  await toTheEnd(list);
  expect(list.items.map((item) => item.id)).toEqual(stored.all.map((item) => item.id));
  expect(kept(list)).toBeLessThanOrEqual(2000);
  expect(list.items[5000]).toBeInstanceOf(Far);

  list.see(5000, 5010);
  await settled();
  expect(list.items.slice(5000, 5011)).toEqual(stored.all.slice(5000, 5011));
  expect(list.items).toHaveLength(10_000);
  expect(kept(list)).toBeLessThanOrEqual(2000);
  list.close();
});

test('what could not be read is tried again by itself', async () => {
  const stored = new Stored(many(500));
  const list = new Endless(stored.read);
  await settled();
  stored.broken = true;
  list.see(40, 49);
  await settled();
  expect(list.fault?.message).toBe('broken');
  // Not each time that somebody scrolls.
  const asked = stored.asked;
  list.see(41, 49);
  await settled();
  expect(stored.asked).toBe(asked);
  stored.broken = false;
  await vi.advanceTimersByTimeAsync(5000);
  expect(list.fault).toBeUndefined();
  expect(list.items).toHaveLength(250);
  await toTheEnd(list);
  expect(list.items).toHaveLength(500);
  list.close();
});

test('a head that fails to come is asked for again, and closed it asks no more', async () => {
  const stored = new Stored(many(60));
  const list = new Endless(stored.read);
  await settled();
  stored.broken = true;
  void list.refresh();
  await settled();
  stored.broken = false;
  stored.all.unshift(at('new', 100));
  await vi.advanceTimersByTimeAsync(5000);
  expect(list.has('new')).toBe(true);

  stored.broken = true;
  void list.refresh();
  await settled();
  const asked = stored.asked;
  list.close();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(stored.asked).toBe(asked);
});

test('after so much news that the earlier ones are dropped, the oldest can be reached again', async () => {
  const stored = new Stored(many(300));
  const list = new Endless(stored.read);
  await settled();
  await toTheEnd(list);
  list.see(0, 9);
  for (let second = 301; second <= 400; second++) stored.all.unshift(at(`${second}`, second));
  void list.refresh();
  await settled();
  expect(list.complete).toBe(false);
  await toTheEnd(list);
  expect(list.items.at(-1)?.id).toBe('1');
  expect(list.items).toHaveLength(400);
  list.close();
});
