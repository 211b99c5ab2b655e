import { expect, test } from 'vitest';
import { quotaOf } from './quota';

const cycle = (sent_messages: number, received_messages: number, message_quota: number | null) =>
  quotaOf({
    sent_messages,
    received_messages,
    message_quota,
    end_timestamp: '2026-12-01T00:00:00Z',
  });

test('a quota is for what was sent and received together, and warns from four fifths on', () => {
  expect(cycle(5, 5, null)).toBeUndefined();
  expect(cycle(3, 4, 10)).toEqual({
    used: 7,
    most: 10,
    state: 'well',
    until: '2026-12-01T00:00:00Z',
  });
  expect(cycle(4, 4, 10)?.state).toBe('near');
  expect(cycle(7, 2, 10)?.state).toBe('near');
  expect(cycle(4, 6, 10)?.state).toBe('spent');
  // What comes in is taken beyond it.
  expect(cycle(4, 60, 10)).toMatchObject({ used: 64, state: 'spent' });
});
