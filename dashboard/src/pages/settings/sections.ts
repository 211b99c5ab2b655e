// The sections of the settings, each with its own address.
import type { Component } from 'svelte';

/** A section gets the words of its address after its own. */
export type Section = Component<{ rest: string[] }>;

const SECTIONS = {
  profile: () => import('./Profile.svelte'),
  display: () => import('./Display.svelte'),
  sessions: () => import('./Sessions.svelte'),
  notifications: () => import('./Notifications.svelte'),
  schedules: () => import('./Schedules.svelte'),
  'api-keys': () => import('./ApiKeys.svelte'),
  'phone-keys': () => import('./PhoneKeys.svelte'),
  integrations: () => import('./Integrations.svelte'),
  users: () => import('./Users.svelte'),
  usage: () => import('./Usage.svelte'),
  retention: () => import('./Retention.svelte'),
  data: () => import('./Data.svelte'),
  account: () => import('./Account.svelte'),
} satisfies Record<string, () => Promise<{ default: Component<never> }>>;

export type Name = keyof typeof SECTIONS;

/** The sections that somebody has: other people's accounts are for administrators. */
export function names(admin: boolean): Name[] {
  return (Object.keys(SECTIONS) as Name[]).filter((name) => admin || name !== 'users');
}

/** Loads a section; one that wants no words does not look at them. */
export async function load(name: Name): Promise<Section> {
  return (await SECTIONS[name]()).default as unknown as Section;
}
