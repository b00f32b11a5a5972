import { modelPath, post } from './api';
import { Chart, lines, type Series } from './charts';
import { h, replace, table, uniqueId } from './dom';
import { count, short, time } from './format';
import { cssColour } from './theme';
import type { Layout, Snapshot } from './types';

interface Alarm {
  record: number;
  key?: string;
  timestamp?: string;
  p_value: number;
}

interface Outcome {
  updates: number;
  records: number;
  mean_log_likelihood?: number;
  curve: { records: number[]; mean_log_likelihood: number[] };
  alarms?: { raised: number; cleared: number; active: number; first: Alarm[] };
  seconds: number;
}

interface Answer {
  records: number;
  as_it_is: Outcome;
  what_if: Outcome;
  are_comparable: boolean;
  settings: string[];
  configuration: string;
}

const asItIs = 'as it is', whatIf = 'what if';

/** Settings to be tried on the last records, beside the model that runs. */
export class WhatIfPanel {
  readonly element: HTMLElement;
  /** What it asks for, so that another version may ask for something else. */
  readonly key: string;
  private readonly numbers = new Map<string, HTMLInputElement>();
  private readonly features: HTMLInputElement[] = [];
  private readonly button = h('button', { type: 'submit' }, 'Replay');
  private readonly note = h('p', { class: 'muted', role: 'status' }, 'Change something and replay. What runs is not touched.');
  private readonly result = h('div', { hidden: true });
  private readonly text = h('div', {});
  private readonly chart = new Chart('Log-likelihood of both');
  private readonly summary = h('div', { class: 'card' });
  private readonly alarms = h('div', { class: 'card' });

  constructor(private readonly id: string, layout: Layout, snapshot: Snapshot) {
    this.key = WhatIfPanel.keyOf(layout, snapshot);
    const names = layout.features.map(feature => feature.name);
    const form = h('form', {
      class: 'score', submit: event => {
        event.preventDefault();
        void this.replay();
      },
    },
    this.number('kappa', 'kappa of the step size', { min: 0.501, max: 1, step: 'any', placeholder: short(snapshot.training.kappa) }),
    snapshot.component_ids.length > 0
      ? this.number('components', 'components', { min: 1, max: 1000, step: 1, placeholder: snapshot.component_ids.length }) : null,
    this.number('alarm_threshold', 'p-value of an alarm', { min: 0, max: 1, step: 'any', placeholder: 'as it is' }),
    this.number('records', 'records', { min: 1, step: 1, placeholder: 'all that are kept' }),
    names.length > 1 ? h('fieldset', {}, h('legend', {}, 'features'), ...names.map(name => this.feature(name))) : null,
    h('p', { class: 'fields' }, this.button));
    replace(this.result, h('div', { class: 'grid' }, h('div', { class: 'card' }, this.chart.element), this.summary, this.alarms));
    this.element = h('div', {}, h('div', { class: 'grid' }, h('div', { class: 'card' }, form, this.note)), this.result, this.text);
  }

  static keyOf(layout: Layout, snapshot: Snapshot): string {
    return [...layout.features.map(feature => feature.name), snapshot.component_ids.length > 0, snapshot.training.kappa].join('\n');
  }

  dispose(): void {
    this.chart.dispose();
  }

  private number(name: string, label: string, more: Record<string, string | number>): HTMLElement {
    const id = uniqueId('what-if');
    const input = h('input', { id, name, type: 'number', autocomplete: 'off', ...more });
    this.numbers.set(name, input);
    return h('div', { class: 'row' }, h('label', { for: id }, label), input);
  }

  private feature(name: string): HTMLElement {
    const box = h('input', { type: 'checkbox', name: 'features', value: name, checked: true });
    this.features.push(box);
    return h('label', { class: 'field' }, box, name);
  }

  private async replay(): Promise<void> {
    const body: Record<string, unknown> = {};
    for (const [name, input] of this.numbers) if (input.value !== '') body[name] = Number(input.value);
    const chosen = this.features.filter(box => box.checked).map(box => box.value);
    if (chosen.length < this.features.length) body['features'] = chosen;
    this.button.disabled = true;
    replace(this.note, 'Replaying \u2026');
    try {
      const answer = (await post<Answer>(modelPath(this.id, '/what-if'), body))!;
      this.show(answer);
      replace(this.note, `Replayed ${count(answer.records)} records twice in ${short(answer.as_it_is.seconds + answer.what_if.seconds, 3)} s.`);
    } catch (failure) {
      replace(this.note, h('span', { class: 'problem' }, (failure as Error).message));
    } finally {
      this.button.disabled = false;
    }
  }

  private show(answer: Answer): void {
    this.result.hidden = false;
    const series = (name: string, outcome: Outcome, colour: string): Series => ({
      name, colour, points: outcome.curve.records.map((record, at) => [record, outcome.curve.mean_log_likelihood[at]!]),
    });
    this.chart.show(
      `Mean log-likelihood ${short(answer.as_it_is.mean_log_likelihood)} as it is, ${short(answer.what_if.mean_log_likelihood)} with the changes.`,
      () => lines([series(asItIs, answer.as_it_is, cssColour('accent')), series(whatIf, answer.what_if, cssColour('accent-2'))], 'nats per record'));
    const row = (label: string, of: (outcome: Outcome) => string) => [label, of(answer.as_it_is), of(answer.what_if)];
    replace(this.summary, h('h3', {}, 'Both'), table('Both configurations', ['of the replay', asItIs, whatIf], [
      row('log-likelihood, nats per record', outcome => short(outcome.mean_log_likelihood, 6)),
      row('updates', outcome => count(outcome.updates)),
      row('alarms', outcome => outcome.alarms === undefined ? 'none are raised' : count(outcome.alarms.raised)),
    ], [1, 2]),
    answer.are_comparable ? null : h('p', { class: 'muted' }, 'The two are of different features: their log-likelihoods cannot be compared.'));
    replace(this.alarms, h('h3', {}, 'Alarms of both'), ...this.alarmsOf(answer));
    this.offer(answer);
  }

  private alarmsOf(answer: Answer): Node[] {
    const all = new Map<number, [Alarm, string[]]>();
    for (const [name, outcome] of [[asItIs, answer.as_it_is], [whatIf, answer.what_if]] as [string, Outcome][])
      for (const alarm of outcome.alarms?.first ?? [])
        all.set(alarm.record, [alarm, [...all.get(alarm.record)?.[1] ?? [], name]]);
    if (all.size === 0) return [h('p', { class: 'muted' }, 'Neither raises an alarm.')];
    const shown = [...all.values()].sort(([a], [b]) => a.record - b.record).slice(0, 100);
    return [table('Alarms of both configurations', ['record', 'key', 'time', 'p-value', 'raised by'], shown.map(([alarm, by]) =>
      [count(alarm.record), alarm.key ?? '', alarm.timestamp === undefined ? '' : time(alarm.timestamp), short(alarm.p_value), by.join(' and ')]), [0, 3])];
  }

  /** The changes, to be put into the configuration. */
  private offer(answer: Answer): void {
    replace(this.text, h('p', { class: 'fields' }, h('button', { type: 'button', click: () => this.write(answer) }, 'Write this configuration')));
  }

  private write(answer: Answer): void {
    const id = uniqueId('configuration');
    const lines = answer.configuration.split('\n').length + answer.settings.length;
    const area = h('textarea', { id, readonly: true, rows: lines + 2, class: 'code' });
    area.value = `${answer.configuration}\n# or: streamem run ${answer.settings.map(setting => `--set '${setting}'`).join(' ')}\n`;
    replace(this.text, h('div', { class: 'card' }, h('label', { for: id }, 'Put this into the configuration file, and have it read again (SIGHUP or run --watch)'), area));
    area.focus();
    area.select();
  }
}
