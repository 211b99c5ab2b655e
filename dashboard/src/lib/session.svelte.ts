// Who is signed in. The session itself is a cookie that scripts cannot read.
import { api, asFault, call, send, type Fault } from '$/api/client';
import type { User } from '$/api/types';
import type { Setup } from '$/api/schema';
import { live } from './live.svelte';
import { queries } from './query';
import { keepZone } from './time.svelte';

class Session {
  state = $state<'asking' | 'setup' | 'out' | 'in' | 'unreachable'>('asking');
  user = $state.raw<User | undefined>();
  /** How the server can be entered. */
  setup = $state.raw<Setup | undefined>();
  fault = $state.raw<Fault | undefined>();

  constructor() {
    addEventListener('signed-out', () => this.state === 'in' && void this.lose());
  }

  /** Asks the server who this is. */
  async ask(): Promise<void> {
    try {
      this.enter(await call(api.GET('/v1/users/me')));
    } catch (error) {
      const fault = asFault(error);
      if (fault.status === 401) await this.lose();
      else this.#unreachable(fault);
    }
  }

  enter(user: User): void {
    this.user = user;
    keepZone(user.timezone);
    this.state = 'in';
    live.start();
  }

  /** Signed out: nothing of the account stays in memory. */
  async lose(): Promise<void> {
    live.stop();
    queries.clear();
    this.user = undefined;
    try {
      this.setup = await call(api.GET('/v1/setup'));
      this.state = this.setup.needs_owner ? 'setup' : 'out';
    } catch (error) {
      this.#unreachable(asFault(error));
    }
  }

  async signOut(): Promise<void> {
    await send('DELETE', '/v1/sessions/current');
    await this.lose();
  }

  #unreachable(fault: Fault): void {
    this.fault = fault;
    this.state = 'unreachable';
  }
}

export const session = new Session();
