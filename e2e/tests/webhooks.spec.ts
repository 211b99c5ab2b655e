import type { Page } from '@playwright/test';
import { accessible, expect, picture, test as base } from '../fixture.ts';
import { Receiver } from '../receiver.ts';
import type { Account, Server } from '../server.ts';

const test = base.extend<{ receiver: Receiver }>({
  receiver: async ({}, use) => {
    const receiver = await Receiver.start();
    await use(receiver);
    await receiver.stop();
  },
});

const OWNER = '+15550100001';

interface Hook {
  id: string;
  signing_key: string;
}

/** A webhook of all phones for incoming messages, made by the API. */
function hook(server: Server, account: Account, url: string, more: object = {}): Promise<Hook> {
  return server.call(account, 'POST', '/v1/webhooks', {
    url,
    events: ['message.phone.received'],
    all_phone_numbers: true,
    ...more,
  });
}

const log = (page: Page) => page.getByRole('region', { name: 'Deliveries' });

test('a webhook is added, wrong input named, and a test event shows both sides', async ({
  page,
  receiver,
}) => {
  await page.goto('/webhooks');
  await expect(page.getByText('No webhooks yet')).toBeVisible();
  await accessible(page);

  await page.getByRole('main').getByRole('link', { name: 'Add webhook' }).first().click();
  await page.getByLabel('Address').fill('http://');
  await page.getByRole('checkbox', { name: 'A phone received an SMS' }).uncheck();
  await page.getByRole('button', { name: 'Add webhook' }).click();
  await expect(page.getByText('A whole address, with https:// or http:// in front.')).toBeVisible();
  await expect(page.getByText('Choose at least one event.')).toBeVisible();
  await accessible(page);

  await page.getByLabel('Address').fill(receiver.url);
  await page.getByRole('checkbox', { name: 'A phone received an SMS' }).check();
  await page.getByRole('checkbox', { name: 'An SMS was delivered' }).check();
  const key = await page.getByLabel('Signing key').inputValue();
  await page.getByRole('button', { name: 'Make another' }).click();
  await expect(page.getByLabel('Signing key')).not.toHaveValue(key);
  await page.getByRole('button', { name: 'Add webhook' }).click();

  await expect(page.getByText('Nothing was sent yet')).toBeVisible();
  await page.getByRole('button', { name: 'Send test event' }).click();
  await page.getByRole('menuitem', { name: 'message.phone.delivered' }).click();
  await expect(page).toHaveURL(/\/webhooks\/[-\w]+\/deliveries\/\d+$/);
  await expect(page.getByText('Delivered', { exact: true }).first()).toBeVisible();
  const request = page.getByRole('region', { name: 'Request' });
  await expect(request).toContainText(`POST ${receiver.url}`);
  await expect(request).toContainText('"type": "message.phone.delivered"');
  await expect(page.getByRole('region', { name: 'Response' })).toContainText('x-receiver: e2e');
  expect(receiver.got[0]?.headers['webhook-signature']).toMatch(/^v1,/);
  await accessible(page);
});

test('payload samples follow what is chosen, and all numbers are also those to come', async ({
  page,
  receiver,
  server,
  account,
}) => {
  await server.silentPhone(account, '+15550100001');
  await page.goto('/webhooks/new');
  await page.getByLabel('Address').fill(receiver.url);
  await page.getByText('What is sent').click();
  const sample = page.locator('details pre').last();
  await expect(sample).toContainText('"type": "message.phone.received"');
  await expect(sample).toContainText('+15550100001');
  await page.getByRole('checkbox', { name: 'An SMS was delivered' }).check();
  await page.getByLabel('Event', { exact: true }).selectOption('message.phone.delivered');
  await expect(sample).toContainText('"type": "message.phone.delivered"');
  await accessible(page);
  await page.getByRole('radio', { name: 'All, also those to come' }).check();
  await page.getByRole('button', { name: 'Add webhook' }).click();
  await expect(page.getByText('Nothing was sent yet')).toBeVisible();
  // A phone that comes later is covered, too.
  await server.silentPhone(account, '+15550100002');
  await server.incoming(account, '+15550100003', '+15550100002', 'from the new one');
  await expect.poll(() => receiver.got.length).toBe(1);
  expect(receiver.got[0]?.body).toContain('from the new one');
});

test('an unknown number and a wrong filter are named beside their fields', async ({
  page,
  server,
  account,
  receiver,
}) => {
  await server.silentPhone(account, OWNER);
  await page.goto('/webhooks/new');
  await page.getByLabel('Address').fill(receiver.url);
  await page.getByLabel('Only these').check();
  await page.getByLabel('+1 555 010 0001').check();
  const [phone] = await server.call<{ id: string }[]>(account, 'GET', '/v1/phones');
  await server.call(account, 'DELETE', `/v1/phones/${phone?.id}`);
  await page.getByRole('button', { name: 'Add webhook' }).click();
  await expect(page.getByText(`${OWNER} is no phone of this account.`)).toBeVisible();

  await page.getByLabel('All, also those to come').check();
  await page.getByText('Options', { exact: true }).click();
  await page.getByLabel('Text (optional)').fill('(');
  await page.getByLabel('Requests per second').fill('0');
  await page.getByText('Options', { exact: true }).click();
  await page.getByRole('button', { name: 'Add webhook' }).click();
  // The folded part opens where something in it is wrong.
  await expect(page.getByText('Not a regular expression')).toBeVisible();
  await expect(page.getByText('From 1 to 100000.')).toBeVisible();
});

test('options are kept, and a change leaves the others as they are', async ({
  page,
  server,
  account,
  receiver,
}) => {
  const made = await hook(server, account, receiver.url, {
    headers: { 'X-Tenant': 'seven' },
    filter: { contacts: ['MyBank'] },
    ordering: 'contact',
  });
  await page.goto(`/webhooks/${made.id}/edit`);
  await page.getByLabel('Tries again').selectOption('A schedule of its own');
  await page.getByLabel('Waits in seconds').fill('5, 60, 600');
  await page.getByLabel('Requests per second').fill('50');
  await page.getByLabel('Sign the body in the token too').check();
  await accessible(page);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Webhook saved')).toBeVisible();
  await page.getByRole('link', { name: 'Settings and payloads' }).click();
  const about = page.getByRole('main');
  await expect(about.getByText('5 s, 1 min, 10 min')).toBeVisible();
  await expect(about.getByText('50 per second')).toBeVisible();
  await expect(about.getByText('X-Tenant')).toBeVisible();
  await expect(about.getByText('MyBank')).toBeVisible();
  await expect(about.getByText('One after the other for each contact')).toBeVisible();
  await expect(about.getByText('"type": "message.phone.received"')).toBeVisible();
  await accessible(page);
  const kept = await server.call<{ signing_key: string }>(
    account,
    'GET',
    `/v1/webhooks/${made.id}`,
  );
  expect(kept.signing_key).toBe(made.signing_key);
});

test('the log follows what happens, says why something waits, and filters by address', async ({
  page,
  server,
  account,
  receiver,
}) => {
  await server.silentPhone(account, OWNER);
  const made = await hook(server, account, receiver.url, { retry_schedule: [3600] });
  await page.goto(`/webhooks/${made.id}`);
  await expect(page.getByText('Nothing was sent yet')).toBeVisible();

  receiver.status = 503;
  await server.incoming(account, '+14155550101', OWNER, 'first');
  await expect(log(page).getByText(/try 2 of 2 at/)).toBeVisible();
  await expect(log(page).getByText('Retrying')).toBeVisible();
  await expect(page.getByRole('listitem').getByText('Failing')).toBeVisible();

  receiver.status = 200;
  await server.incoming(account, '+14155550101', OWNER, 'second');
  await expect(log(page).getByText('Delivered')).toBeVisible();
  await accessible(page);

  await page.getByLabel('State').selectOption('Delivered');
  await expect(page).toHaveURL(/state=delivered/);
  await expect(log(page).getByText('Retrying')).toBeHidden();
  await page.reload();
  await expect(log(page).getByText('Delivered')).toBeVisible();
  await page.getByLabel('State').selectOption('Failed');
  await expect(page.getByText('No delivery fits')).toBeVisible();
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(log(page).getByText('Retrying')).toBeVisible();

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('Paused by you')).toBeVisible();
  await expect(log(page).getByText('the webhook is paused')).toBeVisible();
  await server.incoming(account, '+14155550101', OWNER, 'third');
  await page.getByLabel('State').selectOption('Waiting');
  await expect(log(page).getByText('the webhook is paused')).toBeVisible();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('Paused by you')).toBeHidden();
  await expect(page.getByText('No delivery fits')).toBeVisible();
});

test('one delivery and many are replayed, with progress', async ({
  page,
  server,
  account,
  receiver,
}) => {
  await server.silentPhone(account, OWNER);
  const made = await hook(server, account, receiver.url);
  receiver.status = 400;
  for (const text of ['one', 'two', 'three']) {
    await server.incoming(account, '+14155550101', OWNER, text);
  }
  await page.goto(`/webhooks/${made.id}?state=failed`);
  await expect(log(page).getByText('Failed')).toHaveCount(3);

  receiver.status = 200;
  await log(page).getByRole('link', { name: 'message.phone.received' }).first().click();
  await expect(page.getByText('Given up; a replay sends it once more.')).toBeVisible();
  const before = page.url();
  await page.getByRole('button', { name: 'Replay', exact: true }).click();
  await expect(page).not.toHaveURL(before);
  await expect(page.getByText('Delivered', { exact: true }).first()).toBeVisible();
  expect(receiver.got.at(-1)?.headers['webhook-replay']).toBe('true');

  await page.goto(`/webhooks/${made.id}?state=failed`);
  await page.getByRole('button', { name: 'Replay failed ones…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Replay…' });
  await expect(dialog.getByLabel('What was given up')).toBeChecked();
  await accessible(page);
  await dialog.getByRole('button', { name: 'Start replay' }).click();
  await expect(page.getByText('Replay done')).toBeVisible();
  await expect(page.getByText(/3 queued · 3 delivered · 0 failed/)).toBeVisible();
});

test('a replay is cancelled, and what waited of it is withdrawn', async ({
  page,
  server,
  account,
  receiver,
}) => {
  await server.silentPhone(account, OWNER);
  const made = await hook(server, account, receiver.url);
  await server.incoming(account, '+14155550101', OWNER, 'one');
  await expect.poll(() => receiver.got.length).toBe(1);
  await page.goto(`/webhooks/${made.id}`);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Replay…' }).click();
  await page.getByLabel('All that happened, delivered or not').check();
  await page.getByRole('button', { name: 'Start replay' }).click();
  await expect(page.getByText('Replay: everything is on its way')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel replay' }).click();
  await expect(page.getByText('Replay cancelled')).toBeVisible();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('Paused by you')).toBeHidden();
  expect(receiver.got).toHaveLength(1);
});

test('a key is shown, changed with an overlap, and there is code to verify', async ({
  page,
  server,
  account,
  receiver,
}) => {
  const made = await hook(server, account, receiver.url);
  await page.goto(`/webhooks/${made.id}?tab=key`);
  const main = page.getByRole('main');
  await expect(main.getByText(made.signing_key)).toBeHidden();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(main.getByText(made.signing_key)).toBeVisible();

  await page.getByRole('button', { name: 'Change key…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change key…' });
  await dialog.getByLabel('New key', { exact: true }).fill('k'.repeat(256));
  await dialog.getByRole('button', { name: 'Change key…' }).click();
  await expect(dialog.locator('.text-bad')).toBeVisible();
  await dialog.getByRole('button', { name: 'Make another' }).click();
  const next = await dialog.getByLabel('New key', { exact: true }).inputValue();
  await accessible(page);
  await dialog.getByRole('button', { name: 'Change key…' }).click();
  await expect(dialog).toBeHidden();
  await expect(main.getByText(next)).toBeVisible();
  const keys = page.getByRole('region', { name: 'Signing keys' });
  await expect(keys.getByText('Next', { exact: true })).toBeVisible();

  for (const [language, piece] of [
    ['Laravel', 'hash_equals'],
    ['Python', 'hmac.compare_digest'],
    ['Go', 'hmac.Equal'],
    ['Rust', 'hmac::verify'],
    ['Express', 'timingSafeEqual'],
  ] as const) {
    await page.getByRole('button', { name: language, exact: true }).click();
    await expect(main.getByText(piece)).toBeVisible();
  }
  await accessible(page);
});

test('a deleted webhook can be taken back, and is gone when the page is left', async ({
  page,
  server,
  account,
  receiver,
}) => {
  const made = await hook(server, account, receiver.url);
  const row = page.getByRole('list', { name: 'Webhooks' }).getByRole('link');
  const list = () => server.call<unknown[]>(account, 'GET', '/v1/webhooks?limit=10');
  await page.goto(`/webhooks/${made.id}`);
  const remove = async () => {
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect(row).toHaveCount(0);
  };
  await remove();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row).toHaveCount(1);
  expect(await list()).toHaveLength(1);

  await row.click();
  await remove();
  await page.goto('/docs');
  await expect.poll(list).toHaveLength(0);
});

test('a server that does not answer is named, and what is on screen stays', async ({
  page,
  server,
  account,
  receiver,
}) => {
  const made = await hook(server, account, receiver.url);
  await page.route('**/v1/webhooks?*', (route) => route.abort());
  await page.goto('/webhooks');
  await expect(page.getByText('This could not be loaded')).toBeVisible();
  await accessible(page);
  await page.unroute('**/v1/webhooks?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('list', { name: 'Webhooks' }).getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(made.id));
  await expect(page.getByText('Nothing was sent yet')).toBeVisible();

  await page.route('**/pause', (route) => route.abort());
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('The server does not answer.')).toBeVisible();
  await expect(page.getByText('Nothing was sent yet')).toBeVisible();

  await page.goto('/webhooks/00000000-0000-4000-8000-000000000000');
  await expect(page.getByText('There is no such webhook')).toBeVisible();
  await page.goto(`/webhooks/${made.id}/deliveries/999999`);
  await expect(page.getByText('This could not be loaded')).toBeVisible();
});

test('pictures of the webhooks @screenshots', async ({ page, server, account, receiver }) => {
  test.slow();
  await server.silentPhone(account, OWNER);
  const made = await hook(server, account, receiver.url);
  await hook(server, account, receiver.url.replace('hook', 'backup'), {
    events: ['message.call.missed'],
  });
  for (const status of [200, 200, 400, 200, 200]) {
    receiver.status = status;
    const before = receiver.got.length;
    await server.incoming(account, '+14155550101', OWNER, 'On my way');
    await expect.poll(() => receiver.got.length).toBeGreaterThan(before);
  }
  await page.goto(`/webhooks/${made.id}`);
  await expect(log(page).getByText('Delivered')).toHaveCount(4);
  await picture(page, 'webhook');
  await log(page).getByRole('link').first().click();
  await expect(page.getByRole('region', { name: 'Response' })).toBeVisible();
  await picture(page, 'delivery');
  await page.goto('/webhooks/new');
  await expect(page.getByLabel('Address')).toBeVisible();
  await picture(page, 'webhook-new');
  await page.goto(`/webhooks/${made.id}?tab=key`);
  await expect(page.getByText('Verify requests')).toBeVisible();
  await picture(page, 'webhook-key');
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto('/webhooks');
  await expect(page.getByRole('list', { name: 'Webhooks' }).getByRole('link')).toHaveCount(2);
  await picture(page, 'webhooks-small');
});
