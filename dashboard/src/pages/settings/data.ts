// What the settings read and write.
import { api, call } from '$/api/client';

export type {
  Account,
  ApiKey,
  BillingUsage as Cycle,
  DailyUsage as Day,
  PasswordLink,
  Retention,
  Scope,
  Session,
} from '$/api/schema';

export const SCOPES = ['send', 'read', 'phones', 'webhooks', 'admin'] as const;

export const apiKeys = () => call(api.GET('/v1/api-keys', { params: { query: { limit: 100 } } }));
/** Days; 0 is for ever. */
export const retention = () => call(api.GET('/v1/users/me/retention'));
export const discords = () =>
  call(api.GET('/v1/discord-integrations', { params: { query: { limit: 10 } } }));
