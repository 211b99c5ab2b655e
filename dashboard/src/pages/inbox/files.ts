// What kinds of files messages can carry, and how many; the server holds the same (docs/openapi.json).

/** Endings, and the media types that the server takes for them. */
const TYPES: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
  mp4: 'video/mp4',
  '3gp': 'video/3gpp',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  amr: 'audio/amr',
  pdf: 'application/pdf',
  vcf: 'text/vcard',
};

/** Files of one message, bytes of one, and of all of them. */
export const MOST = { files: 10, bytes: 1_572_864, total: 3_145_728 };

/** For the browser's dialog that chooses files. */
export const ACCEPT = Object.keys(TYPES)
  .map((ending) => `.${ending}`)
  .join(',');

const ending = (name: string) => /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';

/** The media type of a file; browsers do not know some of them. Nothing, if messages carry none such. */
export function typeOf(file: { name: string; type: string }): string | undefined {
  const told = file.type.toLowerCase();
  if (Object.values(TYPES).includes(told) || told === 'text/x-vcard') return told;
  return TYPES[ending(file.name)];
}

export type Shown = 'image' | 'video' | 'audio' | 'other';

/** How a file with this name is shown. */
export function shownAs(name: string): Shown {
  const kind = TYPES[ending(name)]?.split('/')[0];
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'other';
}

/** Why a file cannot be sent along with those that are there, if so. */
export function refusal(
  file: { name: string; type: string; size: number },
  there: readonly { size: number }[],
): 'type' | 'empty' | 'size' | 'total' | 'count' | undefined {
  if (!typeOf(file)) return 'type';
  if (!file.size) return 'empty';
  if (file.size > MOST.bytes) return 'size';
  if (there.length >= MOST.files) return 'count';
  const total = there.reduce((sum, one) => sum + one.size, file.size);
  return total > MOST.total ? 'total' : undefined;
}
