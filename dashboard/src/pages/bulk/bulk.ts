// Files of messages: what the server says of them, and which column is what.
import { api, call, send } from '$/api/client';
import type { BulkDetail, BulkFile, BulkMessage, BulkPreview, BulkRow } from '$/api/schema';

export type { BulkMessage } from '$/api/schema';
/** Messages of one file, counted; with some of them. */
export type Detail = BulkDetail;
export type PreviewRow = BulkRow;
export type Preview = BulkPreview;

/** What a column can be, in the order in which it is asked for. */
export const FIELDS = ['to', 'content', 'from', 'send_time', 'attachments'] as const;
export type Field = (typeof FIELDS)[number];
/** The place of each field's column, from 0. */
export type Mapping = Partial<Record<Field, number | undefined>>;

/** The server takes no larger request. */
export const MOST_BYTES = 4_000_000;

const TEMPLATE = ['FromPhoneNumber', 'ToPhoneNumber', 'Content'];
export const TEMPLATE_FILE =
  'FromPhoneNumber,ToPhoneNumber,Content,SendTime(optional),AttachmentURLs(optional)\r\n';

/** Whether the server knows these columns by their names. */
export function isTemplate(columns: readonly string[]): boolean {
  return TEMPLATE.every((name) => columns.some((column) => column.trim() === name));
}

/** How people name such columns; what is most particular comes first. */
const NAMES: [Field, RegExp][] = [
  ['from', /^(from|sender|owner|von|absender)/],
  ['send_time', /(time|date|when|schedul|zeit|datum|wann)/],
  ['attachments', /(attach|media|image|url|anhang|anhänge|bild)/],
  ['content', /(content|message|text|body|sms|nachricht|inhalt)/],
  ['to', /(^to|recipient|contact|phone|mobile|cell|number|tel|msisdn|^an$|empfänger|nummer|handy)/],
];

/** Which column is probably what. */
export function guess(columns: readonly string[]): Mapping {
  const mapping: Mapping = {};
  const taken = new Set<number>();
  for (const [field, pattern] of NAMES) {
    const at = columns.findIndex(
      (column, nth) => !taken.has(nth) && pattern.test(column.trim().toLowerCase()),
    );
    if (at < 0) continue;
    mapping[field] = at;
    taken.add(at);
  }
  return mapping;
}

/** The file's own name in a request id: `bulk-VCspwvs-promo.csv` is `promo.csv`. */
export function fileName(requestId: string): string {
  return /^bulk-[0-9A-Za-z]+-(.+)$/.exec(requestId)?.[1] ?? requestId;
}

/** What is settled: no phone will change it any more, but by reporting it delivered. */
export function settled(one: BulkMessage): number {
  return one.total - one.pending_count - one.scheduled_count;
}

function form(file: File, mapping: Mapping | undefined, from: string): FormData {
  const form = new FormData();
  form.set('document', file, file.name);
  if (mapping) form.set('mapping', JSON.stringify(mapping));
  if (from) form.set('from', from);
  return form;
}

/** What sending would do; nothing is stored. */
export function preview(
  file: File,
  mapping: Mapping | undefined,
  from: string,
  signal: AbortSignal,
): Promise<Preview> {
  const body = form(file, mapping, from);
  return send<Preview>('POST', '/v1/bulk-messages/preview', { body, signal });
}

/** Sends a file; the request id of what was accepted. */
export async function sendFile(
  file: File,
  mapping: Mapping | undefined,
  from: string,
): Promise<string> {
  // The description knows the fields of the form; the form itself is sent.
  const body = form(file, mapping, from) as unknown as BulkFile;
  const request = api.POST('/v1/bulk-messages', { body, bodySerializer: (form) => form });
  await call(request);
  const place = (await request).response.headers.get('location') ?? '';
  return decodeURIComponent(place.split('/').at(-1) ?? '');
}

/** A file with some of its messages. */
export function read(id: string, status: string, skip: number, limit: number): Promise<Detail> {
  const query = { status, skip, limit };
  return send<Detail>('GET', `/v1/bulk-messages/${encodeURIComponent(id)}`, { query });
}

export type Act = 'pause' | 'resume' | 'cancel';

export function act(id: string, what: Act): Promise<BulkMessage> {
  return send<BulkMessage>('POST', `/v1/bulk-messages/${encodeURIComponent(id)}/${what}`);
}

/** Sends again what failed or expired: a list of its own. */
export function retry(id: string): Promise<{ request_id: string; count: number }> {
  return send('POST', `/v1/bulk-messages/${encodeURIComponent(id)}/retry-failed`);
}
