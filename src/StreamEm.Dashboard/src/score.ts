import { modelPath, post } from './api';
import { h, replace, table, uniqueId } from './dom';
import { percent, short, valueText, words } from './format';
import type { Layout, Recent, ScoredRecord, Snapshot } from './types';

interface Field {
  name: string;
  kind: string;
  levels?: string[];
}

/** A form of the fields that the model reads, and what the newest version says of such a record. */
export class ScorePanel {
  readonly element: HTMLElement;
  private readonly inputs = new Map<string, HTMLInputElement | HTMLTextAreaElement>();
  /** What it asks for, so that another version may ask for something else. */
  readonly key: string;
  private readonly fields: Field[];
  private readonly result = h('div', { 'aria-live': 'polite' });
  private recent: Recent | undefined;

  constructor(private readonly id: string, layout: Layout, snapshot: Snapshot) {
    this.fields = fieldsOf(layout, snapshot);
    this.key = layout.features.map(feature => feature.name).join('\n');
    const form = h('form', {
      class: 'score', submit: event => {
        event.preventDefault();
        void this.score();
      },
    },
    ...this.fields.map(field => this.input(field)),
    h('p', { class: 'fields' }, h('button', { type: 'submit' }, 'Score'),
      h('button', { type: 'button', class: 'plain', click: () => this.fill() }, 'Take a recent record')));
    this.element = h('div', { class: 'grid' }, h('div', { class: 'card' }, form), h('div', { class: 'card' },
      h('h3', {}, 'What the newest version says'), this.result));
    replace(this.result, h('p', { class: 'muted' }, 'Fill in the fields and score; a field left empty is missing.'));
  }

  offer(recent: Recent): void {
    this.recent = recent;
  }

  private input(field: Field): HTMLElement {
    const id = uniqueId('score'), list = field.levels === undefined ? undefined : uniqueId('levels');
    const input = field.kind === 'terms' ? h('textarea', { id, rows: 3 })
      : h('input', { id, list, autocomplete: 'off', ...isNumber(field) ? { type: 'number', step: 'any' } : { type: 'text' } });
    this.inputs.set(field.name, input);
    return h('div', { class: 'row' }, h('label', { for: id }, field.name), input,
      list === undefined ? null : h('datalist', { id: list }, ...field.levels!.slice(0, 200).map(level => h('option', { value: level }))));
  }

  private fill(): void {
    const records = this.recent?.records ?? [];
    const record = records[Math.floor(Math.random() * records.length)];
    if (record === undefined) return;
    for (const [name, input] of this.inputs) input.value = valueOf(record, name);
  }

  private async score(): Promise<void> {
    const record: Record<string, unknown> = {};
    for (const field of this.fields) {
      const text = this.inputs.get(field.name)!.value;
      // The whole name: a dot in it may be a path and may be a dot.
      if (text !== '') record[field.name] = isNumber(field) ? Number(text) : text;
    }
    try {
      const answer = await post<{ version: number; records: ScoredRecord[] }>(modelPath(this.id, '/score'), { records: [record] });
      replace(this.result, ...resultOf(answer!.records[0]!));
    } catch (failure) {
      replace(this.result, h('p', { class: 'problem' }, (failure as Error).message));
    }
  }
}

/** Fields, not what is made of them; the key where there is one. */
function fieldsOf(layout: Layout, snapshot: Snapshot): Field[] {
  const fields = new Map<string, Field>();
  const { key, timestamp, derived } = snapshot.signature;
  if (key !== undefined) fields.set(key, { name: key, kind: 'key' });
  const made = new Set((derived ?? []).map(one => one.name));
  for (const feature of layout.features)
    if (![...made].some(name => feature.name === name || feature.name.startsWith(`${name}_`))) fields.set(feature.name, feature);
  for (const one of derived ?? [])
    for (const value of Object.values(one))
      if (typeof value === 'string' && value !== one.name && value !== timestamp && !value.includes('/') && !fields.has(value))
        fields.set(value, { name: value, kind: 'number' });
  if (timestamp !== undefined && !fields.has(timestamp)) fields.set(timestamp, { name: timestamp, kind: 'time' });
  return [...fields.values()];
}

function isNumber(field: Field): boolean {
  return field.kind === 'number' || field.kind === 'count' || field.kind === 'binary' || field.kind === 'non_negative';
}

function valueOf(record: ScoredRecord, name: string): string {
  const value = record.fields?.[name];
  return value === null || value === undefined ? '' : String(value);
}

const said = ['component_id', 'class', 'anomaly_score', 'p_value', 'log_density', 'uncertainty', 'version'];

function resultOf(record: ScoredRecord): Node[] {
  if (record.error !== undefined) return [h('p', { class: 'problem' }, `${words(record.error.reason)}: ${record.error.detail}`)];
  const facts = said.filter(name => record[name] !== undefined).map(name => [words(name),
    typeof record[name] === 'number' ? short(record[name] as number, 6) : valueText(record[name])]);
  const blocks = Object.entries(record).filter(([name, value]) => Array.isArray(value) || (typeof value === 'number'
    && !said.includes(name) && !['record', 'component', 'offset', 'novelty_p_value'].includes(name)));
  return [table('Scores', ['score', 'value'], facts, [1]), ...blocks.map(([name, value]) => h('section', {}, h('h4', {}, words(name)),
    h('p', { class: 'numbers' }, listOf(value, /probabilit|responsib|proportions|marginals/.test(name)))))];
}

function listOf(value: unknown, areShares: boolean): string {
  if (!Array.isArray(value)) return short(value as number, 6);
  const parts = value.slice(0, 40).map(one => Array.isArray(one) ? `[${listOf(one, areShares)}]`
    : areShares ? percent(one as number) : short(one as number));
  return parts.join(areShares ? '  ' : ', ') + (value.length > 40 ? ', \u2026' : '');
}
