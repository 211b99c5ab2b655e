import { accessible, expect, picture, test } from '../fixture.ts';
import { Server } from '../server.ts';

const OURS = '+18005550199';
const THEIRS = '+18005550100';

const limited = test.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start('--message-quota', '10');
      await use(server);
      await server.remove();
    },
    { scope: 'worker' },
  ],
});

limited(
  'a quota is shown, spoken of when it is nearly used, and said when it refuses',
  async ({ page, server, account }) => {
    await server.silentPhone(account, OURS);
    for (let at = 0; at < 7; at++) await server.incoming(account, THEIRS, OURS, `number ${at}`);
    await page.goto('/settings/usage');
    const used = page.getByRole('progressbar', { name: /of what this server allows/ });
    await expect(used).toHaveAttribute('aria-valuenow', '7');
    await expect(used).toHaveAttribute('aria-valuemax', '10');
    await expect(page.getByRole('status').getByText('of this period are used')).toHaveCount(0);
    await accessible(page);

    await server.incoming(account, THEIRS, OURS, 'number 7');
    // The page follows.
    await expect(used).toHaveAttribute('aria-valuenow', '8');
    const near = page.getByText('8 of the 10 messages of this period are used.');
    await expect(near).toBeVisible({ timeout: 30_000 });
    await accessible(page);

    await page.goto(`/inbox/${OURS}/${THEIRS}`);
    await near.click();
    await expect(page).toHaveURL(/settings\/usage$/);
    for (let at = 8; at < 10; at++) await server.incoming(account, THEIRS, OURS, `number ${at}`);
    await page.goto(`/inbox/${OURS}/${THEIRS}`);
    await expect(page.getByText(/^All 10 messages of this period are used/)).toBeVisible();
    await page.getByRole('textbox', { name: 'Message' }).fill('one too many');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await expect(page.getByText('All 10 messages that this account may send')).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('one too many');
    await accessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      360,
    );
  },
);

test('without a quota nothing is said of one', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await server.incoming(account, THEIRS, OURS, 'hello');
  await page.goto('/settings/usage');
  await expect(page.getByRole('region', { name: 'This period' })).toContainText('1');
  await expect(page.getByRole('progressbar')).toHaveCount(0);
});

limited('@screenshots quota', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  for (let at = 0; at < 8; at++) await server.incoming(account, THEIRS, OURS, `number ${at}`);
  await page.goto('/settings/usage');
  await expect(page.getByText('messages of this period are used.')).toBeVisible();
  await picture(page, 'quota-near');
  for (let at = 0; at < 2; at++) await server.incoming(account, THEIRS, OURS, `more ${at}`);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  await expect(page.getByText(/^All 10 messages/)).toBeVisible();
  await picture(page, 'quota-spent-small');
});
