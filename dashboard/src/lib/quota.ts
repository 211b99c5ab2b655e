// How much of the operator's quota of messages is used.
import type { BillingUsage } from '$/api/schema';

/** From this share on the page speaks of it unasked; the server mails then, too. */
const NEAR = 0.8;

export interface Quota {
  /** Sent and received. */
  used: number;
  most: number;
  state: 'well' | 'near' | 'spent';
  /** When the next period begins. */
  until: string;
}

type Cycle = Pick<
  BillingUsage,
  'sent_messages' | 'received_messages' | 'message_quota' | 'end_timestamp'
>;

/** Nothing where any number may be sent. */
export function quotaOf(cycle: Cycle): Quota | undefined {
  const most = cycle.message_quota;
  if (most === null) return undefined;
  const used = cycle.sent_messages + cycle.received_messages;
  const state = used >= most ? 'spent' : used >= NEAR * most ? 'near' : 'well';
  return { used, most, state, until: cycle.end_timestamp };
}
