// The way to the server: typed by its own OpenAPI document, answers taken out of their envelope.
import createClient from 'openapi-fetch';
import { said, saidApart, saidOfField } from '$/lib/said';
import { words } from '$/words';
import type { paths } from './schema';

/** What went wrong, as a person may read it. `status` is 0 when the server could not be reached. */
export class Fault extends Error {
  /** Of a 422: what is wrong with which field, to be read beside the field. */
  readonly fields: Record<string, string[]>;

  constructor(
    readonly status: number,
    message: string,
    /** The same in the server's words. */
    private readonly raw: Record<string, string[]> = {},
  ) {
    super(message);
    this.name = 'Fault';
    const fields = Object.entries(raw).map(([name, texts]) => [name, saidOfField(texts)] as const);
    this.fields = Object.fromEntries(fields);
  }

  /** What is wrong with all fields but these, each text to be read by itself. */
  apart(...shown: string[]): string[] {
    const others = Object.entries(this.raw).filter(([name]) => !shown.includes(name));
    return others.flatMap(([name, texts]) => saidApart(name, texts));
  }
}

/** Routes of the document: `await call(api.GET('/v1/phones', { params: { query: { limit: 100 } } }))`. */
export const api = createClient<paths>({
  baseUrl: '/',
  fetch: (request) => globalThis.fetch(request),
  // Lists are repeated names, as the server reads them: owners=a&owners=b.
  querySerializer: { array: { style: 'form', explode: true } },
});

interface Answered<T> {
  // Answers that only say that it is done have nothing in them.
  data?: { data?: T; message?: unknown } | undefined;
  error?: unknown;
  response: Response;
}

/** What is in the envelope, or a `Fault`. */
export async function call<T>(request: Promise<Answered<T>>): Promise<T> {
  let answer: Answered<T>;
  try {
    answer = await request;
  } catch (error) {
    throw unreachable(error);
  }
  if (!answer.response.ok) throw faultOf(answer.response.status, answer.error);
  // 204: there is nothing in it.
  return answer.data?.data as T;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
type Query = Record<string, string | number | boolean | readonly string[] | undefined | null>;

interface Sending {
  query?: Query;
  json?: unknown;
  body?: BodyInit;
  /** Of `body`, if it does not say itself. */
  type?: string;
  signal?: AbortSignal;
}

/** For bodies that are no JSON, such as files; everything else goes through `api`. */
export async function send<T>(method: Method, path: string, options: Sending = {}): Promise<T> {
  const answer = await reach(method, path, options);
  const text = await answer.text();
  const body: unknown = text && parse(text);
  if (!answer.ok) throw faultOf(answer.status, body);
  return (body as { data: T } | undefined)?.data as T;
}

async function reach(method: Method, path: string, options: Sending): Promise<Response> {
  const json = options.json !== undefined;
  const type = json ? 'application/json' : options.type;
  try {
    return await fetch(path + queryText(options.query), {
      method,
      body: json ? JSON.stringify(options.json) : options.body,
      headers: type ? { 'content-type': type } : undefined,
      signal: options.signal,
      // What was deleted with a chance to undo is deleted also when the page is left.
      keepalive: method === 'DELETE',
    });
  } catch (error) {
    throw unreachable(error);
  }
}

/** Sends a file and tells how much of it is there, which `fetch` does not. */
export function sendFile<T>(
  path: string,
  file: Blob,
  type: string,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('content-type', type);
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onerror = () => failed(new Fault(0, words.fault.unreachable));
    request.onabort = () => failed(new DOMException('', 'AbortError'));
    request.onload = () => {
      const body = parse(request.responseText);
      if (request.status < 300) done((body as { data: T }).data);
      else failed(faultOf(request.status, body));
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** `?a=1&b=2&b=3`, or nothing; what is absent or empty is left out. */
export function queryText(query: Query = {}): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue;
    if (Array.isArray(value)) value.forEach((one: string) => pairs.append(name, one));
    else pairs.append(name, String(value));
  }
  const text = pairs.toString();
  return text && `?${text}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An abandoned request stays what it is: nobody waits for it. */
function unreachable(error: unknown): unknown {
  if (error instanceof DOMException && error.name === 'AbortError') return error;
  return new Fault(0, words.fault.unreachable);
}

function faultOf(status: number, body: unknown): Fault {
  const { message, data } = (body ?? {}) as { message?: unknown; data?: unknown };
  const fault = new Fault(status, texted(status, message, data), fieldsOf(data));
  if (status === 401) window.dispatchEvent(new Event('signed-out'));
  return fault;
}

function texted(status: number, message: unknown, data: unknown): string {
  if (status === 401) return words.fault.signedOut;
  if (status === 403) return typeof message === 'string' ? said(message) : words.fault.forbidden;
  if (status >= 500) return words.fault.server(status);
  if (typeof message === 'string' && message) return said(message);
  return typeof data === 'string' && data ? said(data) : words.fault.status(status);
}

function fieldsOf(data: unknown): Record<string, string[]> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return {};
  const lists = Object.entries(data).filter(([, texts]) => Array.isArray(texts));
  return Object.fromEntries(lists) as Record<string, string[]>;
}

/** Any error as a `Fault`. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault(-1, error instanceof Error ? error.message : String(error));
}
