import { expect, test } from 'vitest';
import { keyOf, open, seal } from './cipher';

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
const COUNTING = '000102030405060708090a0b0c0d0e0f';

// What other clients and phones make of the same.
test.each([
  [
    'Password123',
    COUNTING,
    'This is a test text message',
    'AAECAwQFBgcICQoLDA0ODxc55TlqA2YWGXtjwGbX8jX4p+aYD4NonCnpkw==',
  ],
  ['Password123', '00'.repeat(16), 'A', 'AAAAAAAAAAAAAAAAAAAAAFM='],
  ['Password123', COUNTING, '0123456789abcdef', 'AAECAwQFBgcICQoLDA0OD3Ngvnl+XyMBQGJ2x3bHtyc='],
  [
    'correct horse battery staple',
    'f0e0d0c0b0a090807060504030201000',
    'Ünïcødé ✓ 😀 second line\nend',
    '8ODQwLCgkIBwYFBAMCAQABnJxlXu310yFdmdbNfLcZlBDYnwnm8iXuRP8d5hfUq08WsnEw==',
  ],
  ['k', 'ff'.repeat(16), '', '/////////////////////w=='],
  [
    'clé-ключ',
    '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
    'x'.repeat(40),
    'Dx4tPEtaaXiHlqW0w9Lh8L+nu57tfo+vrE22s6orlraxH2JQlRr7YohFjNcGFswP0D6xOpshUOw=',
  ],
])('%s', async (passphrase, iv, text, content) => {
  const key = await keyOf(passphrase);
  expect(await seal(key, text, hex(iv))).toBe(content);
  expect(await open(key, content)).toBe(text);
});

test('the IV is new each time, and spaces around the passphrase do not matter', async () => {
  const [one, two] = [await keyOf('secret'), await keyOf(' secret ')];
  const sealed = await seal(one, 'hello');
  expect(await seal(one, 'hello')).not.toBe(sealed);
  expect(await open(two, sealed)).toBe('hello');
});

test('what is not encrypted, or with another key, is no text', async () => {
  const key = await keyOf('secret');
  expect(await open(key, 'Hello, no base64!')).toBeNull();
  expect(await open(key, 'AAAA')).toBeNull();
  expect(await open(await keyOf('other'), await seal(key, '✓'.repeat(40)))).toBeNull();
});
