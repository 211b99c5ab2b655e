// What every test gets: a server, an account of its own, and a page that is signed in to it.
// The page fails the test for each request to another host and each breach of its policy.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';
import { Server, type Account } from './server.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const DIST = join(import.meta.dirname, '../dashboard/dist');
/** First words of what the dashboard shows. */
const PAGES = /^\/(|(inbox|webhooks|phones|bulk|search|settings|threads)(\/.*)?)$/;
/** As the program sends it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; " +
  "media-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'";

interface Given {
  account: Account;
  /** Signed in as `account`. */
  page: Page;
  /** Things that a test expects to go wrong and that would fail it otherwise. */
  complaints: string[];
}

export const test = base.extend<Given, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.remove();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  account: async ({ server }, use) => use(await server.account()),
  complaints: async ({}, use) => use([]),
  page: async ({ page, server, account, complaints }, use) => {
    watch(page, server.url, complaints);
    if (process.env.DASHBOARD === 'dist') await fromFolder(page, server.url);
    await signIn(page, account);
    await use(page);
    expect(complaints, 'requests to other hosts, breaches of the policy, errors').toEqual([]);
  },
});

export { expect };

/** Takes the dashboard's files from its folder, not from the program. */
async function fromFolder(page: Page, url: string): Promise<void> {
  await page.route(`${url}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = join(DIST, path);
    if (!existsSync(file) && !PAGES.test(path)) return route.fallback();
    const found = path !== '/' && existsSync(file) ? file : join(DIST, 'index.html');
    await route.fulfill({
      path: found,
      headers: { 'content-security-policy': POLICY },
    });
  });
}

/** Opens a session as the sign-in page does. */
export async function signIn(page: Page, account: Account): Promise<void> {
  const { email, password } = account;
  const answer = await page.request.post('/v1/sessions', {
    data: { email, password },
  });
  if (answer.status() === 404 || answer.status() === 405)
    return page.setExtraHTTPHeaders({ 'x-api-key': account.key });
  expect(answer.status(), 'signing in').toBe(201);
}

/** Notes what no page may do. */
export function watch(page: Page, url: string, complaints: string[]): void {
  page.on('request', (request) => {
    const to = request.url();
    if (!to.startsWith(url) && !to.startsWith('blob:')) complaints.push(`request to ${to}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (line) => {
    if (line.text().includes('Content Security Policy')) complaints.push(line.text());
  });
}

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

/** No finding of axe (WCAG 2.2 A and AA) on what is shown, in either theme. */
export async function accessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await show(page, colorScheme);
    const found = await violations(page);
    expect(found.map(readable), `accessibility, ${colorScheme}`).toEqual([]);
  }
}

async function violations(page: Page): Promise<Violation[]> {
  // Through the debugger, which the page's policy does not bind.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const axe = (
      window as unknown as {
        axe: { run: (options: unknown) => Promise<unknown> };
      }
    ).axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    // Menus and lists that open above the page are outside of its landmarks.
    const rules = { region: { enabled: false } };
    const result = await axe.run({
      runOnly: tags,
      rules,
      resultTypes: ['violations'],
    });
    return (result as { violations: Violation[] }).violations;
  });
}

function readable(one: Violation): string {
  const where = one.nodes.map((node) => `${node.html}\n    ${node.failureSummary}`).join('\n  ');
  return `${one.id}: ${one.help}\n  ${where}`;
}

/** A picture of the page in each theme: `screenshots/NAME-light.png`, `screenshots/NAME-dark.png`. */
export async function picture(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await show(page, colorScheme);
    await page.screenshot({ path: `screenshots/${name}-${colorScheme}.png` });
  }
}

/** Changes the theme, and waits until the colours of the other one are there and nothing moves. */
async function show(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const moving = document
      .getAnimations()
      .filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime));
    // One that is cut short has ended, too.
    await Promise.allSettled(moving.map((one) => one.finished));
  });
}
