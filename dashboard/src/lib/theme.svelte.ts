// Light, dark, or as the system has it. `theme.js` applies the choice before the first paint.
export type Theme = 'system' | 'light' | 'dark';

const KEPT = 'httpsms.theme';
let chosen = $state<Theme>(kept());

function kept(): Theme {
  const theme = localStorage.getItem(KEPT);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function theme(): Theme {
  return chosen;
}

export function chooseTheme(to: Theme): void {
  chosen = to;
  if (to === 'system') {
    localStorage.removeItem(KEPT);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEPT, to);
    document.documentElement.dataset.theme = to;
  }
}
