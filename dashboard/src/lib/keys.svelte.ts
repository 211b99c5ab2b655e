// The keyboard: one map of what is bound now, which the `?` sheet lists.
import { onDestroy } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';

export interface Binding {
  /** `j`, `?`, `Enter`, `ctrl+k`, or two in a row: `g i`. */
  keys: string;
  /** What it does, for the list. */
  label: string;
  run: (event: KeyboardEvent) => void;
  /** Bound on every page. */
  everywhere?: boolean;
  /** Also while a text is being typed. */
  inText?: boolean;
}

const bound = new SvelteSet<Binding>();
let first = '';
let firstAt = 0;

/** All that is bound, in the order in which it was. */
export function bindings(): Binding[] {
  return [...bound];
}

/** Binds keys as long as the calling component lives. Later bindings win over earlier ones. */
export function bindKeys(...all: Binding[]): void {
  all.forEach((binding) => bound.add(binding));
  onDestroy(() => all.forEach((binding) => bound.delete(binding)));
}

function isText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  return (
    target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)
  );
}

/** How a pressed key is written in a binding. */
function written(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey ? 'ctrl+' : '';
  return control + (event.altKey ? 'alt+' : '') + event.key;
}

function find(event: KeyboardEvent): Binding | undefined {
  const key = written(event);
  const text = isText(event.target);
  const usable = [...bound].reverse().filter((one) => one.inText || !text);
  const pair = performance.now() - firstAt < 1200 ? `${first} ${key}` : key;
  return usable.find((one) => one.keys === pair) ?? usable.find((one) => one.keys === key);
}

addEventListener('keydown', (event) => {
  // A dialog or an open menu has the keyboard for itself, but for what is bound everywhere.
  if (event.defaultPrevented || event.isComposing) return;
  const inLayer = (event.target as Element | null)?.closest?.('[role=dialog],[role=menu]');
  const binding = find(event);
  first = written(event);
  firstAt = isText(event.target) ? 0 : performance.now();
  if (!binding || (inLayer && !binding.inText)) return;
  // Enter and space belong to the button or link that has the focus.
  const onControl = (event.target as Element | null)?.closest?.('button,a,[role=option]');
  if (onControl && (event.key === 'Enter' || event.key === ' ')) return;
  firstAt = 0;
  event.preventDefault();
  binding.run(event);
});
