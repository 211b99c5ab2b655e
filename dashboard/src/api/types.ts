// The nouns of the API under their own names.
export type {
  Message,
  Phone,
  PhoneKey,
  User,
  Webhook,
  CloudEvent,
  EventType,
  MessageStatus,
} from './schema';
