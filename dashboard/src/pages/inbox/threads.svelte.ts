// Conversations: which ones are listed, and what can be done with one.
import { onDestroy } from 'svelte';
import { send } from '$/api/client';
import type { MessageThread as Thread } from '$/api/schema';
import { Endless } from '$/lib/endless.svelte';
import { live } from '$/lib/live.svelte';
import { queries } from '$/lib/query';

/** A conversation of one of our numbers with somebody. */
export type { Thread };

export interface Filter {
  /** One of our numbers; all when empty. */
  phone: string;
  show: 'all' | 'unread' | 'archived';
  text: string;
}

export function listThreads(
  filter: Filter,
  limit: number,
  before?: string,
  beforeId?: string,
): Promise<Thread[]> {
  return send<Thread[]>('GET', '/v1/message-threads', {
    query: {
      owner: filter.phone,
      all: filter.phone ? undefined : true,
      is_archived: filter.show === 'archived',
      unread: filter.show === 'unread' || undefined,
      query: filter.text,
      before,
      before_id: beforeId,
      limit,
    },
  });
}

/** An endless list that follows the events as long as its component lives. */
export function liveThreads(filter: Filter): Endless<Thread> {
  const list = new Endless<Thread>((limit, before, id) => listThreads(filter, limit, before, id));
  follow(() => void list.refresh());
  return list;
}

/** Calls `act` on events of messages and conversations; at once, then at most some times a second. */
function follow(act: () => void): void {
  let [resting, again] = [false, false];
  const go = () => {
    again = resting;
    if (resting) return;
    resting = true;
    act();
    setTimeout(() => {
      resting = false;
      if (again) go();
    }, 300);
  };
  onDestroy(live.hear((event) => event.type.startsWith('message') && go()));
  onDestroy(live.onReturn(go));
  changed.add(go);
  onDestroy(() => changed.delete(go));
}

/** Lists to be told of changes that make no event, such as having read something. */
const changed = new Set<() => void>();

function tell(): void {
  changed.forEach((act) => act());
  void queries.invalidateQueries({ queryKey: ['threads'] });
}

/** The conversation between two numbers, archived or not. */
export async function findThread(owner: string, contact: string): Promise<Thread | null> {
  for (const show of ['all', 'archived'] as const) {
    const found = await listThreads({ phone: owner, show, text: contact }, 20);
    const thread = found.find((one) => one.contact === contact);
    if (thread) return thread;
  }
  return null;
}

/** Those marked unread by hand, which are not read by being on screen until they are opened again. */
const leftUnread = new Set<string>();
const pair = (owner: string, contact: string) => `${owner} ${contact}`;

export async function changeThread(
  thread: Thread,
  change: { is_read?: boolean; is_archived?: boolean },
): Promise<Thread> {
  if (change.is_read === false) leftUnread.add(pair(thread.owner, thread.contact));
  const updated = await send<Thread>('PUT', `/v1/message-threads/${thread.id}`, { json: change });
  tell();
  return updated;
}

/** Marks as read what is on screen, unless it was marked unread since it was opened. */
export async function readShown(thread: Thread): Promise<void> {
  const left = leftUnread.has(pair(thread.owner, thread.contact));
  if (thread.is_read || left || document.hidden) return;
  await changeThread(thread, { is_read: true });
}

/** To be called when a conversation is put on screen: from now on it counts as read. */
export function opening(owner: string, contact: string): void {
  leftUnread.delete(pair(owner, contact));
}

export async function deleteThread(thread: Thread): Promise<void> {
  await send('DELETE', `/v1/message-threads/${thread.id}`);
  tell();
}
