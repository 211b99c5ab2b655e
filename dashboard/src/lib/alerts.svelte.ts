// Notices of new messages outside of the page: by the browser, and by a sound. Both are asked for in
// the settings and are kept in this browser.
import type { LoggedEvent } from '$/api/types';
import { words } from '$/words';
import { live } from './live.svelte';
import { readable } from './number';
import { preferences } from './preferences.svelte';
import { places, router } from './router.svelte';
import { chime } from './chime';

/** What came before the page was looked at again is no news any more. */
const FRESH = 2 * 60_000;

/** `none`: this browser has no notifications, or none for pages without https. */
export type Permission = NotificationPermission | 'none';

let permission = $state<Permission>('Notification' in window ? Notification.permission : 'none');

export const alerts = {
  get permission(): Permission {
    return permission;
  },
  /** Whether new messages are told by the browser. */
  get shown(): boolean {
    return preferences.notify.value === 'on' && permission === 'granted';
  },
};

/** Switches notifications on or off; the first time the browser asks the person. */
export async function showAlerts(on: boolean): Promise<void> {
  if (on && permission !== 'none') permission = await Notification.requestPermission();
  preferences.notify.value = on && permission === 'granted' ? 'on' : 'off';
}

export function soundAlerts(on: boolean): void {
  preferences.sound.value = on ? 'on' : 'off';
  // So that one hears what was chosen.
  if (on) chime();
}

interface Received {
  message_id: string;
  owner: string;
  contact: string;
  content: string;
  encrypted: boolean;
}

/** Tells of messages as they come; returns what ends it. */
export function watchAlerts(): () => void {
  return live.hear((event) => {
    if (event.type === 'message.phone.received') tell(event);
  });
}

function tell(event: LoggedEvent): void {
  const message = event.data as unknown as Received;
  const address = places.thread(message.owner, message.contact);
  const seen = !document.hidden && router.path === new URL(address, location.href).pathname;
  if (seen || Date.now() - Date.parse(event.time) > FRESH) return;
  if (preferences.sound.value === 'on') chime();
  if (alerts.shown) show(message, address);
}

function show(message: Received, address: string): void {
  try {
    const notice = new Notification(readable(message.contact), {
      body: message.encrypted ? words.inbox.encrypted : message.content,
      // Several tabs say it once.
      tag: message.message_id,
    });
    notice.onclick = () => {
      window.focus();
      router.go(address);
      notice.close();
    };
  } catch {
    // Browsers of phones have notifications only for installed apps.
    permission = 'none';
  }
}
