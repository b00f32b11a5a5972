import { get, modelPath } from './api';
import { Chart, legend, tooltip, valueAxis } from './charts';
import { h, replace, say, select, table } from './dom';
import { short, time, valueText, words } from './format';
import { colourOf, cssColour } from './theme';
import type { Components, Ellipse, Explanation, Layout, Recent, ScoredRecord } from './types';

/** Mahalanobis distances inside which half of a plane Gaussian lies, and 95 %. */
const rings = [Math.sqrt(-2 * Math.log(0.5)), Math.sqrt(-2 * Math.log(0.05))];

/** From this score on a record is drawn as strange. */
const strangeAbove = 0.99;

/** Recent records over two features, with the ellipses of the components. */
export class ScatterPanel {
  readonly element: HTMLElement;
  private readonly chart = new Chart('Recent records', 'square');
  private readonly note = h('p', { class: 'muted', role: 'status' });
  private readonly choices = h('div', { class: 'fields' });
  private x = '';
  private y = '';
  private names: string[] = [];
  private hasNone = false;
  private recent: Recent | undefined;
  private components: Components | undefined;

  constructor(private readonly id: string, private readonly changed: () => void) {
    this.element = h('div', {}, this.choices, this.chart.element, this.note);
  }

  /** The features that may be axes: numbers, as far as is known. */
  offer(names: string[]): void {
    this.hasNone = names.length === 0;
    if (names.join('\n') === this.names.join('\n')) return;
    this.names = names;
    if (!names.includes(this.x)) this.x = names[0] ?? '';
    if (!names.includes(this.y)) this.y = names.find(name => name !== this.x) ?? this.x;
    replace(this.choices,
      select('to the right', names, this.x, value => { this.x = value; this.changed(); }),
      select('upwards', names, this.y, value => { this.y = value; this.changed(); }));
  }

  async refresh(signal: AbortSignal): Promise<Recent> {
    // Of records that cannot be drawn a few are enough, for the form.
    this.recent = await get<Recent>(modelPath(this.id, `/recent?limit=${this.hasNone ? 20 : 600}`), signal);
    const found = numberFields(this.recent);
    if (this.names.length === 0 && found.length > 0 && !this.hasNone) this.offer(found);
    this.draw();
    return this.recent;
  }

  async refreshComponents(signal: AbortSignal): Promise<Components> {
    const axes = this.x === '' ? '' : `?x=${encodeURIComponent(this.x)}&y=${encodeURIComponent(this.y)}`;
    this.components = await get<Components>(modelPath(this.id, `/components${axes}`), signal);
    this.draw();
    return this.components;
  }

  dispose(): void {
    this.chart.dispose();
  }

  private draw(): void {
    const records = this.recent?.records ?? [];
    const points = new Map<string, [number, number, ScoredRecord][]>();
    for (const record of records) {
      const x = Number(record.fields?.[this.x] ?? NaN), y = Number(record.fields?.[this.y] ?? NaN);
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const group = record.component_id ?? 'records';
      if (!points.has(group)) points.set(group, []);
      points.get(group)!.push([x, y, record]);
    }
    const every = this.recent?.one_in ?? 1;
    say(this.note, records.length === 0 ? 'No record since the worker started.'
      : `${records.length} recent records${every > 1 ? `, one in ${every} of the latest` : ''}; ringed where the anomaly score is above ${strangeAbove}.`);
    this.chart.show(`${records.length} recent records over ${this.x} and ${this.y}, with ${this.components?.components.length ?? 0} components.`,
      () => this.option(points));
  }

  private option(points: Map<string, [number, number, ScoredRecord][]>): Record<string, unknown> {
    const components = this.components?.components ?? [];
    const groups = [...new Set([...components.map(component => component.id), ...points.keys()])];
    const scatters = groups.filter(group => points.has(group)).map(group => ({
      type: 'scatter', name: group, symbolSize: 5, itemStyle: { color: group === 'records' ? cssColour('accent') : colourOf(group), opacity: 0.75 },
      data: points.get(group)!.map(([x, y, record]) => ({
        value: [x, y], record,
        ...(record.anomaly_score ?? 0) > strangeAbove
          ? { symbolSize: 9, itemStyle: { opacity: 1, borderColor: cssColour('bad'), borderWidth: 2 } } : {},
      })),
    }));
    const ellipses = components.flatMap(component => component.ellipse === undefined ? [] : rings.map((radius, at) => ({
      type: 'line', name: component.id, data: curve(component.ellipse!, radius), showSymbol: false, silent: true, emphasis: { disabled: true },
      lineStyle: { color: colourOf(component.id), width: at === 0 ? 2 : 1.2, type: at === 0 ? 'solid' : 'dashed', opacity: opacityOf(component.share) },
      itemStyle: { color: colourOf(component.id) }, tooltip: { show: false },
    })));
    return {
      grid: { left: 62, right: 16, top: 34, bottom: 46 },
      legend: legend({ data: groups }),
      tooltip: tooltip({ trigger: 'item', formatter: (item: { data: { record: ScoredRecord } }) => recordText(item.data.record) }),
      xAxis: valueAxis(this.x, { scale: true, nameGap: 26 }),
      yAxis: valueAxis(this.y, { scale: true, nameGap: 46 }),
      series: [...scatters, ...ellipses],
    };
  }
}

/** The strangest records, or the alarms: what each feature has to do with it. */
export class NotablePanel {
  readonly element: HTMLElement;
  private readonly body = h('div', {});
  private open = new Set<number>();
  private shown = '';

  constructor(private readonly id: string, private readonly kind: 'alarms' | 'strangest', private readonly none: string,
    private readonly actions: (record: ScoredRecord) => Node[]) {
    this.element = h('div', { 'data-records': kind }, this.body);
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const recent = await get<Recent>(modelPath(this.id, `/recent?kind=${this.kind}&limit=20`), signal);
    const records = this.kind === 'alarms' ? recent.records.reverse() : recent.records;
    const key = JSON.stringify(records.map(record => [record.record, record.p_value, record.version]));
    if (key === this.shown) return;
    this.shown = key;
    replace(this.body, ...records.length === 0 ? [h('p', { class: 'muted' }, this.none)] : records.map(record => this.item(record)));
  }

  private item(record: ScoredRecord): HTMLElement {
    const event = record.alarm_event === undefined ? null : h('span', { class: `tag ${record.alarm_event === 'raised' ? 'bad' : 'good'}` },
      record.alarm_event === 'raised' ? 'alarm raised' : 'alarm ended');
    const details: HTMLDetailsElement = h('details', {
      open: this.open.has(record.record),
      toggle: () => { if (details.open) this.open.add(record.record); else this.open.delete(record.record); },
    },
    h('summary', {},
      h('span', {}, `record ${record.record}`), ' ',
      record.key === undefined ? null : h('span', { class: 'key' }, record.key), ' ',
      record.timestamp === undefined ? null : h('span', { class: 'muted' }, time(record.timestamp)), ' ', event, ' ',
      h('span', { class: 'number' }, `p-value ${short(record.p_value, 3)}`), ' ',
      record.component_id === undefined ? null : h('span', { class: 'muted' }, `nearest ${record.component_id}`)),
    features(record), h('p', { class: 'fields' }, ...this.actions(record)));
    return details;
  }
}

function features(record: ScoredRecord): HTMLElement {
  const explained = record.explanation ?? {};
  const names = Object.keys(record.fields ?? {});
  const most = Math.max(1e-9, ...Object.values(explained).map(one => one.contribution ?? 0));
  names.sort((a, b) => (explained[b]?.contribution ?? -Infinity) - (explained[a]?.contribution ?? -Infinity) || 0);
  const rows = names.map(name => {
    const one: Explanation | undefined = explained[name];
    const bar = h('span', { class: 'share', 'aria-hidden': true });
    bar.style.width = `${Math.max(0, Math.min(100, 100 * (one?.contribution ?? 0) / most))}%`;
    return [name, valueText(record.fields![name]), one === undefined ? '' : short(one.expected),
      one === undefined || one.interval[0] === null ? '' : `${short(one.interval[0], 3)} to ${short(one.interval[1], 3)}`,
      one === undefined ? '' : h('span', { class: 'contribution' }, bar, short(one.contribution, 3))];
  });
  return Object.keys(explained).length === 0
    ? table(`Fields of record ${record.record}`, ['field', 'value'], rows.map(row => row.slice(0, 2)), [1])
    : table(`What each feature has to do with record ${record.record}`, ['field', 'value', 'expected', '95 % interval', 'contribution, nats'], rows, [1, 2, 3]);
}

function recordText(record: ScoredRecord): string {
  const fields = Object.entries(record.fields ?? {}).slice(0, 12).map(([name, value]) => `${name}: ${valueText(value)}`);
  return [`record ${record.record}${record.key === undefined ? '' : `, ${record.key}`}`, ...fields,
    ...(['log_density', 'anomaly_score', 'p_value'] as const).flatMap(name =>
      record[name] === undefined || record[name] === null ? [] : [`${words(name)}: ${short(record[name])}`])].join('\n');
}

/** Fields of records that are numbers in at least one of them. */
function numberFields(recent: Recent): string[] {
  const names = new Set<string>();
  for (const record of recent.records)
    for (const [name, value] of Object.entries(record.fields ?? {})) if (typeof value === 'number') names.add(name);
  return [...names];
}

export function numericFeatures(layout: Layout): string[] {
  return layout.features.filter(feature => feature.kind !== 'level' && feature.kind !== 'terms').map(feature => feature.name);
}

/** The curve of a Mahalanobis distance: the Cholesky factor of the 2 x 2 block maps the circle onto it. */
export function curve(ellipse: Ellipse, radius: number): [number, number][] {
  const a = Math.sqrt(Math.max(0, ellipse.variance_x)), b = a > 0 ? ellipse.covariance / a : 0;
  const c = Math.sqrt(Math.max(0, ellipse.variance_y - b * b));
  return Array.from({ length: 65 }, (_, at) => {
    const angle = 2 * Math.PI * at / 64, sin = Math.sin(angle), cos = Math.cos(angle);
    return [ellipse.x + radius * a * cos, ellipse.y + radius * (b * cos + c * sin)];
  });
}

/** Components of little weight are drawn faintly. */
function opacityOf(share: number): number {
  return Math.max(0.35, Math.min(1, 0.35 + 4 * share));
}
