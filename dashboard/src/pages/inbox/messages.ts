// Messages of a conversation, and what can be done with one.
import { api, call, send } from '$/api/client';
import type { Message } from '$/api/types';
import { PIECE } from '$/lib/endless.svelte';

export function listMessages(
  owner: string,
  contact: string,
  before?: string,
  beforeId?: string,
): Promise<Message[]> {
  return send<Message[]>('GET', '/v1/messages', {
    query: { owner, contact, before, before_id: beforeId, limit: PIECE },
  });
}

export function readMessage(id: string): Promise<Message> {
  return call(api.GET('/v1/messages/{id}', { params: { path: { id } } }));
}

/** A new message with the same text, files and encryption. */
export function resend(message: Message): Promise<Message[]> {
  return send<Message[]>('POST', '/v1/messages/bulk-resend', { json: { ids: [message.id] } });
}

export function cancel(message: Message): Promise<Message> {
  return send<Message>('POST', `/v1/messages/${message.id}/cancel`);
}

export function deleteMessage(message: Message): Promise<void> {
  return send('DELETE', `/v1/messages/${message.id}`);
}

/** A file that messages can carry; its address. */
export async function upload(file: File): Promise<string> {
  const query = { name: file.name };
  const { url } = await send<{ url: string }>('POST', '/v1/attachments', {
    query,
    body: file,
    type: file.type || 'application/octet-stream',
  });
  return url;
}

/** One step of a message's life. */
export interface Step {
  at: string;
  step: string;
  detail: string | null;
  reason: string | null;
}
export interface Timeline {
  steps: Step[];
  /** Why it is where it is. */
  waiting: string | null;
}

export function timeline(id: string): Promise<Timeline> {
  return send<Timeline>('GET', `/v1/messages/${id}/timeline`);
}

export const isOut = (message: Message) => message.type === 'mobile-terminated';
export const isMissedCall = (message: Message) => message.type === 'call/missed';
export const canResend = (message: Message) =>
  isOut(message) && (message.status === 'failed' || message.status === 'expired');
export const canCancel = (message: Message) =>
  isOut(message) && (message.status === 'pending' || message.status === 'scheduled');
