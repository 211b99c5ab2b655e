// Lists without end, newest first: read in pieces, followed live at their head.
import { asFault, type Fault } from '$/api/client';

interface Dated {
  id: string;
  order_timestamp: string;
}

/** How many are read at once. */
export const PIECE = 50;

/** Reads the newest ones that come before a time, and before an id among those of that time. */
export type Piece<T> = (before?: string, beforeId?: string) => Promise<T[]>;

/**
 * Reads `piece(before)`: the newest ones older than `before`, or the very newest. Make a new one
 * when what it lists changes (another thread, another filter).
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

  constructor(piece: Piece<T>) {
    this.#piece = piece;
    void this.refresh();
  }

  /** Reads what is older than the last one. */
  async more(): Promise<void> {
    if (this.#reading || this.complete || this.state === 'loading') return;
    this.#reading = true;
    try {
      const older = await this.#piece(this.items.at(-1)?.order_timestamp, this.items.at(-1)?.id);
      const known = new Set(this.items.map((item) => item.id));
      const news = older.filter((item) => !known.has(item.id));
      // Only doubles: the cursor does not move on, so this is the end.
      this.complete = news.length === 0;
      this.#show([...this.items, ...news]);
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
      const head = await this.#piece();
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
    const known = this.items.some((one) => one.id === item.id);
    const list = known
      ? this.items.map((one) => (one.id === item.id ? item : one))
      : [item, ...this.items];
    const at = (one: T) => Date.parse(one.order_timestamp);
    this.#show(list.sort((one, other) => at(other) - at(one)));
  }

  #show(list: T[]): void {
    this.items = list.filter((item) => !this.#hidden.has(item.id));
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
  const oldest = Date.parse(head.at(-1)?.order_timestamp ?? '');
  const older = earlier.filter(
    (item) => !fresh.has(item.id) && Date.parse(item.order_timestamp) <= oldest,
  );
  return [...head, ...older];
}
