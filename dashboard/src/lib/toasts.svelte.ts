// Notices at the foot of the page, and actions that can be taken back for some seconds.
import { asFault } from '$/api/client';

export interface Toast {
  id: number;
  text: string;
  kind: 'plain' | 'good' | 'bad';
  /** A button on it. */
  action?: { label: string; run: () => void };
}

let list = $state<Toast[]>([]);
let last = 0;

export function toasts(): readonly Toast[] {
  return list;
}

export function dismiss(id: number): void {
  list = list.filter((toast) => toast.id !== id);
}

function add(toast: Omit<Toast, 'id'>, seconds: number): number {
  const id = ++last;
  list = [...list.slice(-3), { ...toast, id }];
  setTimeout(() => dismiss(id), seconds * 1000);
  return id;
}

/** Says that something is done. */
export function say(text: string, kind: Toast['kind'] = 'plain'): void {
  add({ text, kind }, 4);
}

/** Says what went wrong. */
export function sayFault(error: unknown): void {
  const fault = asFault(error);
  // Being signed out shows a whole page.
  if (fault.status !== 401) add({ text: fault.message, kind: 'bad' }, 10);
}

/** How long an action can be taken back. */
const UNDO_SECONDS = 7;
const waiting = new Set<() => void>();

/**
 * Does something that can be taken back: the page shows it as done at once, `commit` does it when
 * the time is over, or at the latest when the page is left; `undo` puts the page back.
 */
export function undoable(
  text: string,
  undoLabel: string,
  commit: () => Promise<unknown>,
  undo: () => void,
): void {
  let open = true;
  const finish = () => {
    if (!open) return;
    open = false;
    waiting.delete(finish);
    commit().catch((error: unknown) => {
      undo();
      sayFault(error);
    });
  };
  const takeBack = () => {
    if (!open) return;
    open = false;
    waiting.delete(finish);
    dismiss(id);
    undo();
  };
  const id = add(
    { text, kind: 'plain', action: { label: undoLabel, run: takeBack } },
    UNDO_SECONDS,
  );
  waiting.add(finish);
  setTimeout(finish, UNDO_SECONDS * 1000);
}

// Requests of `commit` outlive the page if they are made with `keepalive`.
addEventListener('pagehide', () => [...waiting].forEach((finish) => finish()));
