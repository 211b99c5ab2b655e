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

/** Reads so many of the newest that come before a time, and before an id among those of that time. */
export type Piece<T> = (limit: number, before?: string, beforeId?: string) => Promise<T[]>;

/**
 * Reads it piece by piece. What is done for each piece and each event costs little however much was
 * read before. Make a new one when what it lists changes (another thread, another filter).
 */
export class Endless<T extends Dated> {
  items = $state.raw<T[]>([]);
  state = $state<'loading' | 'ready' | 'fault'>('loading');
  fault = $state.raw<Fault | undefined>();
  /** Nothing older is left. */
  complete = $state(false);
  #piece: Piece<T>;
  #reading = false;
  #again = false;
  #hidden = new Set<string>();
  /** Ids of `items`. */
  #known = new Set<string>();

  constructor(piece: Piece<T>) {
    this.#piece = piece;
    void this.refresh();
  }

  /** Reads what is older than the last one. */
  async more(): Promise<void> {
    if (this.#reading || this.complete || this.state === 'loading') return;
    this.#reading = true;
    try {
      const last = this.items.at(-1);
      const older = await this.#piece(FURTHER, last?.order_timestamp, last?.id);
      const news = older.filter((item) => !this.#known.has(item.id) && !this.#hidden.has(item.id));
      // Only doubles: the cursor does not move on, so this is the end.
      this.complete = news.length === 0;
      news.forEach((item) => this.#known.add(item.id));
      this.items = this.items.concat(news);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#finish();
    }
  }

  /** Reads the head again; asked while it reads, it reads once more afterwards. */
  async refresh(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    try {
      const head = await this.#piece(PIECE);
      this.#show(joined(head, this.items, head.length < PIECE));
      if (head.length < PIECE) this.complete = true;
      this.state = 'ready';
      this.fault = undefined;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#finish();
    }
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
    this.#show(put(this.items, item));
  }

  #show(list: T[]): void {
    this.items = this.#hidden.size ? list.filter((item) => !this.#hidden.has(item.id)) : list;
    this.#known = new Set(this.items.map((item) => item.id));
  }

  #failed(error: unknown): void {
    this.fault = asFault(error);
    // What is on screen stays there.
    if (this.state === 'loading') this.state = 'fault';
  }

  #finish(): void {
    this.#reading = false;
    if (this.#again) {
      this.#again = false;
      void this.refresh();
    }
  }
}

/**
 * A fresh head before what was read earlier. Of the earlier ones only those stay that are older than
 * all of the head: a newer one that the head lacks is gone. Without a common one there may be a gap
 * between the two, and the earlier ones are dropped.
 */
export function joined<T extends Dated>(head: T[], earlier: T[], whole: boolean): T[] {
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
