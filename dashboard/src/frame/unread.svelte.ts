// How many conversations wait to be read: on the rail and in the tab's title.
import { createQuery } from '@tanstack/svelte-query';
import { send } from '$/api/client';

/** `GET /v1/message-threads/counts` */
export interface Counts {
  unread: number;
  archived: number;
  by_owner: { owner: string; unread: number }[];
}

export function countsQuery() {
  return createQuery(() => ({
    queryKey: ['threads', 'counts'],
    queryFn: () => send<Counts>('GET', '/v1/message-threads/counts'),
  }));
}

export function unread(): { readonly count: number } {
  const counts = countsQuery();
  return {
    get count() {
      return counts.data?.unread ?? 0;
    },
  };
}
