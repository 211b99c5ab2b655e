import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { StatusReason, TimelineStep, WaitingFor } from '$/api/schema';
import { chooseLanguage, type Words } from '$/words';
import { de } from '$/words/de';
import { en } from '$/words/en';
import { attentionText, stepText, waitingText } from './reasons';

interface Document {
  components: { schemas: Record<string, { enum: string[] }> };
}
const file = join(import.meta.dirname, '../../../docs/openapi.json');
const { schemas } = (JSON.parse(readFileSync(file, 'utf8')) as Document).components;
const codes = (name: string) => schemas[name]?.enum ?? [];
const AT = '2026-03-04T08:15:28Z';

beforeEach(() => chooseLanguage('de'));

test.each([
  ['WaitingCode', (words: Words) => words.waiting],
  ['TimelineStepName', (words: Words) => words.inbox.steps],
  ['StatusReasonKind', (words: Words) => words.attention],
  ['MessageStatus', (words: Words) => words.status],
  ['DeliveryState', (words: Words) => words.webhooks.state],
])('every code of %s has words in each language', (name, part) => {
  expect(codes(name).length).toBeGreaterThan(1);
  for (const words of [en, de]) {
    expect(Object.keys(part(words))).toEqual(expect.arrayContaining(codes(name)));
  }
});

test('nothing that a message waits for is said in the server’s words', () => {
  for (const code of codes('WaitingCode')) {
    for (const more of [null, AT]) {
      const waiting = { code, until: AT, heartbeat_at: more, per_minute: more && 10 };
      const text = waitingText(waiting as WaitingFor, 'It waits.');
      expect(text, code).toMatch(/^(Sie|Das Telefon|Ihr Telefon) /);
    }
  }
  const unknown = { code: 'moon', until: null, heartbeat_at: null, per_minute: null };
  expect(waitingText(unknown as unknown as WaitingFor, 'It waits for the moon.')).toBe(
    'It waits for the moon.',
  );
});

test('steps and what to look at have their details', () => {
  const step = { at: AT, detail: 'x', reason: null, attempt: 2, is_final: true, scheduled_at: AT };
  const told = (name: string) => stepText({ ...step, step: name } as TimelineStep);
  expect(told('accepted')).toMatch(/^Zu senden am 4\. März 2026/);
  expect(told('scheduled')).toMatch(/^Ihr Platz ist 4\. März 2026/);
  expect(told('expired')).toBe('Keine Meldung nach Weckruf 2, dem letzten');
  for (const kind of codes('StatusReasonKind')) {
    for (const at of [null, AT]) {
      const reason = { kind, subject: 'Büro', text: 'Desk: x', link: '/', at, count: 3 };
      expect(attentionText(reason as StatusReason), kind).toMatch(/^Büro: (?!x)/);
    }
  }
});
