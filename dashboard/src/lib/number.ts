// Phone numbers: written for reading, copied and sent as E.164.

/** Country codes of one and two digits; all others have three (ITU-T E.164). */
const SHORT = new Set(
  (
    '1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 ' +
    '64 65 66 81 82 84 86 90 91 92 93 94 95 98'
  ).split(' '),
);

/** How the digits after the country code are grouped where that is well known. */
const GROUPS: Record<string, number[]> = {
  '1': [3, 3, 4],
  '7': [3, 3, 2, 2],
  '33': [1, 2, 2, 2, 2],
  '44': [4, 6],
  '45': [2, 2, 2, 2],
  '47': [3, 2, 3],
  '49': [3, 8],
  '61': [3, 3, 3],
  '91': [5, 5],
};

/** `+14155550123` as `+1 415 555 0123`. Names and short codes stay as they are. */
export function readable(number: string): string {
  if (!/^\+[1-9]\d{5,14}$/.test(number)) return number;
  const digits = number.slice(1);
  const code = codeOf(digits);
  return `+${code} ${grouped(digits.slice(code.length), GROUPS[code]).join(' ')}`;
}

function codeOf(digits: string): string {
  const one = digits.slice(0, 1);
  if (SHORT.has(one)) return one;
  const two = digits.slice(0, 2);
  return SHORT.has(two) ? two : digits.slice(0, 3);
}

function grouped(rest: string, groups: number[] | undefined): string[] {
  const fits = groups && groups.reduce((sum, size) => sum + size, 0) === rest.length;
  if (fits) return cut(rest, groups);
  // Threes, with what is left over at the end.
  const sizes = Array.from({ length: Math.max(1, Math.floor(rest.length / 3)) }, () => 3);
  sizes[sizes.length - 1] = rest.length - 3 * (sizes.length - 1);
  return cut(rest, sizes);
}

function cut(text: string, sizes: number[]): string[] {
  let at = 0;
  return sizes.map((size) => text.slice(at, (at += size)));
}

/** A number as the API takes it, of what a person typed: E.164, or a short code. `null` if it is neither. */
export function parseNumber(typed: string): string | null {
  const bare = typed
    .trim()
    .replace(/^00/, '+')
    .replace(/[\s().\-/\u00a0\u2010-\u2015]/g, '');
  if (/^\+[1-9]\d{6,14}$/.test(bare)) return bare;
  return /^\d{3,8}$/.test(bare) ? bare : null;
}

/** Numbers of a pasted list, by comma, semicolon or line; each once. */
export function parseNumbers(typed: string): { numbers: string[]; wrong: string[] } {
  const numbers = new Set<string>();
  const wrong: string[] = [];
  for (const piece of typed.split(/[,;\n\t]+/)) {
    if (!piece.trim()) continue;
    const number = parseNumber(piece);
    if (number) numbers.add(number);
    else wrong.push(piece.trim());
  }
  return { numbers: [...numbers], wrong };
}
