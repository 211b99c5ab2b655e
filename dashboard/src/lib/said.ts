// The server speaks English in whole sentences. Here they are known by their form, so that the page
// says them in its own words; what is not known is shown as it came.
import { locale, words } from '$/words';
import type { en } from '$/words/en';
import { withTimes } from './time.svelte';

export type Sentence = keyof typeof en.said;

const E164 =
  'must be a valid E\\.164 phone number in the international format e\\.g \\+18005550100';
const DIGITS = 'must contain only digits and must be less than 14 characters';

/** `The limit field RULE` */
const field = (rule: string) => new RegExp(`^[Tt]he \\S+ field ${rule}$`);
const REQUIRED = field('is required');
const NO_EVENTS = field('is an empty array');

/**
 * Each sentence's name and its form; the first that fits counts. Groups are what the words take, and
 * may be sentences themselves.
 */
export const FORMS: [Sentence, RegExp][] = [
  ['required', REQUIRED],
  ['shortest', field('must be minimum (\\d+) char')],
  ['longest', field('must be maximum (\\d+) char')],
  ['fewest', field('must be minimum (\\d+) in size')],
  ['most', field('must be maximum (\\d+) in size')],
  ['lowest', field('value can not be less than (-?\\d+)')],
  ['highest', field('value can not be greater than (\\d+)')],
  ['between', field('must be between (\\d+) and (\\d+)')],
  ['between', field('must be a whole number between (\\d+) and (\\d+)')],
  ['flag', field('must be (?:one of )?true(?:, | or )false')],
  ['numberAt', field(`in index \\[(\\d+)\\] ${E164}`)],
  ['number', field(E164)],
  ['recipientAt', field(`in index \\[(\\d+)\\] ${DIGITS}`)],
  ['recipient', field(DIGITS)],
  ['id', field('(?:in index \\[\\d+\\] )?must contain valid UUID')],
  ['numeric', field('must be numeric')],
  ['moment', field('must be a time such as \\S+')],
  ['past', field('must lie in the future')],
  ['afterSince', field('must be later than the since field')],
  ['length', field('must be length of (\\d+)')],
  ['url', field('format is invalid')],
  ['noEvents', NO_EVENTS],
  ['unknownEvent', field('has an invalid event with name \\[(.*)\\]')],
  ['unknownScope', field('has an invalid scope with name \\[(.*)\\]')],
  ['unknownValue', field('in contains an invalid value \\[(.*)\\] at index \\[\\d+\\]')],
  ['pattern', field('must be a regular expression')],
  ['oldPassword', field('is not your password')],
  ['resendIncoming', field('in index \\[\\d+\\] is of a message that was not sent by the account')],
  ['resendNoPhone', field('in index \\[\\d+\\] is of a message whose phone is gone')],
  ['headersObject', field('must be an object of strings')],
  ['headerTwice', field('has the name \\[(.*)\\] twice')],
  ['headerName', field('has the name \\[(.*)\\], which is no name of a header')],
  ['headerReserved', field('has the name \\[(.*)\\], which is reserved')],
  [
    'headerValue',
    field('needs a value of visible ASCII characters, at most (\\d+), for \\[(.*)\\]'),
  ],
  ['delaysCount', field('must have at most (\\d+) delays')],
  ['delaysRange', field('must have delays between (\\d+) and (\\d+) seconds')],
  ['fileMapping', field('must be a JSON object')],
  ['list', field('must be a list of strings')],
  ['oneOf', field('must be (?:one|a list) of (.*)')],

  ['tooLate', /^the scheduled time cannot be more than 20 days/],
  ['email', /^The email must be an e-mail address of at most 255 characters$/],
  ['inUse', /^The \S+ is already in use$/],
  ['apiKey', /^The API key must not be empty and must not begin with/],
  ['idLength', /^The \S+ must have between 1 and 255 characters$/],
  ['zone', /^The timezone must be a valid IANA timezone/],
  ['noSuchPhone', /^The phone number \[(.*)\] is not available in your account/],
  ['noSuchPhone', /^no phone found with with 'from' number \[(.*)\]/],
  ['noSuchPhone', /^could not validate 'from' number \[(.*)\]/],
  ['foreignSchedule', /^The message_send_schedule_id does not belong to/],
  ['noExpiry', /^message_expiration_seconds cannot be 0 when/],
  ['attachmentUrl', /^The attachment (\d+) with URL \[(.*)\] must be a valid URL/],
  ['attachmentType', /^attachment has unsupported content type \[(.*)\]$/],
  ['attachmentTypeAt', /^attachment \[(\d+)\] has unsupported content type \[(.*)\]$/],
  ['attachmentBytes', /^attachment size \[(\d+)\] exceeds maximum of \[(\d+)\] bytes$/],
  ['attachmentBytesAt', /^attachment \[(\d+)\] size \[(\d+)\] exceeds maximum of \[(\d+)\] bytes$/],
  ['attachmentsBytes', /^total attachment size \[(\d+)\] exceeds maximum of \[(\d+)\] bytes$/],
  ['attachmentsCount', /^attachment count \[(\d+)\] exceeds maximum of \[(\d+)\]$/],
  ['attachmentCoding', /^attachment \[(\d+)\] has invalid base64 content$/],
  ['replayTooLarge', /^The replay is about more than (\d+) events/],
  ['noHours', /^at least one active window is required$/],
  ['windowRange', /^windows\[(\d+)\]\.\w+ must be between \d+ and \d+$/],
  ['windowOrder', /^windows\[(\d+)\]\.end_minute must be greater than start_minute$/],
  ['windowCount', /^day_of_week (?<day>-?\d+) cannot have more than (\d+) windows$/],
  ['windowOverlap', /^day_of_week (?<day>-?\d+) contains overlapping windows$/],

  ['row', /^Row \[(\d+)\]: (.*)$/s],
  ['rows', /^Rows \[([\d, ]+)\]: (.*)$/s],
  ['rowSender', /^The FromPhoneNumber \[(.*)\] is not a valid E\.164 phone number$/],
  ['rowRecipient', /^The ToPhoneNumber \[(.*)\] is not a valid E\.164 phone number$/],
  ['rowUnknownSender', /^The FromPhoneNumber \[(.*)\] is not registered on your account$/],
  ['rowLong', /^The message content must be less than (\d+) characters\.$/],
  ['rowFiles', /^You cannot attach more than (\d+) files per message\.$/],
  [
    'rowUrl',
    /^The attachment URL \[(.*)\] (?:must use http or https|has an invalid url format)\.$/,
  ],
  ['rowTooLate', /^The SendTime \[(.*)\] cannot be more than 20 days/],
  ['rowTime', /^The SendTime \[(.*)\] is not /],
  ['fileKind', /^The file \[(.*)\] is not a valid CSV or Excel file\.$/],
  ['fileLarge', /^The CSV file must be less than 500 KB the file you uploaded is \[(.*)\]\.$/],
  [
    'fileUnreadable',
    /^Cannot (?:read the contents of the uploaded|parse the uploaded excel) file (?:with name )?\[(.*)\]\.$/,
  ],
  ['fileEmpty', /^The uploaded file doesn't contain any valid records\./],
  ['fileLong', /^The uploaded file must contain less than (\d+) records\.$/],
  ['fileColumn', /^The file has no column (?:with the index )?\[(.*)\]\.$/],
  ['fileMapping', /^The mapping must say which column is to$/],
  ['fileMapping', /^The mapping of \S+ must be the name of a column, or its index from 0$/],

  ['gone', /^[Cc]annot find /],
  ['gone', /^attachment not found$/],
  ['gone', /^send schedule \[.*\] not found for user/],
  ['invalid', /^validation errors/],
  ['invalid', /^at least one of is_archived or is_read is required$/],
  ['malformed', /^The request isn't properly formed$/],
  ['tooManyTries', /^Too many attempts\. Please try again in (\d+) seconds?\.$/],
  ['tooLarge', /^Request Entity Too Large$/],
  ['database', /^The database is not available at the moment\. Please try again\.$/],
  ['database', /^Cannot load your account\. Please try again later or contact support\.$/],
  ['scope', /^This API key may not do that: it needs the scope \[(.*)\]$/],
  ['otherPage', /^This request comes from a page of another server\.$/],
  ['signUpClosed', /^Sign-up is closed on this server\.$/],
  ['lastAdmin', /^This is the last administrator of the server\. Make somebody else one before\.$/],
  ['adminOnly', /^Only an administrator of this server may do that\.$/],
  ['accountDisabled', /^This account is disabled\. Ask who runs this server\.$/],
  ['linkSpent', /^This link was used already, or has expired\. Ask for a new one\.$/],
  ['hasOwner', /^This server has an owner already\. Sign in instead\.$/],
  ['cancelLate', /^cannot cancel message with ID \[.*\] any more, it is \[.*\]$/],
  ['bulkCancelLate', /^the bulk message \[.*\] cannot be cancelled any more$/],
  ['bulkNoRetry', /^the bulk message \[.*\] has nothing to send again$/],
  ['bulkFinished', /^the bulk message \[.*\] is finished and cannot be \w+$/],
  ['bulkNoPhone', /^the bulk message \[.*\] is from \[(.*)\], which is not registered$/],
  ['quota', /^You have exceeded your limit of \[(\d+)\] messages on your /],
  ['mostOf', /^You can't create more than (\d+) /],
  ['repeatedKey', /^The \S+ was used for another request$/],
  ['repeatedOpen', /^The first request with this \S+ has no answer/],
  ['noSession', /^this request has no session, but a key$/],
  ['discordNone', /^this server has no Discord bot configured$/],
  ['discordServer', /^cannot fetch discord server with ID /],
  ['discordChannel', /^cannot fetch discord channel with ID /],
  ['discordTaken', /^the discord server with ID \[(.*)\] is already connected to an account$/],
  ['discordCommand', /^cannot register the command \/httpsms on the discord server/],

  ['cancelled', /^cancelled by the client$/],
  ['GENERIC_FAILURE', /^GENERIC_FAILURE$/],
  ['NO_SERVICE', /^NO_SERVICE$/],
  ['NULL_PDU', /^NULL_PDU$/],
  ['RADIO_OFF', /^RADIO_OFF$/],
  ['LIMIT_EXCEEDED', /^LIMIT_EXCEEDED$/],
  ['unknownFailure', /^UNKNOWN ERROR$/],
  [
    'permission',
    /^(.*) Allow the app to send SMS messages in the settings of the phone, see \S+$/s,
  ],
  ['phoneDeleted', /^the phone (?:\[.*\] )?was deleted$/],
  ['noToken', /^phone with id \[.*\] has no FCM token$/],
  ['reinstall', /^cannot send notification to your phone \[(.*)\]\. Reinstall /],
  ['notWoken', /^cannot send notification to your phone \[(.*?)\]: (.*)$/s],
  ['noPush', /^the push service is not set up$/],
  ['pushAnswer', /^the push service answered (.*)$/],
  ['pushUnreached', /^the push service was not reached: (.*)$/s],

  ['timeout', /^timeout: no complete answer within (\d+) seconds$/],
  ['refused', /^connection refused$/],
  ['name', /^the host name cannot be resolved$/],
  ['tls', /^TLS: (.*)$/s],
  ['reset', /^the connection was closed before the answer was complete$/],
  ['noHttp', /^the answer is not valid HTTP$/],
  ['forbidden', /^the address of this host is not allowed$/],
  ['badUrl', /^the URL cannot be called$/],
  ['unreachable', /^no connection: (.*)$/],
  ['redirect', /^(.*): redirects are not followed$/],
  ['internal', /^internal error$/],
  ['internal', /^We ran into an internal error while handling the request\.$/],
];

/** A sentence of the server in the page's language. */
export function said(text: string): string {
  for (const [name, form] of FORMS) {
    const found = form.exec(text);
    if (found) return put(name, found);
  }
  return withTimes(text);
}

function put(name: Sentence, found: RegExpExecArray): string {
  const text = words.said[name];
  if (typeof text === 'string') return text;
  const given = found.slice(1).map((one) => (one === found.groups?.day ? weekday(one) : said(one)));
  return (text as (...given: string[]) => string)(...given);
}

/** 0 is Sunday. */
function weekday(number: string): string {
  const name = new Intl.DateTimeFormat(locale(), { weekday: 'long', timeZone: 'UTC' });
  return name.format(Date.UTC(2026, 0, 4 + Number(number)));
}

/** What is wrong with a field, under its name: each thing once, and nothing more if it is missing. */
export function saidOfField(texts: string[]): string[] {
  const missing =
    texts.find((text) => NO_EVENTS.test(text)) ?? texts.find((text) => REQUIRED.test(text));
  return [...new Set((missing ? [missing] : texts).map(said))];
}

/** The same where the field is not seen: with its name, if the sentence needs it. */
export function saidApart(name: string, texts: string[]): string[] {
  const named = texts.some((text) => /^[Tt]he \S+ (?:field|is|must) /.test(text));
  return saidOfField(texts).map((text) => (named ? `${name}: ${text}` : text));
}
