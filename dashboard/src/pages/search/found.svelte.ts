// Found messages: read in pieces, followed live where they are on screen.
import { SvelteSet } from 'svelte/reactivity';
import { api, asFault, call, queryText, type Fault } from '$/api/client';
import type { LoggedEvent, Message } from '$/api/types';
import { asked, type Filters } from './filters';

/** How many are read at once. */
const PIECE = 100;
/** One request acts on so many at most. */
export const MOST = 1000;
/** The server counts no further. */
export const COUNTED = 10_000;
/** Changes of a burst are read together. */
const REST = 500;

export class Found {
  items = $state.raw<Message[]>([]);
  state = $state<'loading' | 'ready' | 'fault'>('loading');
  fault = $state.raw<Fault | undefined>();
  total = $state<number>();
  /** Messages that came since, which may fit. */
  fresh = $state(0);
  selected = new SvelteSet<string>();
  readonly filters: Filters;
  readonly #zone: string;
  #complete = false;
  #reading = false;
  /** Read so far, but for what was deleted here. */
  #skip = 0;
  #known = new Set<string>();
  /** Ids of `fresh`: one for later is told of twice. */
  #news = new Set<string>();
  #hidden = new Set<string>();
  #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(filters: Filters, zone: string) {
    this.filters = filters;
    this.#zone = zone;
    void this.more();
  }

  /** Reads the next ones. */
  async more(): Promise<void> {
    if (this.#reading || this.#complete || this.#closed) return;
    this.#reading = true;
    try {
      const first = this.#skip === 0;
      const piece = await this.#read(this.#skip, first);
      if (this.#closed) return;
      this.#complete = piece.length < PIECE;
      this.#skip += piece.length;
      // New ones push older ones along: they come twice.
      const news = piece.filter((one) => !this.#known.has(one.id));
      news.forEach((one) => this.#known.add(one.id));
      this.#show([...this.items, ...news]);
      this.state = 'ready';
      this.fault = undefined;
    } catch (error) {
      this.fault = asFault(error);
      if (this.state === 'loading') this.state = 'fault';
    } finally {
      this.#reading = false;
    }
  }

  async #read(skip: number, count: boolean): Promise<Message[]> {
    const query = {
      ...asked(this.filters, this.#zone),
      sort_by: this.filters.sort,
      sort_descending: this.filters.descending,
      skip,
      limit: PIECE,
      count,
    };
    const request = api.GET('/v1/messages/search', { params: { query } });
    const piece = await call(request);
    const counted = (await request).response.headers.get('x-total-count');
    if (counted !== null) this.total = Number(counted);
    return piece;
  }

  /** Where everything that is found can be had as a file. */
  get file(): string {
    return `/v1/messages/export${queryText(asked(this.filters, this.#zone))}`;
  }

  /** Follows an event: shown messages change, new ones are counted. */
  hear(event: LoggedEvent): void {
    // The name differs by the type, as in the reference.
    const data = event.data as { message_id?: unknown; id?: unknown } | undefined;
    const id = data?.message_id ?? data?.id;
    if (typeof id !== 'string' || this.state !== 'ready') return;
    if (!this.#known.has(id)) {
      if (BEGINS.includes(event.type)) this.fresh = this.#news.add(id).size;
      return;
    }
    this.#changed.add(id);
    this.#timer ??= setTimeout(() => void this.#renew(), REST);
  }

  async #renew(): Promise<void> {
    this.#timer = undefined;
    const ids = [...this.#changed].slice(0, 50);
    ids.forEach((id) => this.#changed.delete(id));
    const read = ids.map((id) =>
      call(api.GET('/v1/messages/{id}', { params: { path: { id } } })).catch((error: unknown) =>
        asFault(error).status === 404 ? id : undefined,
      ),
    );
    const now = new Map<string, Message>();
    const gone = new Set<string>();
    for (const one of await Promise.all(read)) {
      if (typeof one === 'string') gone.add(one);
      else if (one) now.set(one.id, one);
    }
    gone.forEach((id) => this.#gone(id));
    this.#show(this.items.map((one) => now.get(one.id) ?? one));
    if (this.#changed.size) this.#timer ??= setTimeout(() => void this.#renew(), REST);
  }

  #gone(id: string): void {
    this.#hidden.add(id);
    this.selected.delete(id);
    this.#skip = Math.max(0, this.#skip - 1);
  }

  /** Takes some off the screen; the returned function puts them back where they were. */
  hide(ids: readonly string[]): () => void {
    const before = this.items;
    const total = this.total;
    ids.forEach((id) => this.#hidden.add(id));
    this.#skip = Math.max(0, this.#skip - ids.length);
    if (total !== undefined && total < COUNTED) this.total = Math.max(0, total - ids.length);
    this.#show(this.items);
    this.selected.clear();
    return () => {
      ids.forEach((id) => this.#hidden.delete(id));
      this.#skip += ids.length;
      this.total = total;
      const later = this.items.filter((one) => !before.some((old) => old.id === one.id));
      this.#show([...before, ...later]);
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #show(list: Message[]): void {
    this.items = list.filter((one) => !this.#hidden.has(one.id));
  }
}

/** Events with which a message begins. */
const BEGINS = [
  'message.api.scheduled',
  'message.api.sent',
  'message.phone.received',
  'message.call.missed',
];

/** Deletes many in one request. */
export function deleteAll(ids: string[]): Promise<unknown> {
  return call(api.POST('/v1/messages/bulk-delete', { body: { ids }, keepalive: true }));
}

/** Sends many again in one request. */
export function resendAll(ids: string[]): Promise<unknown> {
  return call(api.POST('/v1/messages/bulk-resend', { body: { ids }, keepalive: true }));
}

/** Whether it can be sent again. */
export function canResend(message: Message): boolean {
  return (
    message.type === 'mobile-terminated' &&
    (message.status === 'failed' || message.status === 'expired')
  );
}
