import { accessible, expect, picture, test } from '../fixture.ts';

const PLACES = ['Inbox', 'Webhooks', 'Phones', 'Bulk', 'Search', 'Settings'];

test('the rail leads to every place, and each is accessible', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveURL(/\/inbox$/);
  for (const place of PLACES) {
    await page.getByRole('navigation').getByRole('link', { name: place }).click();
    await expect(page.getByRole('heading', { level: 1, name: place })).toBeVisible();
    await expect(page).toHaveTitle(new RegExp(place));
  }
  await accessible(page);
});

test('the keyboard goes everywhere and says how', async ({ page }) => {
  await page.goto('/inbox');
  await expect(page.getByRole('heading', { level: 1, name: 'Inbox' })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await expect(page).toHaveURL(/\/webhooks$/);
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard' });
  await expect(sheet.getByText('Go to Phones')).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
});

test('Ctrl K finds places and actions', async ({ page }) => {
  await page.goto('/inbox');
  await expect(page.getByRole('heading', { level: 1, name: 'Inbox' })).toBeVisible();
  await page.keyboard.press('Control+k');
  const input = page.getByRole('combobox', { name: 'Search or command' });
  await input.fill('phon');
  await accessible(page);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/phones$/);
});

test('older links lead to what they meant', async ({ page }) => {
  await page.goto('/settings#webhooks');
  await expect(page).toHaveURL(/\/webhooks$/);
  await page.goto('/threads');
  await expect(page).toHaveURL(/\/inbox$/);
});

test('a theme and a language are kept', async ({ page }) => {
  await page.goto('/inbox');
  await page.getByRole('button', { name: 'Account' }).click();
  await accessible(page);
  await page.getByRole('menuitem', { name: 'Dark' }).click();
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Deutsch' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Posteingang' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'Posteingang' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('an address of nothing says so', async ({ page }) => {
  const answer = await page.goto('/nothing/here');
  expect(answer?.status()).toBe(404);
});

test('@screenshots frame', async ({ page }) => {
  await page.goto('/inbox');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await picture(page, 'frame');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox', { name: 'Search or command' })).toBeVisible();
  await picture(page, 'palette');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 360, height: 740 });
  await picture(page, 'frame-small');
});
