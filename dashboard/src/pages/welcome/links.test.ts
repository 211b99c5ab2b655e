import { expect, test } from 'vitest';
import { secret } from './links';

test('a link has its secret after the hash', () => {
  expect(secret('#/setup?key=uk_1%2B2', 'key')).toBe('uk_1+2');
  expect(secret('#/password?token=a-_b', 'token')).toBe('a-_b');
  expect(secret('#/setup', 'key')).toBe('');
  expect(secret('', 'token')).toBe('');
});
