// The page in German: what the server says is said in the page's language, too.
import type { Locator, Page } from '@playwright/test';
import { accessible, expect, test } from '../fixture.ts';
import { Receiver } from '../receiver.ts';

const OURS = '+18005550199';
const THEIRS = '+18005550100';

test.use({ locale: 'de-DE' });

/** Words that German does not have. */
const ENGLISH =
  /\b(the|its?|waits?|awaited|field|must|required|needed|phone|has|have|and|came|cannot|reached|woken|slot|wake-up|report|connection|refused|answer|number|valid)\b/i;

async function german(part: Locator): Promise<void> {
  await expect(part).toBeVisible();
  expect(await part.innerText()).not.toMatch(ENGLISH);
}

async function details(page: Page, text: string): Promise<Locator> {
  const bubble = page.getByRole('log').getByRole('article').filter({ hasText: text });
  await bubble.getByRole('button', { name: 'Nachricht' }).click();
  await page.getByRole('menuitem', { name: 'Einzelheiten' }).click();
  return page.getByRole('dialog', { name: 'Einzelheiten' });
}

test('the timeline, what is awaited, and why it failed', async ({ page, server, account }) => {
  // It fetches a message and takes an hour over it.
  await server.phone(account, OURS, '--latency', '1h..1h');
  const send = (content: string, more: object = {}) =>
    server.call<{ id: string }>(account, 'POST', '/v1/messages/send', {
      from: OURS,
      to: THEIRS,
      content,
      ...more,
    });
  const first = await send('Guten Morgen');
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  const log = page.getByRole('log');
  const shown = await details(page, 'Guten Morgen');
  await expect(shown.getByText('Ihr Platz ist')).toBeVisible();
  await expect(shown.getByText(/^Das Telefon (ist geweckt|wird gerade|hat sie)/)).toBeVisible();
  await german(shown);
  await accessible(page);
  await page.keyboard.press('Escape');

  await expect(log.getByText('Wird gesendet')).toBeAttached();
  await server.call(account, 'POST', `/v1/messages/${first.id}/events`, {
    event_name: 'FAILED',
    timestamp: new Date().toISOString(),
    reason: 'NO_SERVICE',
  });
  await expect(log.getByText('Das Telefon hat kein Netz.')).toBeVisible();
  await german(await details(page, 'Guten Morgen'));
  await page.keyboard.press('Escape');

  const later = await send('Bis später', { send_at: new Date(Date.now() + 7.2e6).toISOString() });
  await page.reload();
  const waiting = await details(page, 'Bis später');
  await expect(waiting.getByText('Sie wartet auf die Zeit')).toBeVisible();
  await expect(waiting.getByText('Zu senden am')).toBeVisible();
  await german(waiting);
  await page.keyboard.press('Escape');
  await server.call(account, 'POST', `/v1/messages/${later.id}/cancel`);
  await expect(log.getByText('Sie haben sie abgebrochen.')).toBeVisible();
});

test('the queue of a phone and the reasons of the health', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  const slow = { phone_number: OURS, messages_per_minute: 1 };
  await server.call(account, 'PUT', '/v1/phones', slow);
  for (const content of ['eins', 'zwei']) {
    const message = { from: OURS, to: THEIRS, content };
    await server.call(account, 'POST', '/v1/messages/send', message);
  }
  await page.goto(`/phones/${OURS}?tab=queue`);
  const queue = page.getByRole('region', { name: 'Schlange' });
  await expect(queue.getByText('Dieses Telefon sendet 1 in der Minute.')).toBeVisible();
  await german(queue);

  const webhook = { url: 'http://127.0.0.1:9/x', events: ['message.phone.received'] };
  const made = await server.call<{ id: string }>(account, 'POST', '/v1/webhooks', {
    ...webhook,
    phone_numbers: [OURS],
  });
  await server.call(account, 'POST', `/v1/webhooks/${made.id}/pause`, {});
  await page.reload();
  await page.getByRole('button', { name: /1 Sache/ }).click();
  await german(page.getByRole('link', { name: 'http://127.0.0.1:9/x: angehalten seit' }));
});

test('what is wrong with a form', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await page.goto('/webhooks/new');
  await page.getByLabel('Adresse').fill('http://');
  await page.getByRole('checkbox', { name: 'Ein Telefon empfing eine SMS' }).uncheck();
  await page.getByRole('button', { name: 'Webhook anlegen' }).click();
  const main = page.getByRole('main');
  await expect(
    main.getByText('Eine ganze Adresse, mit https:// oder http:// davor.'),
  ).toBeVisible();
  await expect(main.getByText('Wählen Sie mindestens ein Ereignis.')).toBeVisible();

  await page.goto('/settings/schedules/new');
  await page.getByLabel('Name').fill('x');
  await page.getByRole('button', { name: 'Speichern' }).click();
  await expect(page.getByText('Mindestens 2 Zeichen.')).toBeVisible();
  await accessible(page);
});

test('why a webhook did not get its event', async ({ page, server, account }) => {
  const receiver = await Receiver.start();
  const { url } = receiver;
  await receiver.stop();
  await server.silentPhone(account, OURS);
  const events = ['message.phone.received'];
  const webhook = { url, events, phone_numbers: [OURS] };
  const { id } = await server.call<{ id: string }>(account, 'POST', '/v1/webhooks', webhook);
  await server.incoming(account, THEIRS, OURS, 'Hallo');
  await page.goto(`/webhooks/${id}`);
  const refused = page.getByText('Dort hört niemand zu: Die Verbindung wurde abgelehnt.');
  await expect(refused.filter({ visible: true }).first()).toBeVisible();
});
