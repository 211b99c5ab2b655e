// axe on what opens over pages, and on pages that other tests only pass by.
import { accessible, expect, test } from '../fixture.ts';

const OURS = '+18005550199';
const THEIRS = '+18005550100';

test('the account and the health', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  const body = { url: 'http://127.0.0.1:9/x', events: ['message.phone.received'] };
  const webhook = { ...body, phone_numbers: [OURS] };
  const { id } = await server.call<{ id: string }>(account, 'POST', '/v1/webhooks', webhook);
  await server.call(account, 'POST', `/v1/webhooks/${id}/pause`, {});
  await page.goto('/inbox');
  await page.getByRole('button', { name: '1 thing to look at' }).click();
  await expect(page.getByRole('link', { name: /127.0.0.1:9\/x: paused since/ })).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Account' }).click();
  await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeVisible();
  await accessible(page);
});

test('dialogs of conversations', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await server.incoming(account, THEIRS, OURS, 'hello');
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  await page.getByRole('article').getByRole('button', { name: 'Message' }).click();
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Encrypt' }).click();
  await expect(page.getByRole('dialog', { name: 'Encryption key' })).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Send later' }).click();
  await accessible(page);
});

test('dialogs of phone keys, keys and sessions', async ({ page }) => {
  await page.goto('/settings/phone-keys');
  await page.getByRole('button', { name: 'New phone key' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.goto('/settings/api-keys');
  await page.getByRole('button', { name: 'Replace' }).click();
  await expect(dialog).toContainText('stops working at once');
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.goto('/settings/sessions');
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(dialog).toBeVisible();
  await accessible(page);
});

test('each place in German and on a small screen', async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem('httpsms.language', 'de'));
  await page.setViewportSize({ width: 360, height: 740 });
  for (const place of ['inbox', 'webhooks', 'phones', 'bulk', 'search', 'settings']) {
    await page.goto(`/${place}`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide, place).toBeLessThanOrEqual(360);
    // Nothing of the names of the places is cut off.
    const names = page.getByRole('navigation', { name: 'Orte' }).getByRole('link').locator('span');
    for (const name of await names.all()) {
      const cut = await name.evaluate((element) => element.scrollWidth - element.clientWidth);
      expect(cut, `${place}: ${await name.innerText()}`).toBeLessThanOrEqual(0);
    }
    await accessible(page);
  }
});
