import type { Page } from '@playwright/test';
import { accessible, expect, picture, signIn, test, watch } from '../fixture.ts';
import { Server, type Account } from '../server.ts';

const title = (page: Page) => page.getByRole('heading', { level: 2, name: 'Users', exact: true });
const said = (page: Page, text: string) => expect(page.getByText(text).first()).toBeVisible();

/** A server of its own, with an administrator who is signed in. */
const mine = test.extend<{ server2: Server; admin: Account; desk: Page }>({
  server2: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.remove();
  },
  admin: async ({ server2 }, use) => use(await server2.account('--admin')),
  desk: async ({ browser, server2, admin }, use) => {
    const page = await browser.newPage({ baseURL: server2.url });
    const complaints: string[] = [];
    watch(page, server2.url, complaints);
    await signIn(page, admin);
    await use(page);
    expect(complaints).toEqual([]);
    await page.close();
  },
});

async function choose(page: Page, email: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `More: ${email}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

test('only administrators find the users', async ({ page, server, account }) => {
  await page.goto('/settings/users');
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Users', exact: true })).toBeHidden();
  await expect(server.call(account, 'GET', '/v1/admin/users')).rejects.toThrow('403');
});

mine('somebody is invited and comes in by the link', async ({ desk, browser, server2 }) => {
  mine.slow();
  await desk.goto('/settings/users');
  await expect(title(desk)).toBeVisible();
  await accessible(desk);
  await desk.getByRole('button', { name: 'Add a user' }).click();
  const dialog = desk.getByRole('dialog');
  await accessible(desk);
  // What the server refuses is said at the field.
  await dialog.getByLabel('E-mail address').fill('owner@httpsms.local');
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await expect(dialog.getByText('in use already')).toBeVisible();
  await dialog.getByLabel('E-mail address').fill('ben@example.com');
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await expect(dialog.getByText('Hand over this link')).toBeVisible();
  const link = (await dialog.locator('pre').textContent()) ?? '';
  expect(link).toContain('/#/password?token=');
  await accessible(desk);
  await dialog.getByRole('button', { name: 'I have copied it' }).click();
  const row = desk.getByRole('row', { name: /ben@example.com/ });
  await expect(row).toContainText('invited');

  const guest = await browser.newPage({ baseURL: server2.url });
  await guest.goto(link);
  await expect(guest.getByRole('heading', { name: 'Choose a password' })).toBeVisible();
  await accessible(guest);
  await guest.getByLabel('Password').fill('short');
  await guest.getByRole('button', { name: 'Use this password' }).click();
  await expect(guest.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await guest.getByLabel('Password').fill('a long password');
  await guest.getByRole('button', { name: 'Use this password' }).click();
  await expect(guest.getByText('First steps')).toBeVisible();
  expect(guest.url()).not.toContain('token');
  await guest.goto(link);
  await guest.getByLabel('Password').fill('another password');
  await guest.getByRole('button', { name: 'Use this password' }).click();
  await expect(guest.getByText('used already')).toBeVisible();
  await desk.reload();
  await expect(row).toContainText('active');

  // Shut out: the open page of the other one finds itself at the door.
  await guest.goto('/inbox');
  await choose(desk, 'ben@example.com', 'Disable');
  await desk.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await expect(row).toContainText('disabled');
  await guest.reload();
  await guest.getByLabel('E-mail address').fill('ben@example.com');
  await guest.getByLabel('Password').fill('a long password');
  await guest.getByRole('button', { name: 'Sign in' }).click();
  await expect(guest.getByText('This account is disabled')).toBeVisible();
  await choose(desk, 'ben@example.com', 'Enable');
  await said(desk, 'may come in again');
  await guest.getByRole('button', { name: 'Sign in' }).click();
  await expect(guest.getByText('First steps')).toBeVisible();
  await guest.close();
});

mine('another administrator, a new password, and a deletion', async ({ desk, server2, admin }) => {
  mine.slow();
  const ben = await server2.account();
  await desk.goto('/settings/users');
  const row = desk.getByRole('row', { name: new RegExp(ben.email) });
  await choose(desk, ben.email, 'Make an administrator');
  await expect(row).toContainText('administrator');
  await server2.call(ben, 'GET', '/v1/admin/users');
  await choose(desk, ben.email, 'Take the administrator');
  await expect(row).not.toContainText('administrator');
  await choose(desk, ben.email, 'New link');
  await expect(desk.getByRole('dialog').locator('pre')).toContainText('/#/password?token=');
  await desk.keyboard.press('Escape');
  // One's own account has no such menu.
  await expect(desk.getByRole('button', { name: `More: ${admin.email}` })).toBeHidden();

  await desk.getByRole('searchbox', { name: 'Find by e-mail' }).fill(ben.email.slice(0, 6));
  await expect(desk.getByRole('row')).toHaveCount(2);
  await choose(desk, ben.email, 'Delete');
  const asked = desk.getByRole('dialog');
  await expect(asked).toContainText('There is no way back');
  await accessible(desk);
  await asked.getByRole('button', { name: 'Delete' }).click();
  await expect(desk.getByRole('heading', { name: 'Nobody fits' })).toBeVisible();
  await expect(server2.call(ben, 'GET', '/v1/users/me')).rejects.toThrow('401');
});

mine('the last administrator stays', async ({ desk, server2, admin }) => {
  const users = await server2.call<{ id: string; email: string }[]>(
    admin,
    'GET',
    '/v1/admin/users',
  );
  const owner = users.find((one) => one.email === 'owner@httpsms.local');
  await desk.goto('/settings/users');
  await choose(desk, 'owner@httpsms.local', 'Take the administrator');
  await said(desk, 'is no administrator any more');
  const me = users.find((one) => one.email === admin.email);
  await expect(
    server2.call(admin, 'PUT', `/v1/admin/users/${me?.id}`, { admin: false }),
  ).rejects.toThrow('409');
  expect(owner).toBeTruthy();
});

mine('@screenshots users', async ({ desk, server2 }) => {
  await server2.account();
  await desk.goto('/settings/users');
  await expect(title(desk)).toBeVisible();
  await expect(desk.getByRole('row')).toHaveCount(4);
  await picture(desk, 'settings-users');
  await desk.setViewportSize({ width: 360, height: 740 });
  await picture(desk, 'settings-users-small');
});
