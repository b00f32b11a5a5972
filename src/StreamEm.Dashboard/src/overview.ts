import { h, replace } from './dom';
import { count, percent, perSecond, short } from './format';
import { sparkline } from './history';
import { statusOf, type Models } from './models';
import type { ModelSummary } from './types';

/** All models at a glance. */
export class Overview {
  readonly element: HTMLElement;
  private readonly rows = h('tbody', {});
  private readonly note = h('p', { class: 'muted', role: 'status' });
  private readonly filter = h('input', { type: 'search', id: 'filter', autocomplete: 'off', input: () => this.draw() });
  private readonly head = h('div', { class: 'fields' }, h('label', { for: 'filter' }, 'Find'), this.filter);
  private readonly listener = () => this.draw();

  constructor(private readonly models: Models) {
    const columns = ['model', 'status', 'version', 'records', 'speed', 'lag', 'rejected', 'log-likelihood', 'lately'];
    this.element = h('div', {}, h('h1', {}, 'Models'), this.head, h('div', { class: 'card scrolls', tabindex: 0, role: 'region', 'aria-label': 'Models' },
      h('table', { class: 'models' }, h('caption', { class: 'unseen' }, 'Models of this worker'),
        h('thead', {}, h('tr', {}, ...columns.map((name, at) => h('th', { scope: 'col', class: at >= 2 && at <= 7 ? 'number' : undefined }, name)))),
        this.rows)), this.note);
    models.addEventListener('models', this.listener);
    this.draw();
  }

  dispose(): void {
    this.models.removeEventListener('models', this.listener);
  }

  private draw(): void {
    const list = this.models.list;
    const wanted = this.filter.value.toLowerCase();
    this.head.hidden = (list?.length ?? 0) < 8;
    const shown = (list ?? []).filter(model => wanted === '' || `${model.id} ${model.type} ${model.status}`.toLowerCase().includes(wanted));
    replace(this.rows, ...shown.map(model => this.row(model)));
    const text = list === undefined ? (this.models.problem === undefined ? 'Asking the worker \u2026' : this.models.problem.message)
      : list.length === 0 ? 'This worker has no models.' : shown.length < list.length ? `${shown.length} of ${list.length} models.` : '';
    if (this.note.textContent !== text) this.note.textContent = text;
  }

  private row(model: ModelSummary): HTMLElement {
    const status = statusOf(model);
    const rejected = Object.values(model.records_rejected).reduce((sum, one) => sum + one, 0);
    return h('tr', {},
      h('th', { scope: 'row' }, h('a', { href: `#/model/${encodeURIComponent(model.id)}` }, model.id),
        h('span', { class: 'muted block' }, model.type)),
      h('td', {}, h('span', { class: `tag ${status.level}` }, status.text),
        model.progress === undefined ? null : warmUp(model.progress), model.problem === undefined ? null : h('span', { class: 'problem block' }, model.problem)),
      h('td', { class: 'number' }, model.version === 0 ? '\u2013' : count(model.version)),
      h('td', { class: 'number' }, count(model.records)),
      h('td', { class: 'number' }, perSecond(this.models.rate(model.id))),
      h('td', { class: 'number' }, count(model.source_lag)),
      h('td', { class: `number ${rejected > 0 ? 'bad-text' : ''}` }, count(rejected)),
      h('td', { class: 'number' }, short(model.mean_log_likelihood)),
      h('td', {}, sparkline(this.models.likelihoods(model.id), `Log-likelihood of ${model.id} lately`)));
  }
}

/** How full the buffer of the first parameters is. */
export function warmUp(progress: { records: number; needed: number }): HTMLElement {
  const share = Math.min(1, progress.records / Math.max(1, progress.needed));
  return h('span', { class: 'block' }, h('progress', { max: progress.needed, value: progress.records, 'aria-label': 'Warm-up' }),
    h('span', { class: 'muted' }, ` ${count(progress.records)} of ${count(progress.needed)} records, ${percent(share)}`));
}
