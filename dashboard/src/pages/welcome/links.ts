// Links with a secret after the #, where it stays in the browser: `/#/setup?key=…`, `/#/password?token=…`.

/** The secret with this name, or nothing. */
export function secret(hash: string, name: 'key' | 'token'): string {
  return new URLSearchParams(hash.split('?')[1] ?? '').get(name) ?? '';
}
