// Messages of a conversation, and what can be done with one.
import { api, call, queryText, send, sendFile } from '$/api/client';
import type { Attachment } from '$/api/schema';
import type { Message, MessageTimeline } from '$/api/types';

export function listMessages(
  owner: string,
  contact: string,
  limit: number,
  before?: string,
  beforeId?: string,
): Promise<Message[]> {
  return send<Message[]>('GET', '/v1/messages', {
    query: { owner, contact, before, before_id: beforeId, limit },
  });
}

export function readMessage(id: string): Promise<Message> {
  return call(api.GET('/v1/messages/{id}', { params: { path: { id } } }));
}

/** A new message with the same text, files and encryption. */
export function resend(message: Message): Promise<Message[]> {
  return call(api.POST('/v1/messages/bulk-resend', { body: { ids: [message.id] } }));
}

export function cancel(message: Message): Promise<Message> {
  return call(api.POST('/v1/messages/{id}/cancel', { params: { path: { id: message.id } } }));
}

export function deleteMessage(message: Message): Promise<void> {
  return send('DELETE', `/v1/messages/${message.id}`);
}

/** Stores a file that messages can carry; its address. `progress` is told the share that is there. */
export async function upload(
  file: File,
  type: string,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const path = `/v1/attachments${queryText({ name: file.name })}`;
  return (await sendFile<Attachment>(path, file, type, progress, signal)).url;
}

/** What happened to it, and why it is where it is. */
export function timeline(id: string): Promise<MessageTimeline> {
  return call(api.GET('/v1/messages/{id}/timeline', { params: { path: { id } } }));
}

export const isOut = (message: Message) => message.type === 'mobile-terminated';
export const isMissedCall = (message: Message) => message.type === 'call/missed';
export const canResend = (message: Message) =>
  isOut(message) && (message.status === 'failed' || message.status === 'expired');
export const canCancel = (message: Message) =>
  isOut(message) && (message.status === 'pending' || message.status === 'scheduled');
