// How many conversations wait to be read: on the rail and in the tab's title.
import { createQuery } from '@tanstack/svelte-query';
import { api, call } from '$/api/client';

export function countsQuery() {
  return createQuery(() => ({
    queryKey: ['threads', 'counts'],
    queryFn: () => call(api.GET('/v1/message-threads/counts')),
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
