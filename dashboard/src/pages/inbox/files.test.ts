import { expect, test } from 'vitest';
import { MOST, refusal, shownAs, typeOf } from './files';

const file = (name: string, type = '', size = 1) => ({ name, type, size });

test.each([
  [file('a.png', 'image/png'), 'image/png'],
  [file('voice.AMR'), 'audio/amr'],
  [file('card.vcf', 'text/x-vcard'), 'text/x-vcard'],
  [file('photo', 'image/jpeg'), 'image/jpeg'],
  [file('run.exe', 'application/x-msdownload'), undefined],
  [file('README'), undefined],
])('%o is %s', (given, type) => {
  expect(typeOf(given)).toBe(type);
});

test.each([
  ['a.jpg', 'image'],
  ['a.3gp', 'video'],
  ['a.b.mp3', 'audio'],
  ['a.pdf', 'other'],
  ['png', 'other'],
])('%s is shown as %s', (name, kind) => {
  expect(shownAs(name)).toBe(kind);
});

test('what is too much is refused, with the reason', () => {
  const big = file('a.png', 'image/png', MOST.bytes);
  expect(refusal(big, [])).toBeUndefined();
  expect(refusal({ ...big, size: MOST.bytes + 1 }, [])).toBe('size');
  expect(refusal(big, [big])).toBeUndefined();
  expect(refusal(file('b.png'), [big, big])).toBe('total');
  expect(refusal(file('b.png'), Array<{ size: number }>(10).fill({ size: 1 }))).toBe('count');
  expect(refusal(file('b.png', '', 0), [])).toBe('empty');
  expect(refusal(file('b.exe'), [])).toBe('type');
});
