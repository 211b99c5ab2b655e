import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/', 'src/api/schema.d.ts', 'public/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      // The type checker knows better which names exist.
      'no-undef': 'off',
      // Own router: links are plain addresses.
      'svelte/no-navigation-without-resolve': 'off',
      'no-console': 'error',
      // Plain dates and sets that nobody watches stay plain.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
);
