import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';
import { compress } from './compress.ts';

// While developing, the running server answers the API. HTTPSMS_KEY signs every request in.
const server = process.env.HTTPSMS_SERVER ?? 'http://127.0.0.1:8000';
const key = process.env.HTTPSMS_KEY;
const proxy = { target: server, headers: key ? { 'x-api-key': key } : {} };

export default defineConfig({
  plugins: [svelte(), tailwindcss(), compress()],
  resolve: {
    alias: { $: fileURLToPath(new URL('./src', import.meta.url)) },
    // Components under test run as in a browser.
    conditions: process.env.VITEST ? ['browser'] : undefined,
  },
  build: {
    target: 'es2023',
    // These know light-dark(), so that themes need no second set of rules.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    // The page's policy allows no data: URLs.
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/v1': proxy, '/docs': proxy, '/openapi.json': proxy, '/health': proxy } },
  test: { include: ['src/**/*.test.ts'], setupFiles: ['src/browser.setup.ts'] },
});
