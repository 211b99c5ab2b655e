// Encryption between this browser and the phone: AES-256 in CFB mode, the key is the SHA-256 of a
// passphrase, base64 of IV and cipher text. Browsers have no CFB, so it is made of single blocks.

const BLOCK = 16;

/** The key of a passphrase; scripts cannot read it back. */
export async function keyOf(passphrase: string): Promise<CryptoKey> {
  const hash = await crypto.subtle.digest('SHA-256', utf8(passphrase.trim()));
  return crypto.subtle.importKey('raw', hash, 'AES-CBC', false, ['encrypt']);
}

/** Whether this page may encrypt: browsers allow it on https and on localhost. */
export function canEncrypt(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

export async function seal(key: CryptoKey, text: string, iv = randomIv()): Promise<string> {
  const plain = utf8(text);
  const sealed = new Uint8Array(BLOCK + plain.length);
  sealed.set(iv);
  for (let at = 0; at < plain.length; at += BLOCK) {
    // The last block of cipher text, or the IV, which stands in its place.
    const stream = await block(key, sealed.slice(at, at + BLOCK));
    mix(plain.subarray(at, at + BLOCK), stream, sealed.subarray(BLOCK + at));
  }
  return btoa(String.fromCharCode(...sealed));
}

/** The text, or `null` when it is none: another key, or not encrypted at all. */
export async function open(key: CryptoKey, content: string): Promise<string | null> {
  const sealed = fromBase64(content);
  if (!sealed || sealed.length < BLOCK) return null;
  const plain = new Uint8Array(sealed.length - BLOCK);
  for (let at = 0; at < plain.length; at += BLOCK) {
    const stream = await block(key, sealed.slice(at, at + BLOCK));
    mix(sealed.subarray(BLOCK + at, 2 * BLOCK + at), stream, plain.subarray(at));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    return null;
  }
}

/** One block through the cipher itself: CBC of zeros, with the block as IV, begins with it. */
async function block(key: CryptoKey, input: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const zeros = new Uint8Array(BLOCK);
  const out = await crypto.subtle.encrypt({ name: 'AES-CBC', iv: input }, key, zeros);
  return new Uint8Array(out, 0, BLOCK);
}

function mix(text: Uint8Array, stream: Uint8Array, into: Uint8Array): void {
  text.forEach((byte, at) => (into[at] = byte ^ (stream[at] ?? 0)));
}

function randomIv(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(BLOCK));
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
