import { h, table } from './dom';
import { count, perSecond, short, time, words } from './format';
import { statusOf } from './models';
import { warmUp } from './overview';
import type { ModelSummary, Snapshot } from './types';

/** What /v1/models says of a model, as tiles and lists. */
export function factsOf(model: ModelSummary, rate: number | undefined, snapshot: Snapshot | undefined): Node[] {
  const status = statusOf(model);
  const tile = (name: string, value: string, note?: string) => h('div', { class: 'tile' }, h('dt', {}, name), h('dd', {}, value,
    note === undefined ? null : h('span', { class: 'muted block' }, note)));
  const rejected = Object.entries(model.records_rejected);
  const total = rejected.reduce((sum, [, one]) => sum + one, 0);
  const facts: Node[] = [h('p', {}, h('span', { class: `tag ${status.level}` }, status.text), ` ${model.type}`, model.pinned_version === undefined ? '' : `, pinned to version ${model.pinned_version}`,
    model.updated_at === undefined ? '' : `, newest version made ${time(model.updated_at)}`)];
  if (model.problem !== undefined) facts.push(h('p', { class: 'problem', role: 'alert' }, model.problem));
  if (model.progress !== undefined) facts.push(h('p', {}, 'Collecting the first records: ', warmUp(model.progress)));
  facts.push(h('dl', { class: 'tiles' },
    tile('version', model.version === 0 ? '\u2013' : count(model.version)),
    tile('records learned', count(model.records), model.unlearned > 0 ? `${count(model.unlearned)} more not learned from` : undefined),
    tile('speed', perSecond(rate)), tile('lag', count(model.source_lag), model.source_lag === undefined ? 'the source cannot tell' : 'records'),
    tile('rejected', count(total), rejected.map(([reason, one]) => `${words(reason)} ${count(one)}`).join(', ') || undefined),
    tile('log-likelihood', short(model.mean_log_likelihood), 'nats per record'), tile('step size', short(model.step_size)),
    tile('effective records', count(model.effective_records === undefined ? undefined : Math.round(model.effective_records)))));
  if (model.warnings.length > 0)
    facts.push(h('div', { class: 'warnings' }, h('h2', { class: 'small' }, 'Warnings'), h('ul', {}, ...model.warnings.map(text => h('li', {}, text)))));
  const more: Node[] = [];
  if (model.events.length > 0)
    more.push(h('h2', { class: 'small' }, 'What happened to components'), table('Events', ['version', 'component', 'event'],
      model.events.slice(-12).reverse().map(event => [String(event.version), event.component ?? 'all', words(event.event)]), [0]));
  if (model.candidates !== undefined)
    more.push(h('h2', { class: 'small' }, 'Other numbers of components'), table('Candidates', ['rank', 'components', 'log-likelihood'],
      model.candidates.map(one => [String(one.rank), String(one.components), short(one.mean_log_likelihood, 6)]), [0, 1, 2]));
  const partitions = Object.entries(snapshot?.source ?? {});
  if (partitions.length > 0)
    more.push(h('h2', { class: 'small' }, 'Partitions'), table('Partitions', ['partition', 'next record'],
      partitions.slice(0, 60).map(([name, next]) => [name, count(next)]), [1]));
  const open = document.querySelector<HTMLDetailsElement>('#more-facts')?.open ?? false;
  if (more.length > 0) facts.push(h('details', { id: 'more-facts', open }, h('summary', {}, 'Events, candidates and partitions'), ...more));
  return facts;
}
