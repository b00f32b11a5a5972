import './style.css';
import { get, setToken, token, unauthorized } from './api';
import { h, replace, say } from './dom';
import { seconds } from './format';
import { ModelView } from './model';
import { Models } from './models';
import { Overview } from './overview';
import { applyTheme, nextTheme, themeChoice } from './theme';

applyTheme();
const models = new Models();
const main = document.getElementById('main')!;
const connection = h('span', { class: 'tag idle', role: 'status', id: 'connection' }, 'connecting');
const tokenBox = h('div', { id: 'token-box' });
let view: { element: HTMLElement; dispose(): void } | undefined;

function route(): void {
  view?.dispose();
  const id = /^#\/model\/(.+)$/.exec(location.hash)?.[1];
  let name: string | undefined;
  try {
    name = id === undefined ? undefined : decodeURIComponent(id);
  } catch {
    name = id;
  }
  document.title = name === undefined ? 'StreamEM' : `${name} \u2013 StreamEM`;
  view = name === undefined ? new Overview(models) : new ModelView(name, models);
  replace(main, view.element);
  window.scrollTo(0, 0);
}

function header(): void {
  const theme = h('button', {
    type: 'button', class: 'plain', id: 'theme', 'aria-label': `Colours: ${themeChoice()}. Change.`,
    click: () => {
      const choice = nextTheme();
      say(theme, `colours: ${choice}`);
      theme.setAttribute('aria-label', `Colours: ${choice}. Change.`);
    },
  }, `colours: ${themeChoice()}`);
  replace(document.getElementById('header')!, h('a', { class: 'brand', href: '#/' }, h('img', { src: './icon.svg', alt: '' }), 'StreamEM'),
    connection, h('span', { class: 'grow' }), h('button', { type: 'button', class: 'plain', click: () => askForToken('') }, 'token'), theme, tokenBox);
}

/** Asks for the token of the API; it is kept as long as this tab is open. */
function askForToken(why: string): void {
  if (tokenBox.childElementCount > 0) {
    if (why !== '') say(tokenBox.querySelector('p')!, why);
    return;
  }
  const input = h('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false' });
  replace(tokenBox, h('form', {
    submit: event => {
      event.preventDefault();
      setToken(input.value.trim());
      replace(tokenBox);
      void models.poll().then(() => { if (models.problem === undefined) route(); });
    },
  }, h('p', { role: 'alert' }, why), h('label', { for: 'token' }, 'Token of the API (http.auth_token)'), input, h('button', { type: 'submit' }, 'Use'),
  h('button', { type: 'button', class: 'plain', click: () => replace(tokenBox) }, 'Cancel')));
  input.focus();
}

function showConnection(): void {
  const { problem, awaySince, back } = models;
  const text = problem === undefined ? (back !== undefined && Date.now() - back.at < 60_000 ? `connected again after ${seconds(back.after)}` : 'connected')
    : problem.status === 401 ? 'token needed'
      : awaySince !== undefined ? `worker not reachable for ${seconds(Date.now() - awaySince)}` : `worker answers ${problem.status}`;
  say(connection, text);
  connection.className = `tag ${problem === undefined ? 'good' : 'bad'}`;
}

async function footer(): Promise<void> {
  try {
    const version = await get<Record<string, string>>('version');
    replace(document.getElementById('footer')!, h('p', { class: 'muted' }, `StreamEM ${version['version'] ?? ''}`, ' \u00b7 ',
      h('a', { href: './licenses.txt' }, 'licences of what the page is made of')));
  } catch {
    // Shown when the worker is back.
  }
}

unauthorized.addEventListener('token', () => askForToken(token() === '' ? 'This worker wants a token.' : 'The worker does not take this token.'));
models.addEventListener('models', showConnection);
models.addEventListener('back', () => void footer());
window.addEventListener('hashchange', route);
// Not a fragment to go to: the fragment says which model is looked at.
document.querySelector('.skip')!.addEventListener('click', event => {
  event.preventDefault();
  main.focus();
});
header();
route();
models.start();
void footer();
