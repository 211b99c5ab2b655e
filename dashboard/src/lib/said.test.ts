import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { chooseLanguage } from '$/words';
import { en } from '$/words/en';
import { FORMS, said, saidApart, saidOfField, type Sentence } from './said';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** What only programs are told: no form of the page can cause it. */
const NOT_FOR_PEOPLE = [
  /^The signature is not valid$/,
  /^failed to validate the subscription payment invoice ID$/,
];

/** Whether a sentence has words of the page. */
const known = (text: string) => FORMS.some(([, form]) => form.test(text));
const strange = (texts: string[]) =>
  [...new Set(texts)].filter(
    (text) => !known(text) && !NOT_FOR_PEOPLE.some((form) => form.test(text)),
  );

beforeEach(() => chooseLanguage('de'));

test('every refusal of the recorded contract is known', () => {
  const lines = read('crates/api/tests/wire/contract.txt').split('\n');
  const fields = lines.flatMap((line, at) => {
    const data = lines[at + 1] ?? '';
    if (!line.startsWith('< 422 ') || !data.startsWith('< data ')) return [];
    return Object.values(JSON.parse(data.slice(7)) as Record<string, string[]>).flat();
  });
  expect(fields.length).toBeGreaterThan(50);
  expect(strange(fields)).toEqual([]);
  const messages = lines.flatMap((line) => /^< (?:400|402|404|409|422) (.*)/.exec(line)?.[1] ?? []);
  const billing = /^the account has no subscription$/;
  expect(strange(messages).filter((text) => !billing.test(text))).toEqual([]);
});

/** The sentences in the server's code that begin like this, with something put in for each `{…}`. */
function written(folder: string, form: RegExp): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.rs') && !/reference|describe|shape/.test(file))
    .flatMap((file) => {
      const [code = ''] = read(join(folder, file)).split('#[cfg(test)]');
      return [...code.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, text = '']) => text);
    })
    .filter((text) => form.test(text))
    .map(filled);
}

const E164 = 'must be a valid E.164 phone number in the international format e.g +18005550100';

function filled(text: string): string {
  return text
    .replace('{E164}', E164)
    .replace('{FEW_DIGITS}', 'must contain only digits and must be less than 14 characters')
    .replace(/field \{\}/, `field ${E164}`)
    .replace('{must_be}', 'one of structured, binary, 3cx')
    .replace('{why}', 'is of a message whose phone is gone')
    .replace(/\{[^}]*\}/g, '5');
}

test('every rule of a field in the server’s code is known', () => {
  const rules = ['crates/api/src', 'crates/gateway/src'].flatMap((folder) =>
    written(folder, /^[Tt]he (?:\{\w+\}|[\w.]+) field /),
  );
  expect(rules.length).toBeGreaterThan(50);
  expect(strange(rules)).toEqual([]);
});

test('every cause of a failed attempt is known', () => {
  const causes = [...read('crates/courier/src/failure.rs').matchAll(/#\[error\("(.*?)"/g)];
  expect(causes.length).toBeGreaterThan(5);
  expect(strange(causes.map(([, text = '']) => filled(text)))).toEqual([]);
});

test('every sentence of the catalogue has a form, and all of them can be said', () => {
  const named = new Set<Sentence>(FORMS.map(([name]) => name));
  expect([...named].sort()).toEqual((Object.keys(en.said) as Sentence[]).sort());
  for (const [name, form] of FORMS) {
    const groups = new RegExp(`${form.source}|`, form.flags).exec('')?.length ?? 1;
    const takes = en.said[name];
    expect(typeof takes === 'string' ? 0 : takes.length, name).toBe(groups - 1);
  }
});

test.each([
  ['The content field must be maximum 1024 char', 'Höchstens 1024 Zeichen.'],
  [
    'Row [3]: The ToPhoneNumber [24] is not a valid E.164 phone number',
    'Zeile 3: Der Empfänger 24 ist keine Nummer mit Landesvorwahl.',
  ],
  ['day_of_week 1 contains overlapping windows', 'Montag: Die Zeiten überschneiden sich.'],
  [
    'cannot send notification to your phone [+18005550199]: the push service was not reached: connection refused',
    'Das Telefon +18005550199 war nicht zu wecken: Der Push-Dienst war nicht zu erreichen: Dort hört niemand zu: Die Verbindung wurde abgelehnt.',
  ],
  ['No route for this number', 'No route for this number'],
])('%s', (sentence, expected) => {
  expect(said(sentence)).toBe(expected);
});

test('what is missing is only missing, and a field that is not seen is named', () => {
  const missing = ['The to field is required', `The to field ${E164}`];
  expect(saidOfField(missing)).toEqual(['Das wird gebraucht.']);
  expect(saidApart('to', missing)).toEqual(['to: Das wird gebraucht.']);
  const none = ['The events field is required', 'The events field is an empty array'];
  expect(saidOfField(none)).toEqual(['Wählen Sie mindestens ein Ereignis.']);
  const row = ['The uploaded file must contain less than 1000 records.'];
  expect(saidApart('document', row)).toEqual(['In dieser Datei sind mehr als 1000 Zeilen.']);
  // The server says of an unknown sender twice that it is unknown.
  const sender = [
    "no phone found with with 'from' number [+18005550177]. Install the android app on your phone to start sending messages",
    "could not validate 'from' number [+18005550177], please try again later",
  ];
  expect(saidOfField(sender)).toHaveLength(1);
});
