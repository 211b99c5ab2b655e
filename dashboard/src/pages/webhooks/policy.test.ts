import { expect, test } from 'vitest';
import type { Webhook } from '$/api/schema';
import { draftOf, newKey, putOf, triesOf } from './policy';

const kept: Webhook = {
  id: '0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006',
  user_id: 'u',
  url: 'https://example.com/hook',
  signing_key: 'secret',
  next_signing_key: null,
  signing_keys: [],
  events: ['message.phone.sent'],
  phone_numbers: ['+15550100001'],
  all_phone_numbers: false,
  headers: ['X-Tenant'],
  retry_schedule: [5, 60],
  ordering: 'contact',
  mode: 'binary',
  max_per_second: 50,
  max_concurrency: null,
  sign_body: true,
  catch_up: true,
  filter: { contacts: ['+15550100002', 'MyBank'], content: 'code', sims: ['SIM1'], directions: [] },
  failing_since: null,
  paused_at: null,
  pause_reason: null,
  created_at: '2026-03-02T09:00:00Z',
  updated_at: '2026-03-02T09:00:00Z',
};

test('a webhook that is saved unchanged is sent with all that it had', () => {
  expect(putOf(draftOf(kept), false)).toEqual({
    url: 'https://example.com/hook',
    events: ['message.phone.sent'],
    phone_numbers: ['+15550100001'],
    all_phone_numbers: false,
    retry_schedule: [5, 60],
    ordering: 'contact',
    mode: 'binary',
    max_per_second: 50,
    sign_body: true,
    catch_up: true,
    filter: {
      contacts: ['+15550100002', 'MyBank'],
      content: 'code',
      sims: ['SIM1'],
      directions: [],
    },
  });
});

test('a new one covers all phones and has a key of its own', () => {
  const put = putOf(draftOf(), true);
  expect(put.all_phone_numbers).toBe(true);
  expect(put.phone_numbers).toBeUndefined();
  expect(put.signing_key).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(put.headers).toEqual({});
  expect(newKey()).not.toBe(newKey());
});

test('waits are taken as typed, and what is none is left for the server to refuse', () => {
  const draft = { ...draftOf(), retry: 'own' as const, waits: '5, 60;600 soon' };
  expect(putOf(draft, true).retry_schedule).toEqual([5, 60, 600, 'soon']);
});

test('headers without a name are left out, and none at all removes them', () => {
  const headers = [
    { name: ' X-Tenant ', value: 'seven' },
    { name: '', value: 'lost' },
  ];
  expect(putOf({ ...draftOf(kept), headers }, false).headers).toEqual({ 'X-Tenant': 'seven' });
  expect(putOf({ ...draftOf(kept), headers: [] }, false).headers).toEqual({});
});

test('tries count the first one', () => {
  expect(triesOf('documented')).toBe(5);
  expect(triesOf(undefined)).toBe(5);
  expect(triesOf([1, 2, 3])).toBe(4);
  expect(triesOf([])).toBe(1);
});
