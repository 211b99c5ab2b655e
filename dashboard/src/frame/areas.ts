// The places of the rail: their sign, their key, and the page that is loaded when somebody goes there.
import Inbox from '@lucide/svelte/icons/inbox';
import Layers from '@lucide/svelte/icons/layers';
import Search from '@lucide/svelte/icons/search';
import Settings from '@lucide/svelte/icons/settings';
import Smartphone from '@lucide/svelte/icons/smartphone';
import Webhook from '@lucide/svelte/icons/webhook';
import type { Component } from 'svelte';
import type { Area } from '$/lib/router.svelte';

/** A page gets the words of its address after the area's. */
export type PageOf = Component<{ rest: string[] }>;

interface Place {
  icon: typeof Inbox;
  /** After `g`. */
  key: string;
  load: () => Promise<{ default: PageOf }>;
}

export const AREA: Record<Area, Place> = {
  inbox: { icon: Inbox, key: 'i', load: () => import('$/pages/inbox/Inbox.svelte') },
  webhooks: { icon: Webhook, key: 'w', load: () => import('$/pages/webhooks/Webhooks.svelte') },
  phones: { icon: Smartphone, key: 'p', load: () => import('$/pages/phones/Phones.svelte') },
  bulk: { icon: Layers, key: 'b', load: () => import('$/pages/bulk/Bulk.svelte') },
  search: { icon: Search, key: 's', load: () => import('$/pages/search/Search.svelte') },
  settings: { icon: Settings, key: ',', load: () => import('$/pages/settings/Settings.svelte') },
};
