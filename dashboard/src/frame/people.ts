import { send } from '$/api/client';

/** Conversations whose number or last message has the text. */
export function findPeople(
  text: string,
): Promise<{ id: string; owner: string; contact: string }[]> {
  return send('GET', '/v1/message-threads', { query: { all: true, query: text, limit: 6 } });
}
