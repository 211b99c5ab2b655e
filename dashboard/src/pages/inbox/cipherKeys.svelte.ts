// Keys for encryption, one for each phone. They stay in this browser's own database, and cannot be
// read out of it as text.
import { SvelteMap } from 'svelte/reactivity';
import { keyOf } from './cipher';

const keys = new SvelteMap<string, CryptoKey>();
let read: Promise<void> | undefined;

/** The key for a phone, once it is read; reading begins with the first question. */
export function cipherKey(owner: string): CryptoKey | undefined {
  read ??= readAll().catch(() => undefined);
  return keys.get(owner);
}

export async function keepCipherKey(owner: string, passphrase: string): Promise<void> {
  const key = await keyOf(passphrase);
  keys.set(owner, key);
  await change((store) => store.put(key, owner));
}

export async function forgetCipherKey(owner: string): Promise<void> {
  keys.delete(owner);
  await change((store) => store.delete(owner));
}

async function readAll(): Promise<void> {
  const store = (await database()).transaction('keys').objectStore('keys');
  const [names, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
  names.forEach((name, at) => keys.set(String(name), values[at] as CryptoKey));
}

async function change(act: (store: IDBObjectStore) => IDBRequest): Promise<void> {
  const transaction = (await database()).transaction('keys', 'readwrite');
  await done(act(transaction.objectStore('keys')));
}

function database(): Promise<IDBDatabase> {
  const opening = indexedDB.open('httpsms', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('keys');
  return done(opening);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
  });
}
