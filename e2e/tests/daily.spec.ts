// What a day with the page is made of, beyond the main path of each place.
import type { Page } from '@playwright/test';
import { accessible, expect, test } from '../fixture.ts';

const OURS = '+18005550199';
const THEIRS = '+18005550100';
const OTHER = '+18005550101';

const list = (page: Page) => page.getByRole('list', { name: 'Conversations' });
const log = (page: Page) => page.getByRole('log');
const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

test('a text, its id and a number are copied', async ({ page, context, server, account }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await server.silentPhone(account, OURS);
  await server.incoming(account, THEIRS, OURS, 'copy me');
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  const bubble = log(page).getByRole('article').filter({ hasText: 'copy me' });
  const choose = async (name: string) => {
    await bubble.getByRole('button', { name: 'Message' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
  };
  await choose('Copy text');
  await expect.poll(() => copied(page)).toBe('copy me');
  await choose('Copy ID');
  const path = `/v1/messages?owner=${encodeURIComponent(OURS)}&contact=${encodeURIComponent(THEIRS)}`;
  const [message] = await server.call<{ id: string }[]>(account, 'GET', path);
  await expect.poll(() => copied(page)).toBe(message?.id);
  // Shown for reading, copied as it is dialled.
  await expect(page.getByRole('heading', { name: '+1 800 555 0100' })).toBeVisible();
  await page.getByRole('button', { name: 'More', exact: true }).last().click();
  await page.getByRole('menuitem', { name: 'Copy number' }).click();
  await expect.poll(() => copied(page)).toBe(THEIRS);
});

test('a conversation is marked unread, and its deletion taken back', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, OURS);
  await server.incoming(account, THEIRS, OURS, 'read me twice');
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  await expect(log(page).getByText('read me twice')).toBeVisible();
  await expect(page).toHaveTitle(/^Inbox/);
  const menu = page.getByRole('button', { name: 'More', exact: true }).last();
  await menu.click();
  await page.getByRole('menuitem', { name: 'Mark unread' }).click();
  await expect(page).toHaveTitle(/^\(1\) Inbox/);
  await menu.click();
  await page.getByRole('menuitem', { name: 'Delete conversation' }).click();
  await expect(page).toHaveURL(/\/inbox$/);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(log(page).getByText('read me twice')).toBeVisible();
  const threads = await server.call<unknown[]>(account, 'GET', '/v1/message-threads?all=true');
  expect(threads).toHaveLength(1);
});

test('every place and every list goes by the keyboard', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await server.silentPhone(account, '+18005550198');
  await server.incoming(account, THEIRS, OURS, 'first');
  await server.incoming(account, OTHER, OURS, 'second');
  await page.goto('/inbox');
  await expect(list(page).getByRole('link')).toHaveCount(2);
  const type = async (keys: string) => {
    for (const key of keys.split(' ')) await page.keyboard.press(key);
  };
  await type('j j k Enter');
  await expect(log(page).getByText('second')).toBeVisible();
  await expect(page).toHaveTitle(/^\(1\)/);
  await type('u');
  await expect(page).toHaveTitle(/^\(2\)/);
  await type('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await type('Escape');
  await page.getByRole('heading', { level: 1 }).click();
  await type('c');
  await expect(page).toHaveURL(/\/inbox\/new/);
  await page.getByRole('heading', { level: 1 }).click();
  for (const [keys, address] of [
    ['g w', /\/webhooks$/],
    ['g b', /\/bulk$/],
    ['g s', /\/search$/],
    ['g i', /\/inbox$/],
    ['g p', /\/phones$/],
  ] as const) {
    await type(keys);
    await expect(page).toHaveURL(address);
  }
  // What was marked unread while it was open has stayed so.
  await expect(page).toHaveTitle(/^\(2\)/);
  const phones = page.getByRole('list', { name: 'Phones' }).getByRole('link');
  await expect(phones).toHaveCount(2);
  await type('j');
  await expect(page).toHaveURL(/\/phones\/\+1800555019\d$/);
  const first = page.url();
  await type('j');
  await expect(page).not.toHaveURL(first);
  await type('k');
  await expect(page).toHaveURL(first);
  await type('Escape');
  await expect(page).toHaveURL(/\/phones$/);
  await type('n');
  await expect(page).toHaveURL(/\/phones\/new$/);
});

test('Ctrl K finds people, messages, phones, webhooks, settings and actions from anywhere', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, OURS);
  await server.incoming(account, THEIRS, OURS, 'the blue bicycle is ready');
  await server.incoming(account, THEIRS, OURS, 'thanks');
  await server.call(account, 'POST', '/v1/webhooks', {
    url: `${server.url}/hooks/bicycle`,
    signing_key: '',
    phone_numbers: [OURS],
    events: ['message.phone.received'],
  });
  await page.goto('/search');
  // Keys are heard from then on.
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  const input = page.getByRole('combobox', { name: 'Search or command' });
  const find = async (text: string, name: string | RegExp) => {
    await page.keyboard.press('Control+k');
    await input.fill(text);
    await page.getByRole('option', { name }).first().click();
  };
  await find('bicycle', /the blue bicycle is ready/);
  await expect(page).toHaveURL(/\/inbox\/\+18005550199\/\+18005550100$/);
  await find('bicycle', /hooks\/bicycle/);
  await expect(page).toHaveURL(/\/webhooks\/[0-9a-f-]{36}$/);
  await find('0199', /^\+1 800 555 0199$/);
  await expect(page).toHaveURL(/\/phones\/\+18005550199$/);
  await find('retent', 'Retention');
  await expect(page).toHaveURL(/\/settings\/retention$/);
  await find('new mess', 'New message');
  await expect(page).toHaveURL(/\/inbox\/new$/);
  await page.getByRole('heading', { level: 1 }).click();
  await find('0100', /\+1 800 555 0100/);
  await expect(page).toHaveURL(/\/inbox\/\+18005550199\/\+18005550100$/);
  await page.keyboard.press('Control+k');
  await input.fill('xyzzy');
  await expect(page.getByText('Nothing fits.')).toBeVisible();
  await accessible(page);
});

test('the first steps tick themselves off', async ({ page, server, account }) => {
  await page.goto('/inbox');
  const steps = page
    .getByRole('listitem')
    .filter({ hasText: /Create your account|Connect a phone|first message|Add a webhook/ });
  const done = steps.filter({ has: page.getByLabel('Done') });
  await expect(steps).toHaveCount(4);
  await expect(done).toHaveCount(1);
  await server.silentPhone(account, OURS);
  await expect(done).toHaveCount(2);
  await server.call(account, 'POST', '/v1/messages/send', { from: OURS, to: THEIRS, content: 'x' });
  await expect(done).toHaveCount(3);
  await server.call(account, 'POST', '/v1/webhooks', {
    url: `${server.url}/hook`,
    signing_key: '',
    phone_numbers: [OURS],
    events: ['message.phone.received'],
  });
  await page.reload();
  await expect(list(page).getByRole('link')).toHaveCount(1);
  await expect(page.getByText('First steps')).toBeHidden();
});

test('links of other documents lead to what they meant', async ({ page }) => {
  for (const [from, to] of [
    ['/settings#webhook-settings', /\/webhooks$/],
    ['/settings#phones', /\/phones$/],
    ['/settings#send-schedules', /\/settings\/schedules$/],
    ['/settings#email-notifications', /\/settings\/notifications$/],
    ['/settings#discord-settings', /\/settings\/integrations$/],
    ['/bulk-messages', /\/bulk$/],
    ['/search-messages', /\/search$/],
    ['/phone-api-keys', /\/settings\/phone-keys$/],
  ] as const) {
    await page.goto('/docs');
    await page.goto(from);
    await expect(page, from).toHaveURL(to);
  }
});

test('nothing is wider than a small screen', async ({ page, server, account }) => {
  test.slow();
  await page.setViewportSize({ width: 360, height: 740 });
  await server.silentPhone(account, OURS);
  await server.incoming(account, THEIRS, OURS, `a${'long'.repeat(40)}word`);
  for (const address of [
    '/inbox',
    `/inbox/${OURS}/${THEIRS}`,
    '/inbox/new',
    '/webhooks',
    '/webhooks/new',
    '/phones',
    `/phones/${OURS}`,
    '/phones/new',
    '/bulk',
    '/search',
    '/settings/profile',
    '/settings/notifications',
    '/settings/integrations',
    '/settings/usage',
    '/settings/retention',
    '/settings/schedules/new',
  ]) {
    await page.goto(address);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, address).toBeLessThanOrEqual(360);
  }
});

test('without a bot the page says how to get Discord', async ({ page }) => {
  await page.goto('/settings/integrations');
  await page.getByLabel('Name').fill('Shop');
  await page.getByLabel('Server ID').fill('1');
  await page.getByLabel('Channel for received messages (ID)').fill('2');
  await page.getByRole('button', { name: 'Connect Discord' }).click();
  await expect(
    page
      .getByRole('main')
      .getByText(/Discord bot/)
      .first(),
  ).toBeVisible();
  await accessible(page);
});
