// When a phone was there, told by its heartbeats.

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

/** Phones beat each 15 minutes; one that missed a beat is quiet, after an hour the server calls it away. */
const QUIET = 32 * MINUTE;
const AWAY = HOUR;

export type Presence = 'online' | 'quiet' | 'away' | 'unheard';

/** Where a phone is, by its latest heartbeat. */
export function presenceOf(beat: Beat | undefined, now: number): Presence {
  if (!beat) return 'unheard';
  const silent = now - Date.parse(beat.timestamp);
  if (silent > AWAY) return 'away';
  return silent > QUIET ? 'quiet' : 'online';
}

/**
 * When it was away within `within`: more than an hour without a heartbeat. Before its first
 * heartbeat of all, nothing is known of it. Oldest first.
 */
export function gapsOf(beats: readonly Beat[], within: Span): Span[] {
  const times = beats.map((beat) => Date.parse(beat.timestamp)).sort((a, b) => a - b);
  if (!times.length) return [];
  const gaps: Span[] = [];
  [...times, within.to].reduce((before, next) => {
    if (next - before > AWAY) gaps.push({ from: before, to: next });
    return next;
  });
  return gaps
    .map(({ from, to }) => ({ from: Math.max(from, within.from), to: Math.min(to, within.to) }))
    .filter(({ from, to }) => to > from);
}

/** The part of `known` in which it was not away, from 0 to 1; null if nothing is known. */
export function uptimeOf(gaps: readonly Span[], known: Span): number | null {
  const length = known.to - known.from;
  if (length <= 0) return null;
  return 1 - gaps.reduce((sum, gap) => sum + overlap(gap, known), 0) / length;
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
    cells.push({ ...cell, part: uptimeOf(gaps, seen) });
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
