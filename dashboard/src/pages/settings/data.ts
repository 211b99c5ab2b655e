// What the settings read and write.
import { send } from '$/api/client';

export interface ApiKey {
  id: string;
  name: string;
  /** How the key begins. */
  hint: string;
  scopes: Scope[];
  last_used_at: string | null;
  expires_at: string | null;
  revoked_at: string | null;
  created_at: string;
}
export const SCOPES = ['send', 'read', 'phones', 'webhooks', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Session {
  id: string;
  agent: string;
  created_at: string;
  seen_at: string;
  expires_at: string;
  current: boolean;
}

/** Days; 0 is for ever. */
export interface Retention {
  messages_days: number;
  events_days: number;
  deliveries_days: number;
  heartbeats_days: number;
}

export interface Day {
  /** In the account's zone, `2026-03-04`. */
  day: string;
  sent: number;
  received: number;
  failed: number;
}

export interface Cycle {
  id: string;
  sent_messages: number;
  received_messages: number;
  start_timestamp: string;
  end_timestamp: string;
}

export interface Discord {
  id: string;
  name: string;
  server_id: string;
  incoming_channel_id: string;
}

export const apiKeys = () => send<ApiKey[]>('GET', '/v1/api-keys', { query: { limit: 100 } });
export const sessions = () => send<Session[]>('GET', '/v1/sessions');
export const retention = () => send<Retention>('GET', '/v1/users/me/retention');
export const discords = () =>
  send<Discord[]>('GET', '/v1/discord-integrations', { query: { limit: 10 } });
