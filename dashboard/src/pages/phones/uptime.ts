// When a phone was there, told by its heartbeats and the gaps between them.
import type { PhoneHealth } from '$/api/schema';

export interface Beat {
  timestamp: string;
}

/** From one time to another, in milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Phones beat each 15 minutes; one that missed a beat is late. */
const LATE = 32 * MINUTE;

export type Presence = 'online' | 'late' | 'offline' | 'unheard';

/** Where a phone is: the server says that it is offline, its latest heartbeat that it is late. */
export function presenceOf(
  phone: { online: boolean; last_heartbeat_at: string | null },
  beat: Beat | undefined,
  now: number,
): Presence {
  const heard = beat?.timestamp ?? phone.last_heartbeat_at;
  if (!phone.online) return 'offline';
  if (!heard) return 'unheard';
  const silent = now - Date.parse(heard);
  if (silent > HOUR) return 'offline';
  return silent > LATE ? 'late' : 'online';
}

/** Gaps within a time; one that is not over goes on to its end. */
export function gapsOf(health: PhoneHealth, within: Span): Span[] {
  return health.gaps
    .map((gap) => ({
      from: Math.max(Date.parse(gap.from), within.from),
      to: Math.min(gap.to ? Date.parse(gap.to) : within.to, within.to),
    }))
    .filter(({ from, to }) => to > from);
}

/** The part of a time of which something is known: from the first heartbeat or gap on. */
export function knownOf(health: PhoneHealth, within: Span): Span {
  const starts = [...health.buckets, ...health.gaps].map((one) => Date.parse(one.from));
  const from = starts.length ? Math.max(within.from, Math.min(...starts)) : within.to;
  return { from, to: within.to };
}

/** The part of `span` in which it was not away, from 0 to 1; null if there is none. */
export function partOf(gaps: readonly Span[], span: Span): number | null {
  const length = span.to - span.from;
  if (length <= 0) return null;
  return 1 - gaps.reduce((sum, gap) => sum + overlap(gap, span), 0) / length;
}

function overlap(one: Span, other: Span): number {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));
}

export interface Cell extends Span {
  /** The part of it in which the phone was there, from 0 to 1; null: not known, or yet to come. */
  part: number | null;
}

/** `within` in hours that begin on the hour. */
export function hoursOf(gaps: readonly Span[], within: Span, known: Span): Cell[] {
  const cells: Cell[] = [];
  for (let from = Math.floor(within.from / HOUR) * HOUR; from < within.to; from += HOUR) {
    const cell = { from, to: from + HOUR };
    const seen = { from: Math.max(cell.from, known.from), to: Math.min(cell.to, known.to) };
    cells.push({ ...cell, part: partOf(gaps, seen) });
  }
  return cells;
}

/** Minutes since the heartbeat before each one; null for the oldest. Newest first. */
export function intervalsOf(newestFirst: readonly Beat[]): (number | null)[] {
  return newestFirst.map((beat, at) => {
    const before = newestFirst[at + 1];
    return before ? (Date.parse(beat.timestamp) - Date.parse(before.timestamp)) / MINUTE : null;
  });
}
