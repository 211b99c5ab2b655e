import { asFault, type Fault } from '$/api/client';

/** A form that is sent: what is wrong with it, and whether it works. */
export class Form {
  busy = $state(false);
  fault = $state.raw<Fault | undefined>();

  /** Runs `act`; what it throws is kept for the fields. Says whether it went well. */
  async send(act: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.fault = undefined;
    try {
      await act();
      return true;
    } catch (error) {
      this.fault = asFault(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** What is wrong with a field. */
  of(field: string): string[] {
    return this.fault?.fields[field] ?? [];
  }

  /** What is wrong with none of the shown fields. */
  rest(...shown: string[]): string | undefined {
    if (!this.fault) return undefined;
    const others = this.fault.apart(...shown);
    if (others.length) return others.join(' ');
    return Object.keys(this.fault.fields).length ? undefined : this.fault.message;
  }
}
