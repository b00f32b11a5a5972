const key = 'streamem.theme';
const choices = ['system', 'light', 'dark'] as const;
type Choice = typeof choices[number];

/** Told when colours change. */
export const themeChanged = new EventTarget();

const system = matchMedia('(prefers-color-scheme: dark)');

export function themeChoice(): Choice {
  const stored = localStorage.getItem(key);
  return choices.find(choice => choice === stored) ?? 'system';
}

export function isDark(): boolean {
  const choice = themeChoice();
  return choice === 'dark' || (choice === 'system' && system.matches);
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  themeChanged.dispatchEvent(new Event('theme'));
}

export function nextTheme(): Choice {
  const next = choices[(choices.indexOf(themeChoice()) + 1) % choices.length]!;
  localStorage.setItem(key, next);
  applyTheme();
  return next;
}

system.addEventListener('change', applyTheme);

/** Colours that stay apart for most colour-blind readers, on light and on dark (Tableau 10, lightened for dark). */
const light = ['#4e79a7', '#d9730d', '#3f8f38', '#d1403f', '#2f8f8a', '#a8870b', '#a05b94', '#8a6248', '#c75f72', '#6b6f76'];
const dark = ['#7fb0e6', '#ffa24d', '#7fcf76', '#ff8583', '#78d6d0', '#f0d158', '#d9a0cd', '#c99a7a', '#ffb3bf', '#b4bac4'];

/** The colour of a component: by the number in its id, which it keeps as long as there is one. */
export function colourOf(id: string): string {
  const number = Number(/\d+$/.exec(id)?.[0] ?? [...id].reduce((sum, c) => sum + c.charCodeAt(0), 0));
  const palette = isDark() ? dark : light;
  return palette[number % palette.length]!;
}

/** A colour of the style sheet. */
export function cssColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
