// Facts in words.
import type { Delivery } from '$/api/schema';
import { said } from '$/lib/said';
import { clock, duration } from '$/lib/time.svelte';
import { words } from '$/words';
import type { Wait } from './state';

/** Why a delivery waits: `try 3 of 5 at 09:15:28`. */
export function waitText(wait: Wait): string {
  switch (wait.why) {
    case 'paused':
      return words.webhooks.waitsPaused;
    case 'retry':
      return words.webhooks.waitsRetry(wait.attempt, wait.tries, clock(wait.at, true));
    case 'turn':
      return words.webhooks.waitsTurn;
    case 'soon':
      return words.webhooks.waitsSoon;
  }
}

/** What came back last: the status, or why there was none. */
export function answerOf(delivery: Pick<Delivery, 'status' | 'error'>): string | number {
  return delivery.status ?? (delivery.error ? said(delivery.error) : '');
}

/** `1 s, 5 s, 1 min` */
export function waitsText(seconds: number[]): string {
  return seconds.map(duration).join(', ');
}
