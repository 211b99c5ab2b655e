// Choices of this browser, kept in it.

/** Which key sends in the composer; the other one with Ctrl makes the other. */
export type SendKey = 'ctrl-enter' | 'enter';
/** `auto` is what the language has. */
export type Hours = 'auto' | '12' | '24';
type OnOff = 'off' | 'on';

class Kept<T extends string> {
  #value = $state() as T;
  readonly #name: string;

  constructor(name: string, choices: readonly T[]) {
    this.#name = `httpsms.${name}`;
    const kept = localStorage.getItem(this.#name) as T;
    this.#value = choices.includes(kept) ? kept : (choices[0] as T);
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    this.#value = value;
    localStorage.setItem(this.#name, value);
  }
}

/** `preferences.sendKey.value = 'enter'` is kept at once. */
export const preferences = {
  sendKey: new Kept<SendKey>('send-key', ['ctrl-enter', 'enter']),
  hours: new Kept<Hours>('hours', ['auto', '12', '24']),
  /** Whether the browser tells of new messages, and whether a sound does. */
  notify: new Kept<OnOff>('notify', ['off', 'on']),
  sound: new Kept<OnOff>('sound', ['off', 'on']),
};
