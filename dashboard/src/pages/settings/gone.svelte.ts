// Things that are off the screen because they are about to be deleted.
import { SvelteSet } from 'svelte/reactivity';

export class Gone {
  readonly #ids = new SvelteSet<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Takes one off; the returned function puts it back. */
  take(id: string): () => void {
    this.#ids.add(id);
    return () => this.#ids.delete(id);
  }
}
