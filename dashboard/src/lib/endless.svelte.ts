// Lists without end, newest first: read in pieces, followed live at their head.
import { asFault, type Fault } from '$/api/client';

interface Dated {
  id: string;
  order_timestamp: string;
}

/** How many are read at once. */
export const PIECE = 50;
/** And further down, where one scrolls fast. */
const FURTHER = 200;
/** Who is so near to the end reads on: later sooner, so that the next ones are there before they are needed. */
const ahead = (count: number) => (count > PIECE ? 2 * PIECE : 5);
/** So many are kept at most; of the others only their places. */
const KEPT = 2000;
/** Milliseconds until what could not be read is tried again. */
const REST = 3000;

/** The place of one that was read, but is too far from what is in sight to be kept. */
export class Far {
  /** No message or conversation looks like one of these by chance. */
  declare readonly far: true;
  constructor(
    readonly id: string,
    readonly order_timestamp: string,
  ) {}
}

/** Reads so many of the newest that come before a time, and before an id among those of that time. */
export type Piece<T> = (limit: number, before?: string, beforeId?: string) => Promise<T[]>;

/**
 * Reads it piece by piece, as far as `see` says that it is looked at. What is done for each piece and
 * each event costs little however much was read before. Make a new one when what it lists changes
 * (another thread, another filter), and `close` it when nobody looks any more.
 */
export class Endless<T extends Dated> {
  items = $state.raw<readonly (T | Far)[]>([]);
  state = $state<'loading' | 'ready' | 'fault'>('loading');
  fault = $state.raw<Fault | undefined>();
  /** Nothing older is left. */
  complete = $state(false);
  #piece: Piece<T>;
  #reading = false;
  #stale = false;
  #resting: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #hidden = new Set<string>();
  /** Ids of `items`. */
  #known = new Set<string>();
  /** The first and the last row that are looked at. */
  #sight: [number, number] = [0, 0];
  /** About so many of `items` are not `Far`. */
  #kept = 0;

  constructor(piece: Piece<T>) {
    this.#piece = piece;
    void this.refresh();
  }

  /** Tells which rows are looked at: what they lack is read, and what is far from them is let go. */
  see(first: number, last: number): void {
    this.#sight = [first, last];
    void this.#go();
  }

  /** Reads the head again; asked while it reads, it reads once more afterwards. */
  async refresh(): Promise<void> {
    this.#stale = true;
    await this.retry();
  }

  /** Tries at once what could not be read, instead of after a while. */
  async retry(): Promise<void> {
    clearTimeout(this.#resting);
    this.#resting = undefined;
    await this.#go();
  }

  /** Reads no more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#resting);
  }

  /** Whether it was read. */
  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** Takes one off the screen, such as one that is about to be deleted. */
  hide(...ids: string[]): void {
    ids.forEach((id) => this.#hidden.add(id));
    this.#show(this.items);
  }

  /** Shows it again. */
  unhide(...ids: string[]): void {
    ids.forEach((id) => this.#hidden.delete(id));
    void this.refresh();
  }

  /** Puts a changed one in the place of the old one, or a new one at the head. */
  put(item: T): void {
    if (this.#hidden.has(item.id)) return;
    this.#kept++;
    this.#known.add(item.id);
    this.items = this.#near(put<T | Far>(this.items, item));
  }

  /** Reads what is lacking, one thing at a time, so that each goes on from what the others have read. */
  async #go(): Promise<void> {
    if (this.#closed || this.#reading || this.#resting !== undefined) return;
    const next = this.#next();
    if (!next) return;
    this.#reading = true;
    try {
      await next();
      this.fault = undefined;
    } catch (error) {
      this.#failed(error);
    }
    this.#reading = false;
    if (this.state === 'ready') void this.#go();
  }

  #next(): (() => Promise<void>) | undefined {
    if (this.#stale) return () => this.#head();
    if (this.state !== 'ready') return;
    const [first, last] = this.#sight;
    const far = this.items.slice(first, last + 1).findIndex((item) => item instanceof Far);
    if (far >= 0) return () => this.#restore(first + far);
    if (!this.complete && last >= this.items.length - ahead(this.items.length))
      return () => this.#more();
    return;
  }

  async #head(): Promise<void> {
    this.#stale = false;
    const head = await this.#piece(PIECE).catch((error: unknown) => {
      this.#stale = true;
      throw error;
    });
    const list = joined<T | Far>(head, this.items, head.length < PIECE);
    // Where all of the earlier ones were dropped, the older ones are to be read again.
    if (list.length === head.length) this.complete = head.length < PIECE;
    this.#kept += head.length;
    this.#show(list);
    this.state = 'ready';
  }

  /** Reads what is older than the last one. */
  async #more(): Promise<void> {
    const last = this.items.at(-1);
    const older = await this.#piece(FURTHER, last?.order_timestamp, last?.id);
    const news = older.filter((item) => !this.#known.has(item.id) && !this.#hidden.has(item.id));
    // Less than was asked for, or only doubles, with which the cursor does not move on: the end.
    this.complete = older.length < FURTHER || news.length === 0;
    news.forEach((item) => this.#known.add(item.id));
    this.#kept += news.length;
    this.items = this.#near(this.items.concat(news));
  }

  /** Reads again what is around a place. */
  async #restore(at: number): Promise<void> {
    const before = this.items[Math.max(0, at - FURTHER / 2) - 1];
    const piece = await this.#piece(FURTHER, before?.order_timestamp, before?.id);
    this.#kept += piece.length;
    this.#show(renewed<T | Far>(this.items, piece, before, piece.length < FURTHER));
  }

  #show(list: readonly (T | Far)[]): void {
    const shown = this.#hidden.size ? list.filter((item) => !this.#hidden.has(item.id)) : list;
    this.#known = new Set(shown.map((item) => item.id));
    this.items = this.#near(shown);
  }

  /** Once many are kept, lets go of those that are far from what is looked at. */
  #near(list: readonly (T | Far)[]): readonly (T | Far)[] {
    if (this.#kept <= KEPT) return list;
    const [from, to] = [this.#sight[0] - KEPT / 4, this.#sight[1] + KEPT / 4];
    this.#kept = 0;
    return list.map((item, at) => {
      if (item instanceof Far) return item;
      if (at < from || at > to) return new Far(item.id, item.order_timestamp);
      this.#kept++;
      return item;
    });
  }

  #failed(error: unknown): void {
    this.fault = asFault(error);
    // What is on screen stays there, and what it lacks is tried again.
    if (this.state === 'loading') this.state = 'fault';
    else if (!this.#closed) this.#resting = setTimeout(() => void this.retry(), REST);
  }
}

/**
 * The list with a piece in the place of what it has between the one `before` the piece and the last of
 * the piece: what the piece lacks there is gone. `end` says that the list ends with the piece.
 */
export function renewed<T extends Dated>(
  list: readonly T[],
  piece: readonly T[],
  before: Dated | undefined,
  end: boolean,
): T[] {
  const from = before ? list.findIndex((item) => item.id === before.id) + 1 : 0;
  // It went somewhere else meanwhile: whoever looks asks again.
  if (before && from === 0) return [...list];
  const fresh = new Set(piece.map((item) => item.id));
  const last = list.findLastIndex((item) => fresh.has(item.id));
  const newer = place(list, piece.at(-1)?.order_timestamp ?? '');
  const to = end ? list.length : Math.max(from, last + 1, newer);
  const without = (part: readonly T[]) => part.filter((item) => !fresh.has(item.id));
  return [...without(list.slice(0, from)), ...piece, ...list.slice(to)];
}

/**
 * A fresh head before what was read earlier. Of the earlier ones only those stay that are older than
 * all of the head: a newer one that the head lacks is gone. Without a common one there may be a gap
 * between the two, and the earlier ones are dropped.
 */
export function joined<T extends Dated>(
  head: readonly T[],
  earlier: readonly T[],
  whole: boolean,
): readonly T[] {
  if (whole || !earlier.length) return head;
  const fresh = new Set(head.map((item) => item.id));
  if (!earlier.some((item) => fresh.has(item.id))) return head;
  const older = earlier
    .slice(place(earlier, head.at(-1)?.order_timestamp ?? ''))
    .filter((item) => !fresh.has(item.id));
  return head.concat(older);
}

/** The list with a changed one in the place of the old one, or with a new one where its time is. */
export function put<T extends Dated>(list: readonly T[], item: T): T[] {
  const at = list.findIndex((one) => one.id === item.id);
  if (at >= 0 && list[at]?.order_timestamp === item.order_timestamp) return list.with(at, item);
  const others = at >= 0 ? list.toSpliced(at, 1) : list;
  return others.toSpliced(place(others, item.order_timestamp), 0, item);
}

/** How many of the list, newest first, are newer than a time. */
function place(list: readonly Dated[], time: string): number {
  const wanted = Date.parse(time);
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Date.parse(list[middle]?.order_timestamp ?? '') > wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
