// The nouns of the API under their own names.
export type {
  Message,
  MessageTimeline,
  Phone,
  PhoneKey,
  User,
  Webhook,
  LoggedEvent,
  EventType,
  AnyEventType,
  MessageStatus,
} from './schema';
