import { expect, test } from 'vitest';
import { pairing } from './pair';

test('a code is one address with server and key, as docs/dashboard.md has it', () => {
  expect(pairing('https://sms.example.org', 'pk_0a1b')).toBe(
    'httpsms://pair?server=https%3A%2F%2Fsms.example.org&key=pk_0a1b',
  );
  const read = new URL(pairing('http://192.168.1.5:8000', 'pk_1')).searchParams;
  expect([...read]).toEqual([
    ['server', 'http://192.168.1.5:8000'],
    ['key', 'pk_1'],
  ]);
});
