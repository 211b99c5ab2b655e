// The texts on screen: `words.inbox.title`. English is the catalogue; other languages satisfy its type.
import { en } from './en';

/** A catalogue of the same shape: texts for texts, and functions that take the same. */
export type Like<T> = {
  [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...given: infer A) => string
      ? (...given: A) => string
      : Like<T[K]>;
};
export type Words = Like<typeof en>;

const catalogues = {
  en: async (): Promise<Words> => en,
  de: async (): Promise<Words> => (await import('./de')).de,
};
export type Language = keyof typeof catalogues;

/** Each by its own name. */
export const LANGUAGES: Record<Language, string> = { en: 'English', de: 'Deutsch' };

const KEPT = 'httpsms.language';
let current = $state.raw<Words>(en);
let chosen = $state<Language>('en');

/** The catalogue that is chosen; what shows it follows a change. */
export const words: Words = new Proxy({} as Words, {
  get: (_, area) => current[area as keyof Words],
});

/** Which language is on screen. */
export function language(): Language {
  return chosen;
}

/** The language as the browser's owner writes it, such as `en-GB`: for numbers and times. */
export function locale(): string {
  return navigator.languages.find((one) => one.startsWith(chosen)) ?? chosen;
}

/** Loads a language and shows it. */
export async function chooseLanguage(to: Language, keep = false): Promise<void> {
  current = await catalogues[to]();
  chosen = to;
  document.documentElement.lang = to;
  if (keep) localStorage.setItem(KEPT, to);
}

/** The one chosen before, or the first of the browser's that there is. */
export function preferredLanguage(): Language {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages.map((one) => one.slice(0, 2))];
  return wanted.find((one): one is Language => one !== null && one in catalogues) ?? 'en';
}
