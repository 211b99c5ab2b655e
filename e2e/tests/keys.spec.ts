// Every key that the page promises.
import type { Page } from '@playwright/test';
import { expect, test } from '../fixture.ts';

const OURS = '+18005550199';
const ANNA = '+18005550101';
const BOB = '+18005550102';

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

test('g and a letter goes to each place', async ({ page }) => {
  await page.goto('/webhooks');
  await expect(page.getByText('No webhooks yet')).toBeVisible();
  // The search comes last: there one writes at once.
  const places = [
    ['i', 'inbox'],
    ['w', 'webhooks'],
    ['p', 'phones'],
    ['b', 'bulk'],
    [',', 'settings'],
    ['s', 'search'],
  ] as const;
  for (const [key, place] of places) {
    await press(page, 'g', key);
    await expect(page).toHaveURL(new RegExp(`/${place}(/|$)`));
  }
});

test('the inbox: j, k, Enter, r, Escape, u, e, c and /', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await server.incoming(account, ANNA, OURS, 'from Anna');
  await server.incoming(account, BOB, OURS, 'from Bob');
  await page.goto('/inbox');
  const list = page.getByRole('list', { name: 'Conversations' });
  const log = page.getByRole('log');
  await expect(list.getByRole('link')).toHaveCount(2);
  // Down twice, up once: Bob, the newest.
  await press(page, 'j', 'j', 'k', 'Enter');
  await expect(log.getByText('from Bob')).toBeVisible();
  await expect(list.getByRole('link').first()).not.toContainText('unread');
  await press(page, 'r');
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeFocused();
  // Where one writes, letters are letters.
  await press(page, 'j', 'e');
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('je');
  await press(page, 'Escape');
  await expect(page).toHaveURL(/\/inbox$/);
  await press(page, 'u');
  await expect(list.getByRole('link').first()).toContainText('unread');
  await press(page, 'e');
  await expect(list.getByRole('link')).toHaveCount(1);
  await press(page, '/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('anna');
  await expect(page).toHaveURL(/anna/);
  await page.goto('/inbox');
  await expect(list.getByRole('link')).toHaveCount(1);
  await press(page, 'c');
  await expect(page).toHaveURL(/\/inbox\/new/);
});

test('webhooks and phones: j, k, n and Escape', async ({ page, server, account }) => {
  for (const number of [OURS, ANNA]) await server.silentPhone(account, number);
  const made: string[] = [];
  for (const path of ['a', 'b']) {
    const body = { url: `http://127.0.0.1:9/${path}`, events: ['message.phone.received'] };
    const webhook = { ...body, phone_numbers: [OURS] };
    const { id } = await server.call<{ id: string }>(account, 'POST', '/v1/webhooks', webhook);
    made.push(id);
  }
  for (const place of ['webhooks', 'phones']) {
    await page.goto(`/${place}`);
    await expect(page.getByRole('main').getByRole('listitem').first()).toBeVisible();
    await press(page, 'j');
    await expect(page).toHaveURL(new RegExp(`/${place}/.+`));
    const first = page.url();
    await expect(page.getByRole('heading', { level: 2 }).last()).toBeVisible();
    await press(page, 'Escape');
    await expect(page).toHaveURL(new RegExp(`/${place}$`));
    await press(page, 'n');
    await expect(page).toHaveURL(new RegExp(`/${place}/new`));
    await page.goto(first);
  }
  expect(made).toHaveLength(2);
});

test('search: /, j, x and Enter', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await server.incoming(account, ANNA, OURS, 'an apple');
  await server.incoming(account, ANNA, OURS, 'a pear');
  await page.goto('/search');
  await expect(page.getByText('2 messages')).toBeVisible();
  await press(page, 'j', 'x');
  await expect(page.getByText('1 selected')).toBeVisible();
  await press(page, 'x');
  await expect(page.getByText('1 selected')).toBeHidden();
  await press(page, '/');
  await page.keyboard.type('apple');
  await expect(page.getByText('1 message', { exact: true })).toBeVisible();
  await press(page, 'Escape');
  await page.getByRole('heading', { level: 1 }).click();
  await press(page, 'j', 'Enter');
  await expect(page).toHaveURL(new RegExp(`/inbox/\\${OURS}/\\${ANNA}`));
});

test('menus open, move, act and close, and give the focus back', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, OURS);
  await server.incoming(account, ANNA, OURS, 'hello');
  await page.goto(`/inbox/${OURS}/${ANNA}`);
  const button = page.getByRole('article').getByRole('button', { name: 'Message' });
  for (const opens of ['Enter', 'ArrowDown', 'Space']) {
    await button.focus();
    await press(page, opens);
    await expect(page.getByRole('menuitem').first()).toBeFocused();
    await press(page, 'Escape');
    await expect(page.getByRole('menu')).toBeHidden();
    await expect(button).toBeFocused();
  }
  await press(page, 'Enter');
  await press(page, 'ArrowDown');
  await expect(page.getByRole('menuitem').nth(1)).toBeFocused();
  await page.getByRole('menuitem', { name: 'Details' }).press('Enter');
  await expect(page.getByRole('dialog', { name: 'Details' })).toBeVisible();
});
