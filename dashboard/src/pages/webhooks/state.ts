// How webhooks and deliveries are doing, as facts; words and colours come later.
import type { Delivery, Health, Webhook } from '$/api/schema';
import type { Bar } from '$/ui/Bars.svelte';
import { triesOf } from './policy';

export type Condition = 'paused' | 'stopped' | 'failing' | 'shaky' | 'unused' | 'well';

/** A webhook's condition in a word. `stopped` was paused by the server, after days of failures. */
export function conditionOf(webhook: Webhook, health: Health | undefined): Condition {
  if (webhook.paused_at) return webhook.pause_reason === 'failing' ? 'stopped' : 'paused';
  if (webhook.failing_since) return 'failing';
  if (!health?.attempts) return 'unused';
  return (health.success_rate ?? 1) < 0.95 ? 'shaky' : 'well';
}

/** Why a delivery is not at its end. */
export type Wait =
  | { why: 'paused'; since: string }
  | { why: 'retry'; at: string; attempt: number; tries: number }
  | { why: 'soon'; at: string | null }
  | { why: 'turn' };

/** Why it waits; null for one that is delivered or given up. */
export function waitOf(delivery: Delivery, webhook: Webhook, now: number): Wait | null {
  if (delivery.state === 'delivered' || delivery.state === 'failed') return null;
  if (webhook.paused_at) return { why: 'paused', since: webhook.paused_at };
  const at = delivery.next_attempt_at;
  if (delivery.state === 'retrying' && at && Date.parse(at) > now) {
    const attempt = delivery.attempts + 1;
    return { why: 'retry', at, attempt, tries: Math.max(attempt, triesOf(webhook.retry_schedule)) };
  }
  const paced = webhook.ordering === 'contact' || webhook.max_per_second || webhook.max_concurrency;
  return paced ? { why: 'turn' } : { why: 'soon', at };
}

/** How many bars there are; what is not there yet is empty. */
export const BARS = 40;

/** Bars of the latest deliveries, oldest first: as high as they took long; failed ones are full. */
export function barsOf(newestFirst: Delivery[], label: (delivery: Delivery) => string): Bar[] {
  const longest = Math.max(1, ...newestFirst.map((one) => one.duration_us ?? 0));
  const bars: Bar[] = [...newestFirst].reverse().map((one) => {
    const well = one.state === 'delivered';
    const value = well ? Math.max(longest / 12, one.duration_us ?? 0) : longest;
    return {
      label: label(one),
      value,
      tone: well ? 'good' : one.state === 'failed' ? 'bad' : 'warn',
    };
  });
  const room = Math.max(0, BARS - bars.length);
  return [...Array.from({ length: room }, () => ({ label: '', value: 0 })), ...bars];
}

/** Whether something will become of one of them by itself, so that it is worth looking again. */
export function inFlight(deliveries: readonly Delivery[], webhook: Webhook | undefined): boolean {
  if (!webhook || webhook.paused_at) return false;
  return deliveries.some((one) => one.state === 'waiting' || one.state === 'retrying');
}

/** The host and the rest of an address, for two lines. */
export function splitUrl(url: string): { host: string; path: string } {
  try {
    const { host, pathname, search } = new URL(url);
    return { host, path: pathname + search };
  } catch {
    return { host: url, path: '' };
  }
}
