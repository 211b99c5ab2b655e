import type { Page } from '@playwright/test';
import { accessible, expect, picture, signIn, test } from '../fixture.ts';

const PHONE = '+18005550199';
const SECTIONS = [
  'Profile',
  'Display',
  'Sessions',
  'Notifications',
  'Send schedules',
  'API keys',
  'Phone keys',
  'Integrations',
  'Usage',
  'Retention',
  'Your data',
  'Delete account',
];

const title = (page: Page, name: string) =>
  page.getByRole('heading', { level: 2, name, exact: true });
const said = (page: Page, text: string) => expect(page.getByText(text).first()).toBeVisible();

test('every section has its own address, and is accessible', async ({ page }) => {
  test.slow();
  await page.goto('/settings');
  await expect(title(page, 'Profile')).toBeVisible();
  const list = page.getByRole('navigation', { name: 'Sections' });
  for (const name of SECTIONS) {
    await list.getByRole('link', { name, exact: true }).click();
    await expect(title(page, name)).toBeVisible();
    await expect(page.getByRole('status', { name: 'Loading' })).toBeHidden();
    await accessible(page);
    const address = page.url();
    await page.goto(address);
    await expect(title(page, name)).toBeVisible();
  }
  await page.goto('/settings/nothing');
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
});

test('on a small screen, list and section are two steps', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto('/settings');
  await expect(title(page, 'Profile')).toBeHidden();
  await page.getByRole('link', { name: 'Usage' }).click();
  await expect(title(page, 'Usage')).toBeVisible();
  await page.getByRole('link', { name: 'Back' }).click();
  await expect(page.getByRole('link', { name: 'Profile' })).toBeVisible();
});

test('the time zone is saved, and times follow it', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await page.goto('/settings/profile');
  const zone = page.getByLabel('Time zone');
  await zone.selectOption('Asia/Tokyo');
  await said(page, 'Saved');
  await expect(page.getByText(/GMT\+9|JST/).first()).toBeVisible();
  await page.getByLabel('Usual phone').selectOption({ label: '+1 800 555 0199' });
  await page.reload();
  await expect(zone).toHaveValue('Asia/Tokyo');
  await expect(page.getByLabel('Usual phone')).not.toHaveValue('');
  const user = await server.call<{ timezone: string }>(account, 'GET', '/v1/users/me');
  expect(user.timezone).toBe('Asia/Tokyo');
});

test('the password is changed by the old one only', async ({ page, account }) => {
  await page.goto('/settings/profile');
  await page.getByLabel('Current password').fill('wrong');
  await page.getByLabel('New password').fill('battery staple');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await expect(page.locator('[id$=-errors], [role=alert] p').first()).toBeVisible();
  await page.getByLabel('Current password').fill(account.password);
  await page.getByRole('button', { name: 'Change the password' }).click();
  await said(page, 'The password is changed');
  await page.context().clearCookies();
  await signIn(page, { ...account, password: 'battery staple' });
});

test('clock, language, theme and keys are kept in the browser', async ({ page }) => {
  test.slow();
  await page.goto('/settings/display');
  await page.getByRole('radio', { name: '12 hours (2:30 pm)' }).check();
  await page.getByRole('radio', { name: 'Enter sends, Ctrl Enter' }).check();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('radio', { name: 'Deutsch' }).check();
  await expect(title(page, 'Anzeige')).toBeVisible();
  await accessible(page);
  await page.reload();
  await expect(page.getByRole('radio', { name: '12 Stunden' })).toBeChecked();
  await expect(page.getByRole('radio', { name: /^Enter sendet/ })).toBeChecked();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.goto('/settings/profile');
  await expect(page.getByText(/\d{1,2}:\d{2}(:\d{2})?\s?(AM|PM)/i).first()).toBeVisible();
});

test('sessions are listed and ended', async ({ page, browser, server, account }) => {
  test.slow();
  const other = await browser.newContext({
    baseURL: server.url,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  });
  const second = await other.newPage();
  await signIn(second, account);
  await page.goto('/settings/sessions');
  await expect(page.getByText('this one')).toBeVisible();
  const row = page.getByRole('row', { name: /Firefox on Linux/ });
  await row.getByRole('button', { name: 'End' }).click();
  await expect(row).toBeHidden();
  await expect
    .poll(async () => (await second.request.get('/v1/users/me')).status(), {
      timeout: 15_000,
    })
    .toBe(401);
  await other.close();
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('mails can be turned off one by one', async ({ page, server, account }) => {
  await page.goto('/settings/notifications');
  const webhook = page.getByRole('switch', { name: /webhook/ });
  await expect(webhook).toBeChecked();
  await webhook.click();
  await said(page, 'Saved');
  await page.reload();
  await expect(webhook).not.toBeChecked();
  await expect(page.getByRole('switch', { name: /phone/ })).toBeChecked();
  const user = await server.call<Record<string, unknown>>(account, 'GET', '/v1/users/me');
  expect(user.notification_webhook_enabled).toBe(false);
  expect(user.notification_heartbeat_enabled).toBe(true);
});

test('a switch that could not be saved goes back', async ({ page }) => {
  await page.goto('/settings/notifications');
  await page.route('**/notifications', (route) => route.abort());
  const message = page.getByRole('switch', { name: /message/ });
  await message.click();
  await said(page, 'The server does not answer');
  await expect(message).toBeChecked();
});

test('what the server says about a schedule stands at its field', async ({ page }) => {
  await page.goto('/settings/schedules/new');
  await page.getByLabel('Name').fill('x');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('At least 2 characters.')).toBeVisible();
  await page.goto('/settings/schedules/none');
  await expect(page.getByRole('heading', { name: 'There is no such schedule' })).toBeVisible();
});

test('the account key is covered, shown, drawn and replaced', async ({ page, server, account }) => {
  await page.goto('/settings/api-keys');
  await expect(page.getByText(account.key)).toBeHidden();
  await page.getByRole('button', { name: 'Show: Account key' }).click();
  await expect(page.getByText(account.key)).toBeVisible();
  await page.getByRole('button', { name: 'Show as QR code' }).click();
  await expect(page.getByRole('img', { name: 'Account key' })).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Replace' }).click();
  const asked = page.getByRole('dialog');
  await expect(asked).toContainText('stops working at once');
  await asked.getByRole('button', { name: 'Replace' }).click();
  await said(page, 'The account has a new key');
  await expect(server.call(account, 'GET', '/v1/phones')).rejects.toThrow('401');
});

test('a section that cannot be read says so and is tried again', async ({ page }) => {
  await page.route('**/v1/send-schedules', (route) => route.fulfill({ status: 500, body: '{}' }));
  await page.goto('/settings/schedules');
  await expect(
    page.getByRole('alert').filter({ hasText: 'The server failed at this (500)' }),
  ).toBeVisible();
  await accessible(page);
  await page.unroute('**/v1/send-schedules');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'No send schedules' })).toBeVisible();
});

test('deleting the account says what goes, and does it', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await server.incoming(account, '+18005550100', PHONE, 'mine');
  await page.goto('/settings/account');
  await said(page, '1 message');
  await said(page, '1 phone, which stops sending');
  const button = page.getByRole('button', { name: 'Delete my account' });
  await expect(button).toBeDisabled();
  await page.getByLabel(`Type ${account.email} to confirm`).fill(account.email);
  await button.click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await expect(server.call(account, 'GET', '/v1/users/me')).rejects.toThrow('401');
});

test('a session that ended elsewhere leads to the sign-in page', async ({ page }) => {
  await page.goto('/settings/usage');
  await expect(title(page, 'Usage')).toBeVisible();
  await page.request.delete('/v1/sessions/current', {
    headers: { origin: new URL(page.url()).origin },
  });
  await page.getByRole('link', { name: 'API keys' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('a send schedule is made, changed, used and deleted', async ({ page, server, account }) => {
  test.slow();
  await page.goto('/settings/schedules');
  await expect(page.getByRole('heading', { name: 'No send schedules' })).toBeVisible();
  await page.getByRole('link', { name: 'New schedule' }).first().click();
  await page.getByLabel('Name').fill('Office');
  await page.getByLabel('Time zone').selectOption('Europe/Lisbon');
  // Hours that touch are fine, hours that overlap are not.
  await page.getByRole('button', { name: 'Add hours on Monday' }).click();
  await page.getByLabel('Monday, from').nth(1).fill('16:00');
  await expect(page.getByText('These hours overlap')).toBeVisible();
  await accessible(page);
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  await page.getByLabel('Monday, from').nth(1).fill('17:00');
  await page.getByLabel('Monday, to').nth(1).fill('00:00');
  await page.getByRole('button', { name: 'To all weekdays' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page).toHaveURL(/\/settings\/schedules$/);
  const item = page.getByRole('list', { name: 'Send schedules' });
  await expect(item).toContainText('Mon–Fri: 09:00–17:00, 17:00–00:00');

  const [made] = await server.call<{ id: string; windows: unknown[] }[]>(
    account,
    'GET',
    '/v1/send-schedules',
  );
  expect(made?.windows).toHaveLength(10);
  expect(made?.windows[1]).toEqual({
    day_of_week: 1,
    start_minute: 1020,
    end_minute: 1440,
  });
  await server.call(account, 'PUT', '/v1/phones', {
    phone_number: PHONE,
    sim: 'SIM1',
    message_send_schedule_id: made?.id,
  });
  await expect(item).toContainText('+1 800 555 0199');
  await item.getByRole('link', { name: 'Office' }).click();
  await page.getByLabel('Name').fill('Shop');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(item).toContainText('Shop');
  await accessible(page);

  await page.getByRole('button', { name: 'More: Shop' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await said(page, 'Phones that used it may send at any time');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(item).toContainText('Shop');
  await page.getByRole('button', { name: 'More: Shop' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect
    .poll(() => server.call<unknown[]>(account, 'GET', '/v1/send-schedules'), {
      timeout: 15_000,
    })
    .toEqual([]);
});

test('a key is made, shown once, and revoked', async ({ page, server, account }) => {
  test.slow();
  await page.goto('/settings/api-keys');
  await page.getByRole('button', { name: 'New key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Shop system');
  for (const scope of ['Send messages', 'Read everything'])
    await dialog.getByRole('checkbox', { name: scope }).uncheck();
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  await expect(dialog.getByText('This is needed.')).toBeVisible();
  await accessible(page);
  await dialog.getByRole('checkbox', { name: 'Read everything' }).check();
  await dialog.getByLabel('Valid').selectOption({ label: 'for 30 days' });
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  const key = (await dialog.locator('pre').textContent()) ?? '';
  expect(key).toMatch(/^ak_/);
  await accessible(page);
  const as = { ...account, key };
  await server.call(as, 'GET', '/v1/phones');
  await expect(server.call(as, 'POST', '/v1/phone-api-keys', { name: 'x' })).rejects.toThrow();
  await dialog.getByRole('button', { name: 'I have kept it' }).click();
  const row = page.getByRole('row', { name: /Shop system/ });
  await expect(row).toContainText('read');
  await expect(page.getByText(key)).toBeHidden();
  await page.reload();
  await expect(row).not.toContainText('never');
  await row.getByRole('button', { name: /Revoke/ }).click();
  await expect
    .poll(
      () =>
        server.call(as, 'GET', '/v1/phones').then(
          () => 'works',
          () => 'ends',
        ),
      { timeout: 15_000 },
    )
    .toBe('ends');
});

test('keeping less says what is deleted', async ({ page, server, account }) => {
  await page.goto('/settings/retention');
  await page.getByLabel('Events').selectOption({ label: '90 days' });
  await page.getByRole('button', { name: 'Save' }).click();
  const asked = page.getByRole('dialog');
  await expect(asked).toContainText('Events older than 90 days');
  await accessible(page);
  await asked.getByRole('button', { name: 'Keep less' }).click();
  await said(page, 'Saved');
  const kept = await server.call<Record<string, number>>(account, 'GET', '/v1/users/me/retention');
  expect(kept.events_days).toBe(90);
});

test('usage is counted, drawn and written', async ({ page, server, account }) => {
  test.slow();
  await server.silentPhone(account, PHONE);
  for (const text of ['a', 'b', 'c']) await server.incoming(account, '+18005550100', PHONE, text);
  await page.goto('/settings/usage');
  await expect(page.getByRole('region', { name: 'This period' })).toContainText('3');
  await expect(page.getByRole('img', { name: 'Received messages each day' })).toBeVisible();
  await page.getByText('Show as a table').click();
  const table = page.getByRole('region', { name: 'Day by day' }).getByRole('table');
  await expect(table.getByRole('row').nth(1)).toContainText('3');
  await accessible(page);
  await page.getByLabel('Range').selectOption('7');
  await expect(page).toHaveURL(/days=7/);
  await expect(table.getByRole('row')).toHaveCount(8);
});

test('everything can be downloaded', async ({ page, server, account }) => {
  await server.silentPhone(account, PHONE);
  await server.incoming(account, '+18005550100', PHONE, 'mine');
  await page.goto('/settings/data');
  for (const name of ['Download everything', 'Download messages']) {
    const waiting = page.waitForEvent('download');
    await page.getByRole('link', { name }).click();
    const download = await waiting;
    expect(await download.failure()).toBeNull();
  }
});

test('@screenshots settings', async ({ page, server, account }) => {
  test.slow();
  await server.silentPhone(account, PHONE);
  for (let at = 0; at < 5; at++) await server.incoming(account, '+18005550100', PHONE, `hi ${at}`);
  for (const name of SECTIONS) {
    await page.goto('/settings');
    await page.getByRole('link', { name, exact: true }).click();
    await expect(title(page, name)).toBeVisible();
    await picture(page, `settings-${name.toLowerCase().replaceAll(' ', '-')}`);
  }
  await page.goto('/settings/schedules/new');
  await expect(page.getByLabel('Name')).toBeVisible();
  await picture(page, 'settings-schedule');
  await page.setViewportSize({ width: 360, height: 740 });
  await picture(page, 'settings-schedule-small');
  await page.goto('/settings');
  await picture(page, 'settings-small');
});
