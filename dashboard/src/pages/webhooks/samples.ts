// What each event looks like; `docs/webhooks.md` describes the members.
import type { CloudEvent, EventType } from '$/api/schema';

const SOURCES: Record<EventType, string> = {
  'message.phone.received': '/v1/messages/receive',
  'message.phone.sent': '/v1/messages/{id}/events',
  'message.phone.delivered': '/v1/messages/{id}/events',
  'message.send.failed': '/v1/messages/{id}/events',
  'message.send.expired': '/v1/messages/{id}/events',
  'message.call.missed': '/v1/messages/calls/missed',
  'phone.heartbeat.offline': '/v1/heartbeats',
  'phone.heartbeat.online': '/v1/heartbeats',
};

const EVENT = '0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006';
const MESSAGE = 'b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02';
const PHONE = '4d0c7a52-1f0e-4e0c-9f0a-6b1f0a4a1007';
const MONITOR = '9a0c7a52-3f0e-4e0c-9f0a-6b1f0a4a1008';

/** A made-up event with every member that real ones of this type have. */
export function sampleOf(type: EventType, user: string, owner: string, time: string): CloudEvent {
  return {
    specversion: '1.0',
    id: EVENT,
    source: SOURCES[type].replace('{id}', MESSAGE),
    type,
    datacontenttype: 'application/json',
    time,
    data: dataOf(type, user, owner, time) as CloudEvent['data'],
  };
}

function dataOf(type: EventType, user_id: string, owner: string, timestamp: string): object {
  if (type === 'phone.heartbeat.offline' || type === 'phone.heartbeat.online') {
    const last_heartbeat_timestamp = timestamp;
    return {
      phone_id: PHONE,
      user_id,
      last_heartbeat_timestamp,
      timestamp,
      monitor_id: MONITOR,
      owner,
    };
  }
  const common = { user_id, owner, contact: '+18005550100', timestamp, sim: 'SIM1' };
  if (type === 'message.call.missed') return { message_id: MESSAGE, ...common };
  const text = { ...common, encrypted: false, content: 'This is a test' };
  if (type === 'message.phone.received') return { message_id: MESSAGE, ...text, attachments: [] };
  if (type === 'message.send.expired') {
    return {
      message_id: MESSAGE,
      ...text,
      request_id: null,
      send_attempt_count: 2,
      is_final: true,
    };
  }
  const sent = { id: MESSAGE, ...text, request_id: null };
  return type === 'message.send.failed' ? { ...sent, error_message: 'NO_SERVICE' } : sent;
}
