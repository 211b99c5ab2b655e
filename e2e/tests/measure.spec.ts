// How fast the page is: no tests, but programs that print figures (`npm run measure`). They need quiet,
// and a program that has the dashboard inside.
import { cpus } from 'node:os';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixture.ts';

const OURS = '+18005550199';
const THEIRS = '+18005550100';
const MESSAGES = Number(process.env.MESSAGES ?? 100_000);
const THREADS = Number(process.env.THREADS ?? 10_000);

test.beforeAll(() => console.log(`${cpus().length} × ${cpus()[0]?.model}`));

function tell(figure: string, reached: string): void {
  console.log(`| ${figure} | ${reached} |`);
}

/** The smallest value that so many percent do not exceed. */
function percentile(values: number[], percent: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? NaN;
}

const spread = (values: number[]) =>
  [50, 99, 100].map((percent) => `${percentile(values, percent).toFixed(0)} ms`).join(' / ');

/** Milliseconds that are scrolled at most. */
const LIMIT = Number(process.env.LIMIT ?? 200_000);

interface Run {
  frames: number[];
  /** Rows in the page at most. */
  rows: number;
}

/** Scrolls on by so many pixels each frame, until the text is there or for so many frames. */
function scroll(page: Page, scroller: string, step: number, until: string | number): Promise<Run> {
  return page.evaluate(
    async ({ scroller, step, until, LIMIT }) => {
      const element = document.querySelector(scroller);
      if (!element) throw new Error(`no ${scroller}`);
      const frames: number[] = [];
      let rows = 0;
      const frame = () => new Promise<number>((next) => requestAnimationFrame(next));
      let before = await frame();
      const end = before + LIMIT;
      while (before < end) {
        element.scrollBy({ top: step });
        const now = await frame();
        frames.push(now - before);
        before = now;
        if (frames.length % 30) continue;
        rows = Math.max(rows, element.querySelectorAll('article, li').length);
        if (typeof until === 'number') {
          if (frames.length < until) continue;
          return { frames, rows };
        }
        const there = document.evaluate(`.//*[text()='${until}']`, element, null, 9, null);
        if (there.singleNodeValue) return { frames, rows };
      }
      return { frames, rows };
    },
    { scroller, step, until, LIMIT },
  );
}

async function memory(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name: string) => metrics.find((one) => one.name === name)?.value ?? NaN;
  await session.detach();
  return `${(of('JSHeapUsedSize') / 1e6).toFixed(0)} MB, ${of('Nodes')} nodes`;
}

function tellRun(name: string, { frames, rows }: Run): void {
  const slow = frames.filter((frame) => frame > 50).length;
  tell(`${name}: frames, p50 / p99 / slowest`, `${frames.length}; ${spread(frames)}`);
  tell(`${name}: frames over 50 ms`, `${slow} (${((100 * slow) / frames.length).toFixed(2)} %)`);
  tell(`${name}: rows in the page at most`, `${rows}`);
}

test('scrolling through very much @measure', async ({ page, server, account }) => {
  test.setTimeout(1_500_000);
  await server.silentPhone(account, OURS);
  const begun = Date.now();
  await server.history(account, OURS, THREADS, (at) => `+1415${5550000 + at}`);
  await server.history(account, OURS, MESSAGES, () => THEIRS);
  tell(
    'messages, conversations',
    `${MESSAGES}, ${THREADS + 1}; stored in ${Date.now() - begun} ms`,
  );

  let from = Date.now();
  await page.goto('/inbox');
  await expect(
    page.getByRole('list', { name: 'Conversations' }).getByRole('link').first(),
  ).toBeVisible();
  tell('inbox opened', `${Date.now() - from} ms`);
  await page.evaluate(() => {
    document
      .querySelector('ul[aria-label=Conversations]')
      ?.parentElement?.setAttribute('id', 'list');
  });
  // The oldest of the many conversations; the long one is younger than all of them.
  tellRun('inbox, 1,200 px a frame', await scroll(page, '#list', 1200, 'number 0'));
  tell('inbox: memory with all conversations read', await memory(page));

  // All files of the page are there; the rest is between it and the server alone.
  await page.unrouteAll();
  await page.evaluate(() => document.querySelector('#list')?.scrollTo({ top: 0 }));
  from = Date.now();
  await page
    .locator('#list')
    .getByRole('link', { name: `number ${MESSAGES - 1}` })
    .click();
  const last = page.getByRole('log').getByText(`number ${MESSAGES - 1}`, { exact: true });
  await expect(last).toBeVisible();
  tell('long conversation opened', `${Date.now() - from} ms`);
  tellRun('conversation, 3,000 px a frame', await scroll(page, '[role=log]', -3000, 'number 0'));
  const oldest = await page.getByRole('log').getByRole('article').first().innerText();
  tell('conversation: the oldest message that was reached', oldest.split('\n')[0] ?? '');
  tell('conversation: memory after that', await memory(page));

  from = Date.now();
  await server.incoming(account, THEIRS, OURS, 'and one more');
  await page.getByRole('button', { name: 'To the newest' }).click();
  await expect(page.getByRole('log').getByText('and one more')).toBeInViewport();
  tell('conversation: a new one comes, and back to it', `${Date.now() - from} ms`);
  // A quick hand: 30 screens a second.
  tellRun('conversation, 400 px a frame', await scroll(page, '[role=log]', -400, 1500));
});

interface Watching {
  seen: Record<string, number>;
}

test('from the phone to the eye @measure', async ({ page, server, account }) => {
  test.setTimeout(300_000);
  await server.silentPhone(account, OURS);
  await server.history(account, OURS, 500, (at) => `+1415555${1000 + at}`);
  await page.goto('/inbox');
  await expect(page.getByText('All well')).toBeVisible();
  // Notes when a text has been painted.
  await page.evaluate(() => {
    const seen: Record<string, number> = {};
    (window as unknown as Watching).seen = seen;
    const look = () => {
      for (const [word] of document.body.innerText.matchAll(/latency-\d+/g)) {
        if (word in seen) continue;
        seen[word] = NaN;
        requestAnimationFrame(() =>
          setTimeout(() => (seen[word] = performance.timeOrigin + performance.now())),
        );
      }
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  const sent: number[] = [];
  const answered: number[] = [];
  const now = () => performance.timeOrigin + performance.now();
  for (let at = 0; at < 100; at++) {
    sent.push(now());
    await server.incoming(account, `+1415555${1000 + at}`, OURS, `latency-${at}`);
    answered.push(now());
    await new Promise((later) => setTimeout(later, 100 + Math.random() * 500));
  }
  await expect
    .poll(() => page.evaluate(() => Object.keys((window as unknown as Watching).seen).length))
    .toBe(100);
  const seen = await page.evaluate(() => (window as unknown as Watching).seen);
  const took = sent.map((time, at) => (seen[`latency-${at}`] ?? NaN) - time);
  tell(
    'received message stored: p50 / p99 / slowest',
    spread(sent.map((time, at) => (answered[at] ?? NaN) - time)),
  );
  tell('received message seen in the open inbox: p50 / p99 / slowest', spread(took));
});

test('a cold load @measure', async ({ page, server, account }) => {
  await server.silentPhone(account, OURS);
  await server.history(account, OURS, 500, (at) => `+1415555${1000 + at}`);
  await page.addInitScript(() => {
    const look = () => {
      if (!document.querySelector('ul[aria-label=Conversations] a')) return;
      watcher.disconnect();
      requestAnimationFrame(() => setTimeout(() => performance.mark('interactive')));
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, { subtree: true, childList: true });
  });
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const kinds = new Map<string, string>();
  let bytes: Record<string, number> = {};
  session.on('Network.responseReceived', (one) => kinds.set(one.requestId, one.type));
  session.on('Network.loadingFinished', (one) => {
    const kind = kinds.get(one.requestId) ?? '';
    bytes[kind] = (bytes[kind] ?? 0) + one.encodedDataLength;
  });
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    bytes = {};
    await page.goto('/inbox');
    await page.waitForFunction(() => performance.getEntriesByName('interactive').length > 0);
    times.push(
      await page.evaluate(() => performance.getEntriesByName('interactive')[0]?.startTime ?? NaN),
    );
  }
  tell('cold load until the conversations are there: p50 / p99 / slowest', spread(times));
  tell('JavaScript over the wire', `${((bytes.Script ?? 0) / 1000).toFixed(0)} KB`);
  tell('styles over the wire', `${((bytes.Stylesheet ?? 0) / 1000).toFixed(0)} KB`);
});
