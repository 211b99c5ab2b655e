import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { accessible, expect, picture, test } from '../fixture.ts';
import type { Account, Server } from '../server.ts';

const PHONE = '+18005550199';
const ANN = '+18005550100';
const BOB = '+18005550101';

interface Message {
  id: string;
}

/** A message that fails: nothing can wake its phone. */
async function failed(
  server: Server,
  account: Account,
  to: string,
  content: string,
): Promise<void> {
  const sms = { from: PHONE, to, content };
  await server.call(account, 'POST', '/v1/messages/send', sms);
  const path = '/v1/messages/search?statuses=failed';
  await expect.poll(() => server.call<Message[]>(account, 'GET', path)).not.toEqual([]);
}

const results = (page: Page) => page.getByRole('list', { name: 'Found messages' });
const search = (page: Page) => page.getByRole('searchbox', { name: 'Text, number or ID' });
const count = (page: Page, text: string) =>
  expect(page.getByRole('status').filter({ hasText: /message/ })).toHaveText(text);

test('the server sorts, both ways', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await server.incoming(account, BOB, PHONE, 'first');
  await server.incoming(account, ANN, PHONE, 'second');
  await page.goto('/search');
  const rows = results(page).getByRole('listitem');
  await expect(rows.first()).toContainText('second');
  await page.getByRole('button', { name: 'Created' }).click();
  await expect(rows.first()).toContainText('first');
  await page.getByRole('button', { name: 'Contact' }).click();
  await expect(rows.first()).toContainText('second');
  await expect(page).toHaveURL(/sort=contact/);
});

test('the list has no end, and stays small in the page', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  for (let at = 0; at < 230; at += 10) {
    const ten = Array.from({ length: 10 }, (_, nth) =>
      server.incoming(account, ANN, PHONE, `number ${at + nth}.`),
    );
    await Promise.all(ten);
  }
  await page.goto('/search');
  await count(page, '230 messages');
  const rows = results(page).getByRole('listitem');
  await results(page).hover();
  await expect(async () => {
    await page.mouse.wheel(0, 5000);
    await expect(rows.last()).toHaveAttribute('aria-posinset', '230', {
      timeout: 300,
    });
  }).toPass();
  expect(await rows.count()).toBeLessThan(60);
});

test('selected ones are deleted in one request, and can be brought back', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, PHONE);
  for (const text of ['one', 'two', 'three']) await server.incoming(account, ANN, PHONE, text);
  await page.goto('/search');
  await count(page, '3 messages');
  await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
  await expect(page.getByRole('toolbar', { name: '3 selected' })).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(results(page)).toBeHidden();
  await page.getByRole('button', { name: 'Undo' }).click();
  await count(page, '3 messages');
  await expect(results(page)).toContainText('three');

  const requests: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') requests.push(request.url());
  });
  // By keyboard: the first two.
  for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(results(page).getByRole('listitem')).toHaveCount(1);
  await expect
    .poll(() => server.call<Message[]>(account, 'GET', '/v1/messages/search'), {
      timeout: 15_000,
    })
    .toHaveLength(1);
  expect(requests).toHaveLength(1);
});

test('what failed is sent again', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await server.incoming(account, ANN, PHONE, 'came in');
  await failed(server, account, BOB, 'never left');
  await page.goto('/search');
  await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
  await expect(page.getByRole('button', { name: 'Send again' })).toBeDisabled();
  await page
    .getByRole('checkbox', { name: /Select the message with/ })
    .last()
    .uncheck();
  await page.getByRole('button', { name: 'Send again' }).click();
  await expect(page.getByText('1 message is sent again')).toBeVisible();
  // What is new is told, not pushed into the list that is being read.
  await page.getByRole('button', { name: /1 new message/ }).click({ timeout: 15_000 });
  await count(page, '3 messages');
});

test('the export holds what was found, whatever is in it', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await server.incoming(account, ANN, PHONE, 'say "hi", #1\nand go');
  await server.incoming(account, ANN, PHONE, '=1+1');
  await server.incoming(account, BOB, PHONE, 'of somebody else');
  await page.goto('/search?query=%2B18005550100');
  await count(page, '2 messages');
  const waiting = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export CSV' }).click();
  const file = await (await waiting).path();
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('"say ""hi"", #1\nand go"');
  expect(text).toContain("'=1+1");
  expect(text).not.toContain('of somebody else');
});

test('a search that cannot be made says so and is tried again', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, PHONE);
  await server.incoming(account, ANN, PHONE, 'still here');
  await page.route('**/v1/messages/search*', (route) => route.abort());
  await page.goto('/search');
  await expect(page.getByRole('alert').filter({ hasText: 'does not answer' })).toBeVisible();
  await accessible(page);
  await page.unroute('**/v1/messages/search*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(results(page)).toContainText('still here');
});

test('messages are found by text, number and status, and the address keeps it', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, PHONE);
  await server.incoming(account, ANN, PHONE, 'the blue bicycle');
  await server.incoming(account, BOB, PHONE, 'the red car');
  await failed(server, account, BOB, 'we cannot come');
  await page.goto('/search');
  await count(page, '3 messages');
  await accessible(page);

  await page.keyboard.press('/');
  await search(page).fill('bicy');
  await count(page, '1 message');
  await expect(page).toHaveURL(/query=bicy/);
  await expect(results(page)).toContainText('the blue bicycle');

  await search(page).fill('');
  await page.getByRole('button', { name: /^Statuses/ }).click();
  await page.getByRole('checkbox', { name: 'Failed' }).check();
  await accessible(page);
  await page.keyboard.press('Escape');
  await count(page, '1 message');
  await expect(results(page)).toContainText('has not signed in to be woken');
  await page.reload();
  await count(page, '1 message');
  await expect(page.getByRole('button', { name: 'Statuses: Failed' })).toBeVisible();

  await page.getByLabel('To day').fill('2020-01-01');
  await expect(page.getByRole('heading', { name: 'Nothing was found' })).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await count(page, '3 messages');
});

test('a change at the phone shows at once', async ({ page, server, account }) => {
  await server.phone(account, PHONE, '--latency', '2s..3s');
  const sms = { from: PHONE, to: ANN, content: 'on its way' };
  await server.call(account, 'POST', '/v1/messages/send', sms);
  await page.goto('/search?query=on%20its');
  await expect(results(page)).toContainText('on its way');
  await expect(results(page)).not.toContainText('Delivered');
  await expect(results(page)).toContainText('Delivered');
});

test('@screenshots search', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  for (let at = 0; at < 8; at++)
    await server.incoming(account, ANN, PHONE, `Order ${4711 + at} is ready`);
  await failed(server, account, BOB, 'Your parcel waits at the counter');
  await page.goto('/search');
  await count(page, '9 messages');
  await picture(page, 'search');
  await page
    .getByRole('checkbox', { name: /Select the message/ })
    .first()
    .check();
  await page.getByRole('button', { name: /^Statuses/ }).click();
  await picture(page, 'search-selected');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 360, height: 740 });
  await picture(page, 'search-small');
});
