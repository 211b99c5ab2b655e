// Where rows of different heights are: measured ones where they are known, a guess elsewhere. What is
// computed is kept as far as it stays true, since most changes are at the end that is being read.
export const GUESS = 76;

interface Row {
  id: string;
}

export class Layout {
  #rows: readonly Row[] = [];
  #heights = new Map<string, number>();
  #edges = new Float64Array(1024);
  /** So many rows have their right edges. */
  #right = 0;

  /** Notes the height of a row; says whether that is news. `near` is about where it is. */
  measure(id: string, height: number, near: number): boolean {
    if (this.#heights.get(id) === height) return false;
    const at = this.#rows[near]?.id === id ? near : this.#rows.findIndex((row) => row.id === id);
    // Under the row's own text, so that there are not two of the same.
    this.#heights.set(this.#rows[at]?.id ?? id, height);
    if (at >= 0) this.#right = Math.min(this.#right, at);
    return true;
  }

  /** Distance of each row from the first one's edge; the last entry is the height of all. */
  edges(rows: readonly Row[]): Float64Array {
    this.#take(rows);
    for (let at = this.#right; at < rows.length; at++) {
      const height = this.#heights.get(rows[at]?.id ?? '') ?? GUESS;
      this.#edges[at + 1] = (this.#edges[at] ?? 0) + height;
    }
    this.#right = rows.length;
    return this.#edges.subarray(0, rows.length + 1);
  }

  #take(rows: readonly Row[]): void {
    let same = 0;
    while (same < this.#right && rows[same]?.id === this.#rows[same]?.id) same++;
    this.#right = same;
    this.#rows = rows;
    if (rows.length < this.#edges.length) return;
    // Views of the old ones stay as they are.
    const more = new Float64Array(2 * (rows.length + 1));
    more.set(this.#edges);
    this.#edges = more;
  }
}

/** The row at a distance: the last whose edge is not beyond it. */
export function rowAt(edges: Float64Array, distance: number): number {
  let [low, high] = [0, Math.max(0, edges.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((edges[middle] ?? 0) <= distance) low = middle;
    else high = middle - 1;
  }
  return low;
}
