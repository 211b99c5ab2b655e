// Addresses. Each view has one, so that it can be sent, reloaded and opened twice.

/** The first word of an address. */
export const AREAS = ['inbox', 'webhooks', 'phones', 'bulk', 'search', 'settings'] as const;
export type Area = (typeof AREAS)[number];

class Router {
  #url = $state.raw(new URL(location.href));

  /** Words of the path, decoded: `/inbox/+1/+2` is `['inbox', '+1', '+2']`. */
  readonly words = $derived(this.#url.pathname.split('/').filter(Boolean).map(decoded));
  readonly path = $derived(this.#url.pathname);
  readonly query = $derived(this.#url.searchParams);
  readonly hash = $derived(this.#url.hash);

  constructor() {
    addEventListener('popstate', () => this.#arrive());
    addEventListener('hashchange', () => this.#arrive());
    document.addEventListener('click', (event) => this.#follow(event));
    this.#arrive();
  }

  /** Shows another address; `replace` leaves no step to go back to. */
  go(address: string, { replace = false } = {}): void {
    const to = new URL(address, location.href);
    if (to.href === location.href) return;
    if (replace) history.replaceState(history.state, '', to);
    else history.pushState({ ours: true }, '', to);
    this.#arrive();
  }

  /** One step back within the app, or to `otherwise` for who came from outside. */
  back(otherwise: string): void {
    if ((history.state as { ours?: boolean } | null)?.ours) history.back();
    else this.go(otherwise, { replace: true });
  }

  /** Changes parts of the query and keeps the rest; null and empty take a part away. */
  ask(changes: Record<string, string | null>): void {
    const to = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value) to.searchParams.set(name, value);
      else to.searchParams.delete(name);
    }
    this.go(to.href, { replace: true });
  }

  #arrive(): void {
    const to = moved(new URL(location.href));
    if (to.href !== location.href) history.replaceState(history.state, '', to);
    this.#url = to;
  }

  /** A plain click on a link of ours stays in the page. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download'))
      return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || !isPage(to.pathname)) return;
    event.preventDefault();
    this.go(to.href);
  }
}

/** Whether the app shows this path; others, such as `/docs`, are the server's. */
export function isPage(path: string): boolean {
  const [first = ''] = path.split('/').filter(Boolean);
  return first === '' || (AREAS as readonly string[]).includes(first);
}

/** Addresses that documents of others link to. */
const ELSEWHERE: Record<string, string> = {
  '/settings#webhooks': '/webhooks',
  '/settings#webhook-settings': '/webhooks',
  '/settings#phones': '/phones',
  '/settings#send-schedules': '/settings/schedules',
  '/settings#email-notifications': '/settings/notifications',
  '/settings#discord-settings': '/settings/integrations',
  '/threads': '/inbox',
  '/messages': '/inbox',
  '/bulk-messages': '/bulk',
  '/search-messages': '/search',
  '/phone-api-keys': '/settings/phone-keys',
};

/** The address as it is today. */
export function moved(url: URL): URL {
  const to = ELSEWHERE[url.pathname.replace(/\/$/, '') + url.hash];
  return to ? new URL(to + url.search, url) : url;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** A word of a path. Numbers keep their plus. */
export function word(text: string): string {
  return encodeURIComponent(text).replaceAll('%2B', '+');
}

/** Addresses of things. */
export const places = {
  thread: (owner: string, contact: string) => `/inbox/${word(owner)}/${word(contact)}`,
  phone: (number: string) => `/phones/${word(number)}`,
  webhook: (id: string) => `/webhooks/${word(id)}`,
  delivery: (webhook: string, id: string) => `/webhooks/${word(webhook)}/deliveries/${word(id)}`,
  settings: (section: string) => `/settings/${word(section)}`,
};

export const router = new Router();
