import { expect, test } from 'vitest';
import type { Message } from '$/api/schema';
import { holdOf, inOrder } from './queue';

const now = Date.parse('2026-03-02T09:00:00Z');
const later = '2026-03-02T09:05:00Z';
const before = '2026-03-02T08:55:00Z';
const message = (changes: Partial<Message>) =>
  ({
    status: 'scheduled',
    scheduled_at: null,
    scheduled_send_time: null,
    last_attempted_at: null,
    send_attempt_count: 0,
    max_send_attempts: 2,
    ...changes,
  }) as Message;

test.each([
  [message({ scheduled_send_time: later }), { why: 'asked', at: later }],
  [message({ scheduled_at: later }), { why: 'slot', at: later }],
  [message({ scheduled_at: later, scheduled_send_time: before }), { why: 'slot', at: later }],
  [
    message({ scheduled_at: before, send_attempt_count: 1 }),
    { why: 'woken', attempt: 1, tries: 2 },
  ],
  [message({ status: 'sending', last_attempted_at: before }), { why: 'phone', since: before }],
])('says what it waits for', (one, hold) => {
  expect(holdOf(one, 'online', before, now)).toEqual(hold);
});

test('a phone that is away holds what is due, not what is not', () => {
  const due = message({ scheduled_at: before });
  expect(holdOf(due, 'away', before, now)).toEqual({ why: 'away', since: before });
  expect(holdOf(message({ scheduled_at: later }), 'away', before, now).why).toBe('slot');
});

test('what leaves next comes first', () => {
  const [a, b] = [
    message({ id: 'a', scheduled_at: later }),
    message({ id: 'b', scheduled_at: before }),
  ];
  expect(inOrder([a, b]).map((one) => one.id)).toEqual(['b', 'a']);
});
