export {
  chooseLanguage,
  language,
  LANGUAGES,
  locale,
  preferredLanguage,
  words,
} from './current.svelte';
export type { Language, Words } from './current.svelte';
