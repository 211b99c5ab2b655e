// What these pages read and do, by the keys that the event stream makes stale.
import { SvelteSet } from 'svelte/reactivity';
import { api, call } from '$/api/client';
import type { Health, Webhook } from '$/api/schema';
import { queries } from '$/lib/query';
import { router } from '$/lib/router.svelte';
import { say, sayFault, undoable } from '$/lib/toasts.svelte';
import { words } from '$/words';
import { BARS } from './state';

/** Deleted ones that can still be brought back. */
const gone = new SvelteSet<string>();

export const webhooks = () => ({
  queryKey: ['webhooks'],
  queryFn: () => call(api.GET('/v1/webhooks', { params: { query: { limit: 100 } } })),
});

/** Of a webhook that is paused nothing moves; otherwise what waits will, without an event. */
export const health = ({ id, paused_at }: Webhook) => ({
  queryKey: ['deliveries', id, 'health'],
  queryFn: () => call(api.GET('/v1/webhooks/{id}/health', { params: { path: { id } } })),
  refetchInterval: (query: { state: { data?: Health | undefined } }) =>
    query.state.data?.backlog && !paused_at ? 3000 : false,
});

/** The latest that were attempted, for a small chart. */
export const latest = (id: string) => ({
  queryKey: ['deliveries', id, 'latest'],
  queryFn: () =>
    call(
      api.GET('/v1/webhooks/{id}/deliveries', {
        params: { path: { id }, query: { limit: BARS } },
      }),
    ),
});

export const phones = () => ({
  queryKey: ['phones'],
  queryFn: () => call(api.GET('/v1/phones', { params: { query: { limit: 100 } } })),
});

/** Those that are not on their way out. */
export function kept(list: Webhook[] | undefined): Webhook[] {
  return (list ?? []).filter((webhook) => !gone.has(webhook.id));
}

/** Does something to webhooks and reads again what it changed; says what went wrong. */
export async function act(what: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await what();
    if (done) say(done, 'good');
    return true;
  } catch (error) {
    sayFault(error);
    return false;
  } finally {
    readAgain();
  }
}

export function readAgain(): void {
  for (const key of ['webhooks', 'deliveries', 'replays', 'status']) {
    void queries.invalidateQueries({ queryKey: [key] });
  }
}

export function remove(webhook: Webhook): void {
  const { id } = webhook;
  gone.add(id);
  router.go('/webhooks');
  undoable(
    words.webhooks.deleted(webhook.url),
    words.common.undo,
    async () => {
      // Outlives the page, should it be left before the time to undo is over.
      await call(api.DELETE('/v1/webhooks/{id}', { params: { path: { id } }, keepalive: true }));
      readAgain();
    },
    () => gone.delete(id),
  );
}
