// What goes away with an account, counted.
import { api, call } from '$/api/client';
import { count } from '$/lib/time.svelte';
import { apiKeys } from './data';

export interface Loss {
  name: 'messages' | 'phones' | 'webhooks' | 'schedules' | 'keys';
  /** As it is read; a plus where the server counts no further. */
  size: string;
}

/** Lists are short; the server counts messages up to this. */
const COUNTED = 10_000;
const ALL = { params: { query: { limit: 1000 } } };

async function messages(): Promise<number> {
  const query = { limit: 1, count: true };
  const request = api.GET('/v1/messages/search', { params: { query } });
  await call(request);
  return Number((await request).response.headers.get('x-total-count') ?? 0);
}

export async function losses(): Promise<Loss[]> {
  const [said, phones, webhooks, schedules, keys, phoneKeys] = await Promise.all([
    messages(),
    call(api.GET('/v1/phones', ALL)),
    call(api.GET('/v1/webhooks', ALL)),
    call(api.GET('/v1/send-schedules')),
    apiKeys(),
    call(api.GET('/v1/phone-api-keys', ALL)),
  ]);
  const sizes: [Loss['name'], string][] = [
    ['messages', said >= COUNTED ? `${count(COUNTED)}+` : count(said)],
    ['phones', count(phones.length)],
    ['webhooks', count(webhooks.length)],
    ['schedules', count(schedules.length)],
    // The account's own key is one of them.
    ['keys', count(keys.length + phoneKeys.length + 1)],
  ];
  return sizes.filter(([, size]) => size !== '0').map(([name, size]) => ({ name, size }));
}
