// A webhook as a form holds it, and as the API takes it.
import type {
  Direction,
  EventType,
  Mode,
  Preset,
  PutWebhook,
  RetrySchedule,
  Sim,
  Webhook,
} from '$/api/schema';

export const EVENTS: EventType[] = [
  'message.phone.received',
  'message.phone.sent',
  'message.phone.delivered',
  'message.send.failed',
  'message.send.expired',
  'message.call.missed',
  'phone.heartbeat.offline',
  'phone.heartbeat.online',
];

/** Tries of each named schedule, the first one included. */
const TRIES: Record<Preset, number> = { documented: 5, hour: 9, day: 13, three_days: 16 };
export const PRESETS = Object.keys(TRIES) as Preset[];

export interface Header {
  name: string;
  value: string;
}

/** What is edited. Numbers that are not set are null, as inputs have it. */
export interface Draft {
  url: string;
  /** Only of a new one; those of others are rotated. Empty: unsigned. */
  key: string;
  events: EventType[];
  all: boolean;
  numbers: string[];
  retry: Preset | 'own';
  /** Seconds of each wait, as typed: `5, 60, 600`. */
  waits: string;
  perSecond: number | null;
  concurrency: number | null;
  byContact: boolean;
  mode: Mode;
  signBody: boolean;
  catchUp: boolean;
  /** One on each line. */
  contacts: string;
  content: string;
  sims: Sim[];
  directions: Direction[];
  /** Null: they stay as they are. */
  headers: Header[] | null;
}

/** A new webhook, or a kept one to be changed. */
export function draftOf(webhook?: Webhook): Draft {
  const schedule = webhook?.retry_schedule ?? 'documented';
  const filter = webhook?.filter;
  return {
    url: webhook?.url ?? '',
    key: webhook ? '' : newKey(),
    events: webhook?.events ?? ['message.phone.received'],
    all: webhook ? !!webhook.all_phone_numbers : true,
    numbers: webhook?.phone_numbers ?? [],
    retry: Array.isArray(schedule) ? 'own' : schedule,
    waits: Array.isArray(schedule) ? schedule.join(', ') : '5, 60, 600',
    perSecond: webhook?.max_per_second ?? null,
    concurrency: webhook?.max_concurrency ?? null,
    byContact: webhook?.ordering === 'contact',
    mode: webhook?.mode ?? 'structured',
    signBody: !!webhook?.sign_body,
    catchUp: !!webhook?.catch_up,
    contacts: (filter?.contacts ?? []).join('\n'),
    content: filter?.content ?? '',
    sims: filter?.sims ?? [],
    directions: filter?.directions ?? [],
    headers: webhook ? null : [],
  };
}

/** The whole description: what it leaves out would go back to its default. */
export function putOf(draft: Draft, isNew: boolean): PutWebhook {
  return {
    url: draft.url,
    events: draft.events,
    signing_key: isNew ? draft.key : undefined,
    all_phone_numbers: draft.all,
    phone_numbers: draft.all ? undefined : draft.numbers,
    retry_schedule: scheduleOf(draft),
    max_per_second: draft.perSecond ?? undefined,
    max_concurrency: draft.concurrency ?? undefined,
    ordering: draft.byContact ? 'contact' : 'none',
    mode: draft.mode,
    sign_body: draft.signBody,
    catch_up: draft.catchUp,
    filter: {
      contacts: lines(draft.contacts),
      content: draft.content || null,
      sims: draft.sims,
      directions: draft.directions,
    },
    headers: draft.headers ? headersOf(draft.headers) : undefined,
  };
}

function scheduleOf(draft: Draft): RetrySchedule {
  if (draft.retry !== 'own') return draft.retry;
  // What is no number is sent as it is, for the server to say so.
  return draft.waits
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map((wait) => (/^\d+$/.test(wait) ? +wait : wait)) as number[];
}

function lines(text: string): string[] {
  return text
    .split(/[\n,;]+/)
    .map((line) => line.trim())
    .filter(Boolean);
}

function headersOf(headers: Header[]): Record<string, string> {
  const named = headers.filter((header) => header.name.trim());
  return Object.fromEntries(named.map(({ name, value }) => [name.trim(), value]));
}

/** How often a delivery is tried before it is given up. */
export function triesOf(schedule: RetrySchedule | null | undefined): number {
  if (Array.isArray(schedule)) return schedule.length + 1;
  return TRIES[schedule ?? 'documented'];
}

/** A key that Standard Webhooks libraries take as it is: 32 random bytes. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
