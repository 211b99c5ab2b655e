import type { StatusReasonKind, WaitingCode } from '$/api/schema';

/** What a message waits for, by the API's codes. */
export const waiting = {
  asked_time: 'It waits for the time that was asked for.',
  bulk_turn: 'It waits for its turn in a bulk send.',
  resume: 'It waits until its bulk send goes on, which is paused.',
  hours: 'It waits for the hours in which its phone may send.',
  slot: (perMinute: string) =>
    perMinute
      ? `It waits for its slot: this phone sends ${perMinute} a minute.`
      : 'It waits for its slot, by the limits of its phone.',
  phone: (since: string) =>
    since
      ? `The phone is offline, last heard of on ${since}. It is woken when it is back.`
      : 'The phone is offline and was never heard of. It is woken when it comes.',
  wake_up: 'The phone is being woken.',
  fetch: 'The phone was woken and has not fetched it yet.',
  report: 'The phone has it and has not said yet what became of it.',
  delivery_report: 'It was sent. That it arrived may still be reported.',
  deleted_phone: 'Its phone was deleted.',
} satisfies Record<WaitingCode, unknown>;

/** More about a step of a message. */
export const step = {
  asked: (time: string) => `To be sent on ${time}`,
  slot: (time: string) => `Its slot is ${time}`,
  silence: (wakeUp: number, last: boolean) =>
    `No report after wake-up ${wakeUp}${last ? ', the last one' : ''}`,
};

/** What to look at: `subject` is a phone or the address of a webhook. */
export const attention = {
  phone_offline: (subject: string, since: string) =>
    since
      ? `${subject}: offline, last heard of on ${since}`
      : `${subject}: offline, never heard of`,
  queue_held: (subject: string, until: string, count: number) =>
    `${subject}: ${count === 1 ? '1 message waits' : `${count} messages wait`} until it may send, on ${until}`,
  webhook_failing: (subject: string, since: string) => `${subject}: failing since ${since}`,
  webhook_paused: (subject: string, since: string) => `${subject}: paused since ${since}`,
  webhook_stopped: (subject: string, since: string) =>
    `${subject}: paused on ${since}, because it failed for too long`,
} satisfies Record<StatusReasonKind, unknown> & Record<string, unknown>;
