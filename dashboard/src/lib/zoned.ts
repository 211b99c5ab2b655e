// Times that a person types, in a zone: that of the account is `zoneName()`.
import { fromAbsolute, parseDateTime, toCalendarDateTime, toZoned } from '@internationalized/date';

/** What an `<input type="datetime-local">` shows for a time: `2026-03-04T09:15`. */
export function toInput(time: string, zone: string): string {
  const local = toCalendarDateTime(fromAbsolute(Date.parse(time), zone));
  return local.toString().slice(0, 16);
}

/** The time that such an input means; null if it is empty or none. */
export function fromInput(text: string, zone: string): string | null {
  try {
    return toZoned(parseDateTime(text), zone).toAbsoluteString();
  } catch {
    return null;
  }
}
