// The event stream: everything on screen follows it. Cut, it goes on by its cursor.
import type { AnyEventType, LoggedEvent } from '$/api/types';
import { queries } from './query';

/** Types of events, or beginnings of them, and the queries that they make stale. */
const STALE: [string, string[]][] = [
  ['message.', ['messages', 'threads', 'usage', 'bulk', 'status', 'queue']],
  ['message-thread.', ['threads', 'messages']],
  ['phone.', ['phones', 'heartbeats', 'status', 'queue', 'phone-keys']],
  ['webhook.', ['webhooks', 'deliveries', 'replays', 'status']],
  ['message-send-schedule.', ['schedules', 'phones']],
  ['user.', ['user', 'phone-keys', 'api-keys']],
];

type Listener = (event: LoggedEvent) => void;

/** Bursts, such as a bulk send, refresh a list so often at most. */
const REST = 400;

class Live {
  /** `cut` after a while without connection; a blink is not shown. */
  state = $state<'off' | 'opening' | 'open' | 'cut'>('off');
  #source: EventSource | undefined;
  #cursor = '';
  #listeners = new Set<Listener>();
  #returned = new Set<() => void>();
  #stale = new Set<string>();
  #resting = false;
  #waits = 0;

  /** Begins to listen; once is enough. */
  start(): void {
    if (this.state === 'off') this.#open();
  }

  stop(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#cursor = '';
    this.state = 'off';
  }

  /** Hears every event until the returned function is called. */
  hear(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when the stream is back after it was cut and may have missed something. */
  onReturn(act: () => void): () => void {
    this.#returned.add(act);
    return () => this.#returned.delete(act);
  }

  #open(): void {
    if (this.state === 'off') this.state = 'opening';
    const source = new EventSource(
      `/v1/events/stream${this.#cursor && `?after=${encodeURIComponent(this.#cursor)}`}`,
    );
    this.#source = source;
    source.onopen = () => this.#opened();
    source.onerror = () => this.#failed(source);
    source.onmessage = (message) => this.#take(message);
    // Events are sent under their own type, which has to be listened for by name.
    for (const type of TYPES) source.addEventListener(type, (message) => this.#take(message));
  }

  #opened(): void {
    // What happened before the first cursor is known only by reading again.
    if (this.#waits) {
      void queries.invalidateQueries();
      this.#returned.forEach((act) => act());
    }
    this.#waits = 0;
    this.state = 'open';
  }

  #failed(source: EventSource): void {
    source.close();
    if (this.#source !== source) return;
    if (this.#waits > 1) this.state = 'cut';
    const wait = Math.min(10_000, 250 * 2 ** this.#waits++);
    setTimeout(() => this.#source === source && this.#open(), wait);
  }

  #take(message: MessageEvent<string>): void {
    if (message.lastEventId) this.#cursor = message.lastEventId;
    let event: LoggedEvent;
    try {
      event = JSON.parse(message.data) as LoggedEvent;
    } catch {
      return;
    }
    this.#listeners.forEach((listener) => listener(event));
    for (const [begin, keys] of STALE) {
      if (event.type.startsWith(begin)) keys.forEach((key) => this.#stale.add(key));
    }
    this.#refresh();
  }

  /** At once, then no more often than it can be read. */
  #refresh(): void {
    if (this.#resting || !this.#stale.size) return;
    this.#resting = true;
    const keys = [...this.#stale];
    this.#stale.clear();
    keys.forEach((key) => void queries.invalidateQueries({ queryKey: [key] }));
    setTimeout(() => {
      this.#resting = false;
      this.#refresh();
    }, REST);
  }
}

/** Every type that the server sends (docs/events). */
const TYPES: AnyEventType[] = [
  'message.api.sent',
  'message.api.scheduled',
  'message.api.deleted',
  'message.phone.sending',
  'message.phone.sent',
  'message.phone.delivered',
  'message.phone.received',
  'message.call.missed',
  'message.send.failed',
  'message.send.expired',
  'message.send.retry',
  'message.notification.scheduled',
  'message.notification.sent',
  'message.notification.failed',
  'message-thread.api.deleted',
  'message-send-schedule.deleted',
  'phone.updated',
  'phone.deleted',
  'phone.heartbeat.missed',
  'phone.heartbeat.offline',
  'phone.heartbeat.online',
  'user.account.created',
  'user.account.deleted',
  'user.api-key.rotated',
  'webhook.send.failed',
  'webhook.paused',
  'discord.send.failed',
];

export const live = new Live();
