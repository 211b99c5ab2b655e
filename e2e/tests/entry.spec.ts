import { accessible, expect, picture, signIn, test, watch } from '../fixture.ts';
import { Server } from '../server.ts';

test('the first start: the printed link, an account, the first steps', async ({ browser }) => {
  const server = await Server.start();
  try {
    const link = /http:\/\/\S+\/#\/setup\?key=\S+/.exec(server.log)?.[0];
    expect(link, 'the link that the server prints').toBeTruthy();
    const page = await browser.newPage({ baseURL: server.url, timezoneId: 'Asia/Tokyo' });
    const complaints: string[] = [];
    watch(page, server.url, complaints);
    await page.goto(link ?? '');
    await expect(page.getByRole('heading', { name: 'Welcome to httpsms' })).toBeVisible();
    await accessible(page);
    await page.getByLabel('E-mail address').fill('owner@example.com');
    await page.getByLabel('Password').fill('short');
    await page.getByRole('button', { name: 'Create the account' }).click();
    await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
    await page.getByLabel('Password').fill('a long password');
    await page.getByRole('button', { name: 'Create the account' }).click();
    await expect(page.getByText('First steps')).toBeVisible();
    expect(page.url()).not.toContain('uk_');
    await accessible(page);
    await page.goto('/settings/profile');
    await expect(page.getByLabel('Time zone')).toHaveValue('Asia/Tokyo');
    expect(complaints).toEqual([]);
    await page.close();
  } finally {
    await server.remove();
  }
});

test('signing in, and out again', async ({ page, account, context }) => {
  await context.clearCookies();
  await page.goto('/webhooks');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await accessible(page);
  await page.getByLabel('E-mail address').fill(account.email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('do not belong together')).toBeVisible();
  await page.getByLabel('Password').fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  // The address that was asked for is still there.
  await expect(page).toHaveURL(/\/webhooks$/);
  await expect(page.getByRole('heading', { level: 1, name: 'Webhooks' })).toBeVisible();
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

test('a session that ends elsewhere leads to the sign-in page', async ({ page, context }) => {
  await page.goto('/inbox');
  await expect(page.getByRole('heading', { level: 1, name: 'Inbox' })).toBeVisible();
  await expect(page.getByText('No conversations yet')).toBeVisible();
  await context.clearCookies();
  await page.getByRole('searchbox').fill('anything');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

test('a stopped server is said quietly, and all goes on when it is back', async ({ browser }) => {
  const server = await Server.start();
  try {
    const account = await server.account();
    await server.silentPhone(account, '+18005550199');
    const page = await browser.newPage({ baseURL: server.url });
    await signIn(page, account);
    await page.goto('/inbox');
    await expect(page.getByText('No conversations yet')).toBeVisible();
    await server.stop();
    await expect(page.getByRole('button', { name: 'Not live' })).toBeVisible();
    await server.again();
    await server.incoming(account, '+18005550100', '+18005550199', 'after the break');
    await expect(page.getByText('after the break')).toBeVisible({
      timeout: 30_000,
    });
    await expect(page.getByRole('button', { name: 'Not live' })).toBeHidden();
    await page.close();
  } finally {
    await server.remove();
  }
});

test('a slow network shows that something is on its way', async ({ page }) => {
  await page.route('**/v1/message-threads?**', async (route) => {
    await new Promise((later) => setTimeout(later, 800));
    await route.continue();
  });
  await page.goto('/inbox');
  await expect(page.getByRole('status').first()).toBeVisible();
  await expect(page.getByText('No conversations yet')).toBeVisible();
});

test('the first view loads less than 200 KB of scripts', async ({ page }) => {
  test.skip(process.env.DASHBOARD === 'dist', 'only the program compresses');
  const sizes: number[] = [];
  page.on('response', async (answer) => {
    if (!answer.url().endsWith('.js')) return;
    const { responseBodySize } = await answer.request().sizes();
    sizes.push(responseBodySize);
  });
  const began = performance.now();
  await page.goto('/inbox');
  await expect(page.getByText('No conversations yet')).toBeVisible();
  const took = Math.round(performance.now() - began);
  const sum = sizes.reduce((all, one) => all + one, 0);
  test.info().annotations.push({
    type: 'load',
    description: `${sum} bytes in ${took} ms`,
  });
  expect(sum).toBeGreaterThan(10_000);
  expect(sum).toBeLessThan(200_000);
});

test('@screenshots entry', async ({ page, context }) => {
  await context.clearCookies();
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await picture(page, 'sign-in');
});
