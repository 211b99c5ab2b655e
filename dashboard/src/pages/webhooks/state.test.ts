import { expect, test } from 'vitest';
import type { Delivery, Health, Webhook } from '$/api/schema';
import { BARS, barsOf, conditionOf, inFlight, splitUrl, waitOf } from './state';

const webhook = (changes: Partial<Webhook> = {}) =>
  ({ paused_at: null, pause_reason: null, failing_since: null, ...changes }) as Webhook;
const health = (attempts: number, success_rate: number) => ({ attempts, success_rate }) as Health;
const delivery = (changes: Partial<Delivery>) =>
  ({ state: 'waiting', attempts: 0, next_attempt_at: null, ...changes }) as Delivery;
const time = '2026-03-02T09:00:00Z';
const now = Date.parse(time);

test.each([
  [webhook({ paused_at: time, pause_reason: 'asked', failing_since: time }), 'paused'],
  [webhook({ paused_at: time, pause_reason: 'failing' }), 'stopped'],
  [webhook({ failing_since: time }), 'failing'],
  [webhook(), 'well'],
])('what is worst is said first', (one, condition) => {
  expect(conditionOf(one, health(10, 1))).toBe(condition);
});

test('success decides when nothing fails now', () => {
  expect(conditionOf(webhook(), undefined)).toBe('unused');
  expect(conditionOf(webhook(), health(0, 1))).toBe('unused');
  expect(conditionOf(webhook(), health(100, 0.9))).toBe('shaky');
});

test('a wait says what it is for', () => {
  const later = '2026-03-02T09:00:04Z';
  const retrying = delivery({ state: 'retrying', attempts: 2, next_attempt_at: later });
  expect(waitOf(retrying, webhook(), now)).toEqual({
    why: 'retry',
    at: later,
    attempt: 3,
    tries: 5,
  });
  const paused = webhook({ paused_at: time });
  expect(waitOf(retrying, paused, now)).toEqual({ why: 'paused', since: time });
  expect(waitOf(delivery({}), webhook({ ordering: 'contact' }), now)).toEqual({ why: 'turn' });
  expect(waitOf(delivery({}), webhook(), now)).toEqual({ why: 'soon', at: null });
  expect(waitOf(delivery({ state: 'failed' }), webhook(), now)).toBeNull();
});

test('bars begin with the oldest, and a failed one is full', () => {
  const list = [
    delivery({ state: 'failed', duration_us: 10 }),
    delivery({ state: 'delivered', duration_us: 600 }),
  ];
  const bars = barsOf(list, (one) => one.state);
  expect(bars).toHaveLength(BARS);
  expect(bars.slice(-2).map((bar) => [bar.label, bar.value, bar.tone])).toEqual([
    ['delivered', 600, 'good'],
    ['failed', 600, 'bad'],
  ]);
});

test('nothing moves by itself while a webhook is paused', () => {
  expect(inFlight([delivery({})], webhook())).toBe(true);
  expect(inFlight([delivery({})], webhook({ paused_at: time }))).toBe(false);
  expect(inFlight([delivery({ state: 'failed' })], webhook())).toBe(false);
});

test('an address in two parts', () => {
  expect(splitUrl('https://example.com/a?b=1')).toEqual({ host: 'example.com', path: '/a?b=1' });
  expect(splitUrl('no address')).toEqual({ host: 'no address', path: '' });
});
