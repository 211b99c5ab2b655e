// Sends what was written, to one or to many.
import { api, call, Fault } from '$/api/client';
import { words } from '$/words';
import { seal } from './cipher';

/** Bytes that the API takes at most, for one recipient and for many at once. */
export const LIMIT = { one: 2048, many: 1024 };

/** Bytes of a text once it is encrypted: base64 of the IV and as many bytes as before. */
export function sealedLength(bytes: number): number {
  return 4 * Math.ceil((16 + bytes) / 3);
}

export interface Written {
  owner: string;
  recipients: string[];
  text: string;
  attachments: string[];
  /** When to send it; at once if absent. */
  at?: string;
  /** Encrypts with it. */
  key?: CryptoKey;
}

/** The recipients whose message was accepted; throws when it was none, or not all. */
export async function dispatch(written: Written): Promise<string[]> {
  const content = written.key ? await seal(written.key, written.text) : written.text;
  const body = {
    from: written.owner,
    content,
    attachments: written.attachments,
    encrypted: written.key !== undefined,
  };
  const { recipients, at } = written;
  if (recipients.length > 1 && !at) {
    await call(api.POST('/v1/messages/bulk-send', { body: { ...body, to: recipients } }));
    return recipients;
  }
  // Bulk requests know no time, so later messages are handed in one by one.
  for (const [done, to] of recipients.entries()) {
    try {
      await call(api.POST('/v1/messages/send', { body: { ...body, to, send_at: at } }));
    } catch (error) {
      if (done === 0) throw error;
      throw new Fault(-1, words.inbox.stopped(done, recipients.length));
    }
  }
  return recipients;
}
