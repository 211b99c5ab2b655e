export { chooseLanguage, language, LANGUAGES, preferredLanguage, words } from './current.svelte';
export type { Language, Words } from './current.svelte';
