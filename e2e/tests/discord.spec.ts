// An account is connected to a Discord server. A receiver stands in for Discord's own interface.
import { accessible, expect, test as base } from '../fixture.ts';
import { Receiver } from '../receiver.ts';
import { Server } from '../server.ts';

const OURS = '+18005550199';
const THEIRS = '+18005550100';

const test = base.extend<object, { discord: Receiver; server: Server }>({
  discord: [
    async ({}, use) => {
      const discord = await Receiver.start();
      await use(discord);
      await discord.stop();
    },
    { scope: 'worker' },
  ],
  server: [
    async ({ discord }, use) => {
      const endpoint = new URL('/', discord.url).href;
      const bot = ['--discord-bot-token', 'sesame', '--discord-application-id', '33'];
      const server = await Server.start('--discord-endpoint', endpoint, ...bot);
      await use(server);
      await server.remove();
    },
    { scope: 'worker' },
  ],
});

test('Discord is connected, gets what comes in, and is disconnected', async ({
  page,
  server,
  account,
  discord,
}) => {
  await server.silentPhone(account, OURS);
  await page.goto('/settings/integrations');
  const form = page.getByRole('main');
  await form.getByLabel('Name').fill('Shop');
  await form.getByLabel('Server ID').fill('11');
  await form.getByLabel('Channel for received messages (ID)').fill('22');

  // The bot was not let in yet.
  discord.status = 404;
  await form.getByRole('button', { name: 'Connect Discord' }).click();
  const refused = form.getByText('The bot does not see this channel.');
  await expect(refused).toBeVisible();
  await accessible(page);

  discord.status = 200;
  await form.getByRole('button', { name: 'Connect Discord' }).click();
  await expect(form.getByRole('button', { name: 'Save' })).toBeVisible();
  await expect(refused).toHaveCount(0);
  await accessible(page);

  await server.incoming(account, THEIRS, OURS, 'on my way');
  const posted = () =>
    discord.got.filter(
      ({ line, body }) => line === 'POST /channels/22/messages' && body.includes('on my way'),
    ).length;
  await expect.poll(posted).toBe(1);

  await form.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(form.getByLabel('Server ID')).toHaveValue('11');
  await form.getByRole('button', { name: 'Delete' }).click();
  await expect(form.getByRole('button', { name: 'Connect Discord' })).toBeVisible();
  const connected = () => server.call<unknown[]>(account, 'GET', '/v1/discord-integrations');
  await expect.poll(async () => (await connected()).length).toBe(0);
  await page.reload();
  await expect(form.getByRole('button', { name: 'Connect Discord' })).toBeVisible();
});
