// What Ctrl K finds: places and actions at once, things by asking the server.

export interface Found {
  /** Unique in the list. */
  id: string;
  label: string;
  /** A second, quieter text. */
  hint?: string;
  group: string;
  /** Goes there, or does it. */
  run: () => void;
}

/** Finds things for a text; called a moment after the last key. */
export type Source = (text: string) => Promise<Found[]>;

const sources = new Set<Source>();
let open = $state(false);

export function paletteOpen(): boolean {
  return open;
}

export function showPalette(show: boolean): void {
  open = show;
}

/** Adds a source (`frame/findings.ts` has them). Returns how to take it away. */
export function addSource(source: Source): () => void {
  sources.add(source);
  return () => sources.delete(source);
}

/** Asks all sources; one that fails finds nothing. */
export async function findAll(text: string): Promise<Found[]> {
  const found = await Promise.allSettled([...sources].map((source) => source(text)));
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

/** Whether all words of `text` begin words of the label. */
export function fits(label: string, text: string): boolean {
  const words = label.toLowerCase().split(/\s+/);
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((part) => words.some((one) => one.includes(part)));
}
