// What Ctrl K asks for beside places and people. Loaded when it is opened for the first time.
import { api, call } from '$/api/client';
import { readable } from '$/lib/number';
import { addSource, fits } from '$/lib/palette.svelte';
import { queries } from '$/lib/query';
import { places, router } from '$/lib/router.svelte';
import { session } from '$/lib/session.svelte';
import * as phones from '$/pages/phones/data';
import { names } from '$/pages/settings/sections';
import * as webhooks from '$/pages/webhooks/data';
import { words } from '$/words';

addSource((text) => {
  const fitting = names(session.user?.admin ?? false).filter((one) =>
    fits(words.settings.section[one], text),
  );
  return Promise.resolve(
    fitting.map((one) => ({
      id: `settings-${one}`,
      label: words.settings.section[one],
      group: words.settings.title,
      run: () => router.go(places.settings(one)),
    })),
  );
});

addSource(async (text) => {
  const wanted = text.replace(/\s/g, '');
  return phones
    .kept(await queries.fetchQuery(phones.phones()))
    .filter((one) => one.phone_number.includes(wanted) || fits(one.name ?? '', text))
    .map((one) => ({
      id: `phone-${one.id}`,
      label: phones.nameOf(one),
      hint: one.name ? readable(one.phone_number) : undefined,
      group: words.phones.title,
      run: () => router.go(places.phone(one.phone_number)),
    }));
});

addSource(async (text) =>
  webhooks
    .kept(await queries.fetchQuery(webhooks.webhooks()))
    .filter((one) => fits(one.url, text))
    .map(({ id, url }) => ({
      id: `webhook-${id}`,
      label: url,
      group: words.webhooks.title,
      run: () => router.go(places.webhook(id)),
    })),
);

addSource(async (text) => {
  const query = { query: text, limit: 5 };
  const found = await call(api.GET('/v1/messages/search', { params: { query } }));
  return found
    .filter((one) => one.content && !one.encrypted)
    .map((one) => ({
      id: `message-${one.id}`,
      label: one.content,
      hint: readable(one.contact),
      group: words.frame.messages,
      run: () => router.go(places.thread(one.owner, one.contact)),
    }));
});
