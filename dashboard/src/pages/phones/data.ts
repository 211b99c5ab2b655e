// What these pages read and do, by the keys that the event stream makes stale.
import { SvelteSet } from 'svelte/reactivity';
import { api, call } from '$/api/client';
import type { Phone } from '$/api/schema';
import { readable } from '$/lib/number';
import { queries } from '$/lib/query';
import { router } from '$/lib/router.svelte';
import { undoable } from '$/lib/toasts.svelte';
import { words } from '$/words';

/** Deleted ones that can still be brought back. */
const gone = new SvelteSet<string>();

export const phones = () => ({
  queryKey: ['phones'],
  queryFn: () => call(api.GET('/v1/phones', { params: { query: { limit: 100 } } })),
});

export const beats = (owner: string, limit: number) => ({
  queryKey: ['heartbeats', owner, limit],
  queryFn: () => call(api.GET('/v1/heartbeats', { params: { query: { owner, limit } } })),
  // A heartbeat makes no event of its own.
  refetchInterval: 60_000,
});

/** At most so many of a queue are read; more are counted as more. */
export const QUEUE = 200;

export const queue = (id: string) => ({
  queryKey: ['queue', id],
  queryFn: () =>
    call(api.GET('/v1/phones/{id}/queue', { params: { path: { id }, query: { limit: QUEUE } } })),
});

export const health = (id: string, days: number) => ({
  queryKey: ['heartbeats', id, 'health', days],
  queryFn: () =>
    call(api.GET('/v1/phones/{id}/health', { params: { path: { id }, query: { days } } })),
  refetchInterval: 60_000,
});

/** What its owner calls it, or its number. */
export function nameOf(phone: Phone): string {
  return phone.name || readable(phone.phone_number);
}

export const schedules = () => ({
  queryKey: ['schedules'],
  queryFn: () => call(api.GET('/v1/send-schedules')),
});

export const phoneKeys = () => ({
  queryKey: ['phone-keys'],
  queryFn: () => call(api.GET('/v1/phone-api-keys', { params: { query: { limit: 100 } } })),
});

/** Those that are not on their way out. */
export function kept(list: Phone[] | undefined): Phone[] {
  return (list ?? []).filter((one) => !gone.has(one.id));
}

export function readAgain(): void {
  for (const key of ['phones', 'phone-keys', 'queue', 'status']) {
    void queries.invalidateQueries({ queryKey: [key] });
  }
}

/** Takes a phone off the screen, and deletes it when the time to undo is over. */
export function removePhone(phone: Phone): void {
  const { id } = phone;
  gone.add(id);
  router.go('/phones');
  undoable(
    words.phones.deleted(nameOf(phone)),
    words.common.undo,
    async () => {
      // Outlives the page, should it be left before that.
      await call(api.DELETE('/v1/phones/{id}', { params: { path: { id } }, keepalive: true }));
      readAgain();
    },
    () => gone.delete(id),
  );
}
