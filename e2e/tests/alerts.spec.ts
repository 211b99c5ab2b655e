import type { Page } from '@playwright/test';
import { accessible, expect, test } from '../fixture.ts';

const PHONE = '+18005550199';
const CONTACT = '+18005550100';

/** Notes what the page asks of the browser: notifications, and notes of its sound. */
async function observe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = { notices: [] as { title: string; body?: string; tag?: string }[], notes: 0 };
    const Real = window.Notification;
    class Watched extends Real {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options);
        seen.notices.push({ title, body: options?.body, tag: options?.tag });
        Object.assign(window, { lastNotice: this });
      }
    }
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      seen.notes += 1;
      start.call(this, when);
    };
    Object.assign(window, { Notification: Watched, seen });
  });
}

const seen = (page: Page) =>
  page.evaluate(
    () =>
      (
        window as unknown as {
          seen: { notices: { title: string; body?: string }[]; notes: number };
        }
      ).seen,
  );

const notify = (page: Page) => page.getByRole('switch', { name: 'Show a notification' });
const sound = (page: Page) => page.getByRole('switch', { name: 'Play a sound' });

test('a new message is told by the browser and by a sound, if asked for', async ({
  page,
  context,
  server,
  account,
}) => {
  test.slow();
  await server.silentPhone(account, PHONE);
  await observe(page);
  await page.goto('/settings/notifications');
  await expect(notify(page)).not.toBeChecked();
  await expect(sound(page)).not.toBeChecked();
  // Nothing is told unless it is asked for.
  await server.incoming(account, CONTACT, PHONE, 'silent');
  await expect(page).toHaveTitle(/^\(1\)/);
  expect(await seen(page)).toEqual({ notices: [], notes: 0 });

  await context.grantPermissions(['notifications']);
  await notify(page).click();
  await expect(notify(page)).toBeChecked();
  await sound(page).click();
  await expect.poll(async () => (await seen(page)).notes, 'it is heard at once').toBe(2);
  await accessible(page);
  await page.reload();
  await expect(notify(page)).toBeChecked();
  await expect(sound(page)).toBeChecked();

  await server.incoming(account, CONTACT, PHONE, 'hello from outside');
  await expect.poll(async () => (await seen(page)).notices.length).toBe(1);
  const [notice] = (await seen(page)).notices;
  expect(notice).toMatchObject({ title: '+1 800 555 0100', body: 'hello from outside' });
  expect((await seen(page)).notes).toBe(2);
  // A click on it opens the conversation.
  await page.evaluate(() =>
    (window as unknown as { lastNotice: Notification }).lastNotice.onclick?.(new Event('click')),
  );
  await expect(page).toHaveURL(/\/inbox\/\+18005550199\/\+18005550100$/);
  await expect(page.getByText('hello from outside').first()).toBeVisible();

  // What is on screen needs no notice; another conversation does.
  await server.incoming(account, CONTACT, PHONE, 'on screen');
  await expect(page.getByText('on screen').first()).toBeVisible();
  await server.incoming(account, '+18005550111', PHONE, 'another one');
  await expect.poll(async () => (await seen(page)).notices.length).toBe(2);
  expect((await seen(page)).notices[1]?.body).toBe('another one');
  // Nor does one in a page that nobody looks at go untold.
  await page.evaluate(() =>
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }),
  );
  await server.incoming(account, CONTACT, PHONE, 'while away');
  await expect.poll(async () => (await seen(page)).notices.at(-1)?.body).toBe('while away');
});

test('a browser that refuses notifications says what to do', async ({ page }) => {
  // Without a grant, a Chromium that nobody watches refuses.
  await page.goto('/settings/notifications');
  await notify(page).click();
  await expect(page.getByText('does not let this page notify you')).toBeVisible();
  await expect(notify(page)).not.toBeChecked();
  await accessible(page);
});
