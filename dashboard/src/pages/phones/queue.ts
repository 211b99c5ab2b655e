// Why a message is still in its phone's queue.
import type { Message } from '$/api/schema';
import type { Presence } from './uptime';

export type Hold =
  | { why: 'asked'; at: string }
  | { why: 'slot'; at: string }
  | { why: 'away'; since: string | undefined }
  | { why: 'woken'; attempt: number; tries: number }
  | { why: 'phone'; since: string | null };

/** Statuses of what waits. */
export const WAITING = ['pending', 'scheduled', 'sending'] as const;

/** Why it waits; `heard` is when the phone was last heard of. */
export function holdOf(
  message: Message,
  presence: Presence,
  heard: string | undefined,
  now: number,
): Hold {
  if (message.status === 'sending') return { why: 'phone', since: message.last_attempted_at };
  const later = (time: string | null) => !!time && Date.parse(time) > now;
  const { scheduled_send_time: asked, scheduled_at: slot } = message;
  if (asked && later(asked) && (!slot || Date.parse(slot) <= Date.parse(asked))) {
    return { why: 'asked', at: asked };
  }
  if (slot && later(slot)) return { why: 'slot', at: slot };
  if (presence === 'away' || presence === 'unheard') return { why: 'away', since: heard };
  const { send_attempt_count: attempt, max_send_attempts: tries } = message;
  return { why: 'woken', attempt: Math.max(1, attempt), tries: Math.max(tries, attempt, 1) };
}

/** What leaves next comes first. */
export function inOrder(messages: readonly Message[]): Message[] {
  const due = (one: Message) =>
    Date.parse(one.scheduled_at ?? one.scheduled_send_time ?? one.request_received_at);
  return [...messages].sort((a, b) => due(a) - due(b));
}
