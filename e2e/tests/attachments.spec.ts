import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { accessible, expect, picture, test } from '../fixture.ts';

const OURS = '+18005550199';
const THEIRS = '+18005550100';

/** A picture of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** A second of silence: frames of MPEG 1, layer 3, with 128 kbit/s. */
const MP3 = Buffer.concat(
  Array.from({ length: 40 }, () =>
    Buffer.concat([Buffer.from('fffb9064', 'hex'), Buffer.alloc(413)]),
  ),
);

const log = (page: Page) => page.getByRole('log');
const files = (page: Page) => page.getByRole('list', { name: 'Attachments' });
const composer = (page: Page) => page.getByRole('textbox', { name: 'Message' });

async function choose(page: Page, ...chosen: { name: string; mimeType: string; buffer: Buffer }[]) {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Attach a file' }).click();
  await (await chooser).setFiles(chosen);
}

/** Lets go of a file over the composer, or puts it there from the clipboard. */
async function hand(page: Page, by: 'drop' | 'paste', name: string): Promise<void> {
  await composer(page).evaluate(
    (box, { by, name, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], name, { type: 'image/png' }));
      const how = { bubbles: true, cancelable: true };
      box.dispatchEvent(
        by === 'drop'
          ? new DragEvent('drop', { ...how, dataTransfer: data })
          : new ClipboardEvent('paste', { ...how, clipboardData: data }),
      );
    },
    { by, name, base64: PNG.toString('base64') },
  );
}

test('files are chosen, dropped and pasted, removed, and sent along', async ({
  page,
  server,
  account,
}) => {
  test.slow();
  await server.phone(account, OURS);
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  await expect(composer(page)).toBeVisible();
  // The first one waits on its way, so that its progress is seen.
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await page.route('**/v1/attachments?**', async (route) => {
    await held;
    await route.continue();
  });
  await composer(page).fill('Look at this');
  await choose(page, { name: 'chosen.png', mimeType: 'image/png', buffer: PNG });
  await expect(page.getByRole('progressbar', { name: 'Uploading chosen.png…' })).toBeAttached();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
  await accessible(page);
  release();
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await page.unroute('**/v1/attachments?**');
  await hand(page, 'drop', 'dropped.png');
  await hand(page, 'paste', 'pasted.png');
  for (const name of ['chosen.png', 'dropped.png', 'pasted.png'])
    await expect(files(page).getByText(name)).toBeVisible();
  await page.getByRole('button', { name: 'Remove dropped.png' }).click();
  await expect(files(page).getByText('dropped.png')).toBeHidden();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(files(page)).toBeHidden();

  const sent = log(page).getByRole('article').filter({ hasText: 'Look at this' });
  const image = sent.getByRole('img', { name: 'chosen.png' });
  await expect(image).toBeVisible();
  await expect(sent.getByRole('img', { name: 'pasted.png' })).toBeVisible();
  await expect
    .poll(() => image.evaluate((one: HTMLImageElement) => one.naturalWidth), 'it is loaded')
    .toBe(1);
  await accessible(page);
  const [message] = await server.call<{ attachments: string[] }[]>(
    account,
    'GET',
    `/v1/messages?owner=${encodeURIComponent(OURS)}&contact=${encodeURIComponent(THEIRS)}`,
  );
  expect(message?.attachments.map((url) => url.split('/').at(-1))).toEqual([
    'chosen.png',
    'pasted.png',
  ]);
});

test('what cannot be sent along is refused, with the reason', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  await composer(page).fill('x');
  await choose(
    page,
    { name: 'run.exe', mimeType: 'application/x-msdownload', buffer: PNG },
    { name: 'huge.png', mimeType: 'image/png', buffer: Buffer.alloc(1_572_865) },
    { name: 'nothing.png', mimeType: 'image/png', buffer: Buffer.alloc(0) },
    { name: 'good.png', mimeType: 'image/png', buffer: PNG },
  );
  await expect(page.getByText('run.exe: Messages cannot carry this kind of file')).toBeVisible();
  await expect(
    page.getByText('huge.png: This file is too large: one may have 1.5 MB.'),
  ).toBeVisible();
  await expect(page.getByText('nothing.png: This file is empty.')).toBeVisible();
  await expect(files(page).getByRole('listitem')).toHaveCount(1);
  await accessible(page);
  // What the server refuses or does not answer is said in the same place; the text stays.
  await page.route('**/v1/attachments?**', (route) => route.fulfill({ status: 500, body: '{}' }));
  await choose(page, { name: 'later.png', mimeType: 'image/png', buffer: PNG });
  await expect(page.getByText('later.png: The server failed at this (500)')).toBeVisible();
  await page.unroute('**/v1/attachments?**');
  await page.route('**/v1/attachments?**', (route) => route.abort());
  await choose(page, { name: 'cut.png', mimeType: 'image/png', buffer: PNG });
  await expect(page.getByText('cut.png: The server does not answer')).toBeVisible();
  await expect(files(page).getByRole('listitem')).toHaveCount(1);
  await expect(composer(page)).toHaveValue('x');
});

test('received files are shown and played, and one that is gone says so', async ({
  page,
  server,
  account,
}) => {
  await server.silentPhone(account, OURS);
  const file = (name: string, content_type: string, content: Buffer) => ({
    name,
    content_type,
    content: content.toString('base64'),
  });
  await server.call(account, 'POST', '/v1/messages/receive', {
    from: THEIRS,
    to: OURS,
    content: 'four files',
    encrypted: false,
    sim: 'SIM1',
    timestamp: new Date().toISOString(),
    attachments: [
      file('photo.png', 'image/png', PNG),
      file('voice.mp3', 'audio/mpeg', MP3),
      file('broken.mp4', 'video/mp4', Buffer.from('not a video')),
      file('paper.pdf', 'application/pdf', Buffer.from('%PDF-1.4')),
    ],
  });
  await page.goto(`/inbox/${OURS}/${THEIRS}`);
  const article = log(page).getByRole('article').filter({ hasText: 'four files' });
  await expect(article.getByRole('img', { name: 'photo.png' })).toBeVisible();
  const voice = article.getByLabel('voice.mp3');
  await expect
    .poll(() => voice.evaluate((one: HTMLMediaElement) => one.duration), 'it can be played')
    .toBeGreaterThan(0.5);
  // What cannot be played here can still be opened.
  await expect(article.getByRole('link', { name: 'broken.mp4' })).toBeVisible();
  await expect(article.getByRole('link', { name: 'paper.pdf' })).toBeVisible();
  await accessible(page);
  await picture(page, 'attachments');

  rmSync(join(server.data, 'attachments'), { recursive: true });
  await page.reload();
  for (const name of ['photo.png', 'voice.mp3', 'broken.mp4', 'paper.pdf'])
    await expect(article.getByText(`${name} is not kept any more`)).toBeVisible();
  await accessible(page);
});
