// What is looked for, as the address has it and as the API takes it.
import type { MessageStatus } from '$/api/types';

export const TYPES = ['mobile-terminated', 'mobile-originated', 'call/missed'] as const;
export type MessageType = (typeof TYPES)[number];
export const STATUSES = [
  'pending',
  'scheduled',
  'sending',
  'sent',
  'delivered',
  'failed',
  'expired',
  'received',
] as const satisfies readonly MessageStatus[];
export const SORTS = ['created_at', 'owner', 'contact', 'type', 'status'] as const;
export type Sort = (typeof SORTS)[number];

export interface Filters {
  query: string;
  owners: string[];
  types: MessageType[];
  statuses: MessageStatus[];
  /** Days in the account's zone, `2026-03-04`; both are within. */
  since: string;
  until: string;
  sort: Sort;
  descending: boolean;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Of an address; what nobody knows is left out. */
export function read(query: URLSearchParams): Filters {
  const list = (name: string) => (query.get(name) ?? '').split(',').filter(Boolean);
  const known = <T extends string>(name: string, all: readonly T[]) =>
    all.filter((one) => list(name).includes(one));
  const day = (name: string) => DAY.exec(query.get(name) ?? '')?.[0] ?? '';
  const sort = SORTS.find((one) => one === query.get('sort')) ?? 'created_at';
  return {
    query: query.get('query') ?? '',
    owners: list('owners'),
    types: known('types', TYPES),
    statuses: known('statuses', STATUSES),
    since: day('since'),
    until: day('until'),
    sort,
    // Newest first, everything else from its beginning.
    descending: (query.get('order') ?? (sort === 'created_at' ? 'desc' : 'asc')) === 'desc',
  };
}

/** Changes of an address; what is as usual is not in it. */
export function write(filters: Filters): Record<string, string | null> {
  const usual = filters.sort === 'created_at';
  return {
    query: filters.query || null,
    owners: filters.owners.join(',') || null,
    types: filters.types.join(',') || null,
    statuses: filters.statuses.join(',') || null,
    since: filters.since || null,
    until: filters.until || null,
    sort: usual ? null : filters.sort,
    order: filters.descending === usual ? null : filters.descending ? 'desc' : 'asc',
  };
}

/** Whether anything is excluded. */
export function narrow(filters: Filters): boolean {
  const { query, owners, types, statuses, since, until } = filters;
  return !!(query || owners.length || types.length || statuses.length || since || until);
}

/** What the API is asked, without order and window. */
export function asked(filters: Filters, zone: string) {
  return {
    query: filters.query.trim() || undefined,
    owners: filters.owners,
    types: filters.types,
    statuses: filters.statuses,
    since: filters.since ? dayStart(filters.since, zone) : undefined,
    until: filters.until ? dayStart(nextDay(filters.until), zone) : undefined,
  };
}

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/** The first instant of a day in a zone, as RFC 3339. */
export function dayStart(day: string, zone: string): string {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  // The offset there and then; asked twice, for the clock may change in between.
  let at = wanted - offset(wanted, zone);
  at = wanted - offset(at, zone);
  // A day that begins later than midnight, for that was skipped.
  if (offset(at, zone) + at < wanted) at += wanted - (offset(at, zone) + at);
  return new Date(at).toISOString();
}

/** Milliseconds that a zone is ahead of UTC. */
function offset(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const shown = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return shown - Math.floor(at / 1000) * 1000;
}
