// Where rows of different heights are: measured ones where they are known, a guess elsewhere.
export const GUESS = 76;

/** Distance of each row from the first one's edge; the last entry is the height of all. */
export function offsets(
  ids: readonly string[],
  heights: ReadonlyMap<string, number>,
): Float64Array {
  const found = new Float64Array(ids.length + 1);
  ids.forEach((id, at) => (found[at + 1] = (found[at] ?? 0) + (heights.get(id) ?? GUESS)));
  return found;
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
