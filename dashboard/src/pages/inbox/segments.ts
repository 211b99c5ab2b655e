// How many short messages a text takes on the air: the same rules as the server's
// (3GPP TS 23.038 and 23.040).
export type Encoding = 'GSM-7' | 'UCS-2';

/** The basic alphabet without its escape: each takes one septet. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** The extension table: each takes two, the escape and its own. */
const EXTENSION = new Set('\f^{}\\[~]|€');
const ROOM = { 'GSM-7': { alone: 160, part: 153 }, 'UCS-2': { alone: 70, part: 67 } };

export interface Segments {
  encoding: Encoding;
  /** Of the whole text. */
  units: number;
  count: number;
  /** Units that still fit into the last segment. */
  left: number;
}

/** Units that a character takes; 0 if the 7-bit alphabet has none for it. */
function septets(char: string): number {
  if (BASIC.has(char)) return 1;
  return EXTENSION.has(char) ? 2 : 0;
}

export function segments(text: string): Segments {
  const chars = [...text];
  const encoding: Encoding = chars.every(septets) ? 'GSM-7' : 'UCS-2';
  // In UCS-2 a character beyond the first plane takes two units, as it does in a string here.
  const sizes = chars.map((char) => (encoding === 'GSM-7' ? septets(char) : char.length));
  const units = sizes.reduce((sum, size) => sum + size, 0);
  const { alone, part } = ROOM[encoding];
  if (units <= alone) return { encoding, units, count: 1, left: alone - units };
  const { count, filled } = cut(sizes, part);
  return { encoding, units, count, left: part - filled };
}

/** Never within a character, so the last place of a part may stay empty. */
function cut(sizes: number[], part: number): { count: number; filled: number } {
  let [count, filled] = [1, 0];
  for (const size of sizes) {
    if (filled + size > part) [count, filled] = [count + 1, 0];
    filled += size;
  }
  return { count, filled };
}

/** Length as the API counts it, in bytes of UTF-8. */
export function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
