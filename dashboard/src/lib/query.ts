// What was read from the server, by key; the event stream makes keys stale.
import { QueryClient } from '@tanstack/svelte-query';
import { asFault } from '$/api/client';

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream says when something is old.
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // What was refused stays refused; what could not be reached may be back soon.
      retry: (failures, error) => failures < 2 && asFault(error).status === 0,
      retryDelay: 800,
    },
  },
});
