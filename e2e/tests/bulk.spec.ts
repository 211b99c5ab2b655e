import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { accessible, expect, picture, test } from '../fixture.ts';
import type { Account, Server } from '../server.ts';

const PHONE = '+18005550199';
const HEAD = 'FromPhoneNumber,ToPhoneNumber,Content,SendTime(optional),AttachmentURLs(optional)';

const contact = (nth: number) => `+180055501${String(nth).padStart(2, '0')}`;
const csv = (...lines: string[]) => [HEAD, ...lines].join('\r\n');
const line = (nth: number, text = `hello ${nth}`) => `${PHONE},${contact(nth)},${text},,`;

async function choose(page: Page, name: string, text: string | Buffer) {
  const buffer = typeof text === 'string' ? Buffer.from(text) : text;
  await page.locator('input[type=file]').setInputFiles({ name, mimeType: '', buffer });
}

const preview = (page: Page) =>
  page.getByRole('region', { name: 'What will be sent' }).getByRole('table');
const send = (page: Page) => page.getByRole('button', { name: /^Send \d/ });

/** A file that was sent; its phone is slow, so that it can be looked at. */
async function sent(server: Server, account: Account, page: Page, messages: number): Promise<void> {
  await server.call(account, 'PUT', '/v1/phones', {
    phone_number: PHONE,
    sim: 'SIM1',
    messages_per_minute: 1,
  });
  await page.goto('/bulk');
  const lines = Array.from({ length: messages }, (_, nth) => line(nth));
  await choose(page, 'slow.csv', csv(...lines));
  await send(page).click();
  await expect(page).toHaveURL(/\/bulk\/bulk-/);
}

test('a file is looked at, sent, and followed to its end', async ({ page, server, account }) => {
  await server.phone(account, PHONE);
  await page.goto('/bulk');
  await expect(page.getByRole('heading', { name: 'Send a file of messages' })).toBeVisible();
  await accessible(page);
  await choose(page, 'march promo.csv', csv(line(1), line(2, '"with ""quotes"", and a comma"')));
  await expect(preview(page).getByRole('row')).toHaveCount(3);
  await expect(preview(page)).toContainText('with "quotes", and a comma');
  await expect(page.getByText('Nothing is wrong with this file')).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: 'Send 2 messages' }).click();
  await expect(page.getByRole('heading', { name: 'march promo.csv' })).toBeVisible();
  await expect(page.getByText('Finished').first()).toBeVisible({
    timeout: 20_000,
  });
  await expect(page.getByRole('button', { name: /Delivered\s*2/ })).toBeVisible({
    timeout: 20_000,
  });
  await accessible(page);
  await page.reload();
  await expect(page.getByRole('list', { name: 'Messages of this file' })).toContainText('hello 1');
});

test('both templates can be had, and are understood', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await page.goto('/bulk');
  for (const [name, file] of [
    ['Template (CSV)', 'bulk-template.csv'],
    ['Template (Excel)', 'bulk-template.xlsx'],
  ] as const) {
    const waiting = page.waitForEvent('download');
    await page.getByText(name, { exact: true }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe(file);
    // As it is, it has columns and no rows.
    await choose(page, file, readFileSync(await download.path()));
    await expect(page.getByText('There are no rows in this file.')).toBeVisible();
    await expect(page.getByText(file)).toBeVisible();
  }
});

test('what is wrong is shown row by row before anything is sent', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, PHONE);
  await page.goto('/bulk/new');
  await choose(
    page,
    'bad.csv',
    csv(line(1), `${PHONE},nobody,hi,,`, `${PHONE},${contact(3)},hi,soon,`),
  );
  await expect(page.getByRole('region', { name: '2 problems' })).toContainText(
    'Row 3: the recipient nobody is no number with a country code.',
  );
  await expect(preview(page).getByRole('row').nth(2)).toContainText(
    'no number with a country code',
  );
  await expect(send(page)).toBeDisabled();
  await accessible(page);
  const files = await server.call<unknown[]>(account, 'GET', '/v1/bulk-messages');
  expect(files).toEqual([]);
});

test('other columns are found, and can be chosen', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await page.goto('/bulk');
  const rows = ['Name;Mobile;Note;Other', `Ann;${contact(1)};hello Ann;x`];
  await choose(page, 'people.csv', rows.join('\n'));
  await expect(page.getByLabel('Recipient')).toHaveValue('1');
  await expect(preview(page)).toContainText('+1 800 555 0101');
  await page.getByLabel('Text', { exact: true }).selectOption('Note');
  await expect(preview(page)).toContainText('hello Ann');
  // The only phone of the account sends it.
  await expect(preview(page)).toContainText('+1 800 555 0199');
  await expect(page.getByRole('button', { name: 'Send 1 message' })).toBeEnabled();
});

test('files that are none are refused in plain words', async ({ page }) => {
  await page.goto('/bulk');
  const alert = page.getByRole('alert');
  await choose(page, 'photo.png', 'x');
  await expect(alert.filter({ hasText: 'neither a CSV nor an XLSX' })).toBeVisible();
  await choose(page, 'big.csv', Buffer.alloc(4_000_001, 'x'));
  await expect(alert.filter({ hasText: 'larger than 4 MB' })).toBeVisible();
  await choose(page, 'broken.xlsx', 'this is no archive');
  await expect(page.getByText('broken.xlsx cannot be read.')).toBeVisible();
  await choose(page, 'empty.csv', HEAD);
  await expect(page.getByText('There are no rows in this file.')).toBeVisible();
});

test('a server that does not answer is told, and the file stays', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, PHONE);
  await page.goto('/bulk');
  await choose(page, 'later.csv', csv(line(1)));
  await expect(send(page)).toBeEnabled();
  await page.route('**/v1/bulk-messages', (route) =>
    route.request().method() === 'POST' ? route.abort() : route.fallback(),
  );
  await send(page).click();
  await expect(page.getByRole('alert').filter({ hasText: 'does not answer' })).toBeVisible();
  await page.unroute('**/v1/bulk-messages');
  await send(page).click();
  await expect(page).toHaveURL(/\/bulk\/bulk-/);
});

test('a file is paused, resumed and cancelled', async ({ page, server, account }) => {
  await sent(server, account, page, 5);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('waits until you resume')).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await page.getByRole('button', { name: 'Cancel the rest' }).click();
  const asked = page.getByRole('dialog');
  await expect(asked).toContainText('will not be sent');
  await accessible(page);
  await asked.getByRole('button', { name: 'Cancel the rest' }).click();
  await expect(page.getByText(/Cancelled:\s*[45]/)).toBeVisible();
  await page.getByRole('button', { name: /^Failed/ }).click();
  await expect(page).toHaveURL(/status=failed/);
});

test('what failed is sent again as a list of its own', async ({ page, server, account }) => {
  // Nothing can wake this phone: its messages fail.
  await server.silentPhone(account, PHONE);
  await page.goto('/bulk');
  await choose(page, 'lost.csv', csv(line(1), line(2)));
  await send(page).click();
  await expect(page).toHaveURL(/\/bulk\/bulk-/);
  const id = decodeURIComponent(new URL(page.url()).pathname.split('/')[2] ?? '');
  await page.getByRole('button', { name: 'Send 2 again' }).click();
  await expect(page.getByText('2 messages are sent again')).toBeVisible();
  await expect(page).not.toHaveURL(new RegExp(encodeURIComponent(id)));
  await expect(page.getByRole('list', { name: 'Earlier files' }).getByRole('listitem')).toHaveCount(
    2,
  );
});

test('the history has no end, and a file that is not there says so', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, PHONE);
  for (let nth = 0; nth < 60; nth++)
    await server.call(account, 'POST', '/v1/messages/send', {
      from: PHONE,
      to: contact(nth),
      content: 'hi',
      request_id: `bulk-x-file ${nth}.csv`,
    });
  await page.goto('/bulk');
  const list = page.getByRole('list', { name: 'Earlier files' });
  await expect(list.getByRole('listitem').first()).toContainText('file 59.csv');
  await list.hover();
  await expect(async () => {
    await page.mouse.wheel(0, 5000);
    await expect(list).toContainText('file 0.csv', { timeout: 300 });
  }).toPass();
  await page.goto('/bulk/bulk-1-none.csv');
  await expect(page.getByRole('heading', { name: 'There is no such file' })).toBeVisible();
  await accessible(page);
});

test('@screenshots bulk', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await page.goto('/bulk');
  await picture(page, 'bulk');
  await choose(
    page,
    'march promo.csv',
    csv(line(1), `${PHONE},nobody,Your order waits at the counter,,`, line(3)),
  );
  await expect(preview(page)).toBeVisible();
  await picture(page, 'bulk-preview');
  await sent(server, account, page, 6);
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await picture(page, 'bulk-job');
  await page.setViewportSize({ width: 360, height: 740 });
  await picture(page, 'bulk-small');
});
