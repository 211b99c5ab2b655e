import { accessible, expect, picture, test } from '../fixture.ts';
import type { Account, Server } from '../server.ts';
import { encode } from '../../dashboard/node_modules/uqr/dist/index.mjs';

const NUMBER = '+15550100001';
const READABLE = '+1 555 010 0001';

/** Signs a phone in that fetches its wake-ups, and then never does. */
async function signIn(server: Server, account: Account, key = account.key): Promise<void> {
  const body = { phone_number: NUMBER, fcm_token: 'stream:e2e', sim: 'SIM1' };
  await server.call({ ...account, key }, 'PUT', '/v1/phones/fcm-token', body);
}

async function beat(server: Server, account: Account, charging: boolean): Promise<void> {
  const body = { phone_numbers: [NUMBER], charging };
  await server.call(account, 'POST', '/v1/heartbeats', body);
}

/** The dark squares of a QR code with this text, as the page draws them. */
function drawing(text: string): string {
  const rows = encode(text, { border: 2 }).data;
  return rows
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
}

interface Phone {
  id: string;
  messages_per_minute: number;
  missed_call_auto_reply: string | null;
}
const phones = (server: Server, account: Account) =>
  server.call<Phone[]>(account, 'GET', '/v1/phones');

test('the assistant makes a key, shows it as a code, and ticks when the phone is there', async ({
  page,
  server,
  account,
}) => {
  await page.goto('/phones');
  await expect(page.getByText('No phones yet')).toBeVisible();
  await accessible(page);
  await page.getByRole('main').getByRole('link', { name: 'Add phone' }).last().click();

  const name = page.getByLabel('Name of the key');
  await name.fill('');
  await page.getByRole('button', { name: 'Make a key' }).click();
  await expect(page.getByText('This is needed.')).toBeVisible();
  await accessible(page);
  await name.fill('Shop');
  await page.getByRole('button', { name: 'Make a key' }).click();

  await expect(page.getByText('Waiting for the phone to sign in…')).toBeVisible();
  await expect(page.getByRole('img', { name: /QR code/ })).toBeVisible();
  const [key] = await server.call<{ api_key: string }[]>(account, 'GET', '/v1/phone-api-keys');
  await expect(page.getByText(key?.api_key ?? 'none', { exact: true })).toBeVisible();
  await accessible(page);
  // What is drawn is what docs/dashboard.md says: one URI, or the key alone.
  const text = `httpsms://pair?server=${encodeURIComponent(server.url)}&key=${key?.api_key}`;
  const drawn = page.getByRole('img', { name: /QR code/ }).locator('path');
  await expect(drawn).toHaveAttribute('d', drawing(text));
  await page.getByRole('button', { name: 'Key alone' }).click();
  await expect(drawn).toHaveAttribute('d', drawing(key?.api_key ?? ''));
  await page.getByRole('button', { name: 'Simulated phone' }).click();
  await expect(page.getByText(/httpsms phone simulate --server http:/)).toBeVisible();
  // A reload goes on with the same key.
  await page.reload();
  await expect(page.getByText('Waiting for the phone to sign in…')).toBeVisible();

  await signIn(server, account, key?.api_key);
  await expect(page.getByText(`Connected: ${READABLE}`)).toBeVisible();
  await page
    .getByRole('main')
    .getByRole('link', { name: `Show ${READABLE}` })
    .click();
  await expect(page.getByRole('heading', { level: 2, name: READABLE })).toBeVisible();
});

test('health shows whether the phone is there, its power, and its heartbeats', async ({
  page,
  server,
  account,
}) => {
  await signIn(server, account);
  await page.goto(`/phones/${NUMBER}`);
  await expect(page.getByText('No heartbeat yet')).toBeVisible();
  await accessible(page);

  await beat(server, account, false);
  await beat(server, account, true);
  await page.reload();
  await expect(page.getByRole('listitem').getByText('Online')).toBeVisible();
  const beats = page.getByRole('region', { name: 'Heartbeats' });
  await expect(beats.getByRole('row')).toHaveCount(3);
  await expect(beats.getByText('Charging')).toBeVisible();
  await expect(beats.getByText('On battery')).toBeVisible();
  await expect(page.getByText(/There for 100 % of the time, never away/)).toBeVisible();
  await page.getByRole('button', { name: '1 day' }).click();
  await expect(page).toHaveURL(/days=1/);
  await expect(page.getByRole('img', { name: /row for each day/ })).toBeVisible();
  await accessible(page);
});

test('the queue says what waits and why, and follows what happens', async ({
  page,
  server,
  account,
}) => {
  await signIn(server, account);
  await server.call(account, 'PUT', '/v1/phones', {
    phone_number: NUMBER,
    messages_per_minute: 1,
  });
  await page.goto(`/phones/${NUMBER}?tab=queue`);
  await expect(page.getByText('Nothing waits')).toBeVisible();
  const send = (content: string, more: object = {}) =>
    server.call(account, 'POST', '/v1/messages/send', {
      from: NUMBER,
      to: '+14155550101',
      content,
      ...more,
    });
  await send('now');
  await send('then');
  const later = new Date(Date.now() + 3 * 24 * 3600_000).toISOString();
  await send('later', { send_at: later });

  const queue = page.getByRole('region', { name: 'Queue' });
  await expect(
    queue.getByText('It waits for its slot: this phone sends 1 a minute.'),
  ).toBeVisible();
  await expect(queue.getByText('It waits for the time that was asked for.')).toBeVisible();
  await expect(queue.getByText('The phone was woken and has not fetched it yet.')).toBeVisible();
  await expect(page.getByRole('listitem').getByText('3 waiting')).toBeVisible();
  // Times are those of the account, which is not the browser's.
  await expect(queue.getByText(/GMT\+1/)).toHaveCount(0);
  await accessible(page);

  const [message] = await server.call<{ message_id: string }[]>(
    account,
    'GET',
    `/v1/phones/${(await phones(server, account))[0]?.id}/queue`,
  );
  await server.call(account, 'DELETE', `/v1/messages/${message?.message_id}`);
  await expect(page.getByRole('listitem').getByText('2 waiting')).toBeVisible();
  await expect(queue.getByRole('row')).toHaveCount(3);
});

test('settings are kept, a wrong one is named, and a reply can be taken away', async ({
  page,
  server,
  account,
}) => {
  await signIn(server, account);
  await page.goto(`/phones/${NUMBER}?tab=settings`);
  await page.getByLabel('Messages per minute').fill('90');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('.text-bad')).toContainText('Not more than 60.');
  await accessible(page);

  await page.getByRole('textbox', { name: /^Name/ }).fill('Shop');
  await page.getByLabel('Per hour').fill('40');
  await page.getByLabel('Messages per minute').fill('12');
  await page.getByLabel('Tries').fill('3');
  await page.getByLabel('Expires after').fill('120');
  await page.getByLabel('Reply to missed calls').fill('We call back');
  await page.getByLabel('Take threads out of the archive').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Phone saved')).toBeVisible();
  expect((await phones(server, account))[0]).toMatchObject({
    name: 'Shop',
    limit_per_minute: null,
    limit_per_hour: 40,
    messages_per_minute: 12,
    max_send_attempts: 3,
    message_expiration_seconds: 120,
    missed_call_auto_reply: 'We call back',
    unarchive_thread: true,
  });

  await expect(page.getByRole('heading', { level: 2, name: 'Shop' })).toBeVisible();
  // Notes of the server name a phone by its id.
  const id = (await phones(server, account))[0]?.id ?? '';
  await page.goto(`/phones/${id}?tab=settings`);
  await page.getByRole('button', { name: 'Take the reply away' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect
    .poll(async () => (await phones(server, account))[0]?.missed_call_auto_reply)
    .toBeNull();
});

test('a test SMS is followed until it is delivered', async ({ page, server, account }) => {
  await server.phone(account, NUMBER);
  await page.goto(`/phones/${NUMBER}`);
  await page.getByRole('button', { name: 'Send test SMS' }).click();
  const dialog = page.getByRole('dialog', { name: 'Send test SMS' });
  await dialog.getByLabel('To').fill('nobody');
  await dialog.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(dialog.locator('.text-bad')).toBeVisible();
  await accessible(page);
  await dialog.getByLabel('To').fill('+1 (415) 555-0101');
  await dialog.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(dialog.getByText('Delivered')).toBeVisible();
  await dialog.getByRole('link', { name: 'Open the conversation' }).click();
  await expect(page).toHaveURL(/\/inbox\/\+15550100001\/\+14155550101$/);
});

test('a deleted phone can be taken back', async ({ page, server, account }) => {
  await signIn(server, account);
  await page.goto(`/phones/${NUMBER}`);
  const rows = page.getByRole('list', { name: 'Phones' }).getByRole('link');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(rows).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(rows).toHaveCount(1);
  expect(await phones(server, account)).toHaveLength(1);

  await rows.click();
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(rows).toHaveCount(0);
  await page.goto('/docs');
  await expect.poll(() => phones(server, account)).toHaveLength(0);
});

test('what cannot be loaded says so and can be tried again', async ({ page, server, account }) => {
  await signIn(server, account);
  await page.route('**/v1/phones?*', (route) => route.fulfill({ status: 500, body: '{}' }));
  await page.goto('/phones');
  await expect(page.getByText('The server failed at this (500).')).toBeVisible();
  await accessible(page);
  await page.unroute('**/v1/phones?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('list', { name: 'Phones' }).getByRole('link')).toHaveCount(1);
  await page.goto('/phones/+4915100000000');
  await expect(page.getByText('There is no such phone')).toBeVisible();
});

test('pictures of the phones @screenshots', async ({ page, server, account }) => {
  test.slow();
  await server.phone(account, NUMBER);
  await server.silentPhone(account, '+447700900456');
  await page.goto(`/phones/${NUMBER}`);
  await expect(page.getByRole('region', { name: 'Heartbeats' })).toBeVisible();
  await picture(page, 'phone');
  await page.goto(`/phones/${NUMBER}?tab=settings`);
  await expect(page.getByLabel('Tries')).toBeVisible();
  await picture(page, 'phone-settings');
  const [key] = await server.call<{ id: string }[]>(account, 'GET', '/v1/phone-api-keys');
  await page.goto(`/phones/new?key=${key?.id}`);
  await expect(page.getByRole('img', { name: /QR code/ })).toBeVisible();
  await picture(page, 'phone-new');
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`/phones/${NUMBER}`);
  await expect(page.getByRole('region', { name: 'Heartbeats' })).toBeVisible();
  await picture(page, 'phone-small');
});
