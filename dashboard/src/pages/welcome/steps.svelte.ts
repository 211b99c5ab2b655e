// The first steps of a new account: what is done of them, as the server knows it.
import { createQuery } from '@tanstack/svelte-query';
import { api, call } from '$/api/client';
import { listThreads } from '../inbox/threads.svelte';

const HIDDEN = 'httpsms.first-steps-done';

export interface Steps {
  readonly phone: boolean;
  readonly message: boolean;
  readonly webhook: boolean;
  /** Not all of them are done, nor put away, and it is known which. */
  readonly shown: boolean;
  /** Shows them no more. */
  hide(): void;
}

export function firstSteps(): Steps {
  let hidden = $state(localStorage.getItem(HIDDEN) !== null);
  const one = { params: { query: { limit: 1 } } };
  const phones = createQuery(() => ({
    queryKey: ['phones', 'any'],
    queryFn: () => call(api.GET('/v1/phones', one)),
    enabled: !hidden,
  }));
  const threads = createQuery(() => ({
    queryKey: ['threads', 'any'],
    queryFn: () => listThreads({ phone: '', show: 'all', text: '' }, 1),
    enabled: !hidden,
  }));
  const webhooks = createQuery(() => ({
    queryKey: ['webhooks', 'any'],
    queryFn: () => call(api.GET('/v1/webhooks', one)),
    enabled: !hidden,
  }));
  return {
    get phone() {
      return !!phones.data?.length;
    },
    get message() {
      return !!threads.data?.length;
    },
    get webhook() {
      return !!webhooks.data?.length;
    },
    get shown() {
      const known = phones.data && threads.data && webhooks.data;
      return !hidden && !!known && !(this.phone && this.message && this.webhook);
    },
    hide() {
      hidden = true;
      localStorage.setItem(HIDDEN, 'yes');
    },
  };
}
