// Why things are where they are, by the codes of the API, in the page's language. A code that this page
// does not know yet is shown in the server's own words.
import type { StatusReason, TimelineStep, WaitingFor } from '$/api/schema';
import { words } from '$/words';
import { said } from './said';
import { count, exact, withTimes } from './time.svelte';

/** What a message waits for; `sentence` is what the server says of it. */
export function waitingText(waiting: WaitingFor | null | undefined, sentence: string): string {
  if (!waiting) return withTimes(sentence);
  switch (waiting.code) {
    case 'slot':
      return words.waiting.slot(waiting.per_minute ? count(waiting.per_minute) : '');
    case 'phone':
      return words.waiting.phone(time(waiting.heartbeat_at));
    default:
      return words.waiting[waiting.code] ?? withTimes(sentence);
  }
}

/** More about a step of a message, if there is more. */
export function stepText(step: TimelineStep): string | null {
  if (step.step === 'accepted' && step.scheduled_at)
    return words.step.asked(exact(step.scheduled_at));
  if (step.step === 'scheduled' && step.scheduled_at)
    return words.step.slot(exact(step.scheduled_at));
  if (step.step === 'expired' && step.attempt)
    return words.step.silence(step.attempt, step.is_final === true);
  return step.detail ? said(step.detail) : null;
}

/** What to look at. */
export function attentionText(reason: StatusReason): string {
  const { kind, subject } = reason;
  const at = time(reason.at);
  switch (kind) {
    case 'phone_offline':
      return words.attention.phone_offline(subject, at);
    case 'queue_held':
      return words.attention.queue_held(subject, at, reason.count ?? 1);
    case 'webhook_failing':
      return words.attention.webhook_failing(subject, at);
    case 'webhook_paused':
      return reason.pause_reason === 'failing'
        ? words.attention.webhook_stopped(subject, at)
        : words.attention.webhook_paused(subject, at);
    default:
      return withTimes(reason.text);
  }
}

function time(at: string | null | undefined): string {
  return at ? exact(at) : '';
}
