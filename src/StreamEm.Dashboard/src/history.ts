import { ApiError, get, modelPath, post } from './api';
import { Chart, lines, shares, type Series } from './charts';
import { h, replace, say, select, svg, table } from './dom';
import { count, percent, short, time } from './format';
import { colourOf, cssColour } from './theme';
import type { Difference, VersionSummary } from './types';

const mostKept = 2000, mostShown = 12;

/** What was learned version by version, as far as the page has seen it. */
export class History {
  readonly versions: VersionSummary[] = [];

  constructor(private readonly id: string) {}

  get latest(): number {
    return this.versions.at(-1)?.version ?? 0;
  }

  clear(): void {
    this.versions.length = 0;
  }

  /** Fetches the versions that are newer than those there are. */
  async refresh(signal: AbortSignal): Promise<void> {
    const fresh = await get<VersionSummary[]>(modelPath(this.id, `/snapshots?components=true&after=${this.latest}`), signal);
    this.versions.push(...fresh.filter(version => version.version > this.latest));
    // The older half is thinned: a page open for days draws no more than it can show.
    if (this.versions.length > mostKept) {
      const half = this.versions.length / 2;
      this.versions.splice(0, this.versions.length, ...this.versions.filter((_, at) => at >= half || at % 2 === 0));
    }
  }
}

/** Log-likelihood, step size, free energy and weights over the stream. */
export class LearningPanel {
  readonly element: HTMLElement;
  private readonly likelihood: Chart;
  private readonly step = new Chart('Step size');
  private readonly energy = new Chart('Free energy');
  private readonly weights = new Chart('Weights of the components');

  constructor(isBound: boolean) {
    this.likelihood = new Chart(isBound ? 'Test-then-train lower bound' : 'Test-then-train log-likelihood');
    this.element = h('div', { class: 'grid' }, ...[this.likelihood, this.weights, this.step, this.energy].map(chart =>
      h('div', { class: 'card' }, chart.element)));
  }

  draw(history: History): void {
    const versions = history.versions;
    const series = (name: string, of: (version: VersionSummary) => number | undefined, colour: string, dashed = false): Series => ({
      name, colour, dashed,
      points: versions.flatMap(version => of(version) === undefined ? [] : [[version.records, of(version)!] as [number, number]]),
    });
    const last = versions.at(-1);
    this.likelihood.show(`Last minibatch ${short(last?.mean_log_likelihood)}, all records ${short(last?.running_mean_log_likelihood)} nats per record.`,
      () => lines([series('each minibatch', version => version.mean_log_likelihood, cssColour('accent')),
        series('all so far', version => version.running_mean_log_likelihood, cssColour('accent-2'), true)], 'nats per record'));
    this.step.show(`Step size ${short(last?.step_size)} after ${count(last?.version)} updates.`,
      () => lines([series('step size', version => version.step_size! > 0 ? version.step_size : undefined, cssColour('accent'))], 'step size', true));
    const hasEnergy = versions.some(version => version.energy !== undefined);
    (this.energy.element.parentElement as HTMLElement).hidden = !hasEnergy;
    if (hasEnergy)
      this.energy.show(`Energy ${short(last?.energy)} and entropy ${short(last?.entropy)} nats per record.`,
        () => lines([series('energy', version => version.energy, cssColour('accent')),
          series('entropy', version => version.entropy, cssColour('accent-2'))], 'nats per record'));
    this.drawWeights(versions);
  }

  dispose(): void {
    for (const chart of [this.likelihood, this.step, this.energy, this.weights]) chart.dispose();
  }

  private drawWeights(versions: VersionSummary[]): void {
    const last = versions.at(-1)?.components ?? {};
    const most = new Map<string, number>();
    for (const version of versions)
      for (const [id, share] of Object.entries(version.components ?? {})) most.set(id, Math.max(most.get(id) ?? 0, share));
    (this.weights.element.parentElement as HTMLElement).hidden = most.size < 2;
    if (most.size < 2) return;
    const shown = [...most.keys()].sort((a, b) => most.get(b)! - most.get(a)!).slice(0, mostShown)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    this.weights.show(`Weights: ${shown.map(id => `${id} ${percent(last[id] ?? 0)}`).join(', ')}.`, () => {
      const series = shown.map((id): Series => ({
        name: id, colour: colourOf(id), points: versions.map(version => [version.records, version.components?.[id] ?? 0]),
      }));
      if (most.size > shown.length)
        series.push({
          name: 'others', colour: cssColour('muted'),
          points: versions.map(version => [version.records, Math.max(0, 1 - shown.reduce((sum, id) => sum + (version.components?.[id] ?? 0), 0))]),
        });
      return shares(series, 'share of the stream');
    });
  }
}

/** The versions kept, how any two differ, and what may be done with one. */
export class VersionsPanel {
  readonly element: HTMLElement;
  private readonly list = h('div', {});
  private readonly choices = h('span', { class: 'fields' });
  private readonly result = h('div', { 'aria-live': 'polite' });
  private readonly note = h('p', { role: 'status' });
  private from = '';
  private to = '';
  private offered = '';

  constructor(private readonly id: string, private readonly operations: Set<string>) {
    this.element = h('div', {}, this.list, h('h3', {}, 'Difference of two versions'),
      h('div', { class: 'fields' }, this.choices, h('button', { type: 'button', click: () => void this.compare() }, 'Compare')),
      this.result, this.note);
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const kept = (await get<VersionSummary[]>(modelPath(this.id, '/snapshots'), signal)).reverse();
    const key = kept.map(version => version.version).join();
    if (key === this.offered) return;
    this.offered = key;
    const acts = this.acts();
    replace(this.list, kept.length === 0 ? h('p', { class: 'muted' }, 'There is no version yet.') : table('Versions kept', ['version', 'made', 'records', 'log-likelihood', 'step size', ...acts.length > 0 ? ['do'] : []],
      kept.slice(0, mostShown).map(version => [String(version.version), time(version.created_at), count(version.records),
        short(version.mean_log_likelihood), short(version.step_size),
        ...acts.length > 0 ? [h('span', { class: 'fields' }, ...acts.map(act => act(version.version)))] : []]), [0, 2, 3, 4]),
    kept.length > mostShown ? h('p', { class: 'muted' }, `${kept.length - mostShown} older versions are kept as well.`) : null);
    const names = kept.map(version => String(version.version));
    if (!names.includes(this.from)) this.from = names.at(-1) ?? '';
    if (!names.includes(this.to)) this.to = names[0] ?? '';
    // A choice that is open stays as it is.
    if (this.choices.contains(document.activeElement)) return;
    replace(this.choices, select('from', names, this.from, value => { this.from = value; }),
      select('to', names, this.to, value => { this.to = value; }));
  }

  /** Buttons for what the API can do with a version. */
  private acts(): ((version: number) => HTMLElement)[] {
    return (['revert to', 'pin'] as const).filter(verb => this.operations.has(`post /v1/models/{id}/${verb.split(' ')[0]}`))
      .map(verb => (version: number) => h('button', {
        type: 'button', 'aria-label': `${verb} version ${version}`, click: () => void this.act(verb, version),
      }, verb));
  }

  private async act(verb: 'revert to' | 'pin', version: number): Promise<void> {
    if (!confirm(verb === 'pin' ? `Serve and publish version ${version} whatever is learned?`
      : `Go back to version ${version}? Learning goes on from it.`)) return;
    try {
      await post(modelPath(this.id, `/${verb.split(' ')[0]}?version=${version}`));
      say(this.note, `Done: ${verb} version ${version}.`);
    } catch (failure) {
      say(this.note, `Not done: ${(failure as Error).message}`);
    }
  }

  private async compare(): Promise<void> {
    try {
      const difference = await get<Difference>(modelPath(this.id, `/diff?from=${this.from}&to=${this.to}`));
      replace(this.result, ...differenceTables(difference));
    } catch (failure) {
      replace(this.result, h('p', { class: 'problem' }, failure instanceof ApiError ? failure.message : String(failure)));
    }
  }
}

function differenceTables(difference: Difference): Node[] {
  const { a, b } = difference;
  const divergence = (one: Difference['kl_a_b']) => one.impossible !== undefined
    ? `infinite: ${one.impossible} of ${difference.draws} records drawn are impossible for the other`
    : `${short(one.value)} nats per record (standard error ${short(one.standard_error, 2)})`;
  const only = (version: number, ids: string[]) => ids.length === 0 ? null : h('p', {}, `Only in version ${version}: ${ids.join(', ')}.`);
  return [
    h('p', {}, `From version ${a.version} (${count(a.records)} records) to ${b.version} (${count(b.records)} records): KL(from || to) `
      + `${divergence(difference.kl_a_b)}; KL(to || from) ${divergence(difference.kl_b_a)}.`),
    ...[only(a.version, difference.only_a), only(b.version, difference.only_b)].filter(node => node !== null),
    ...difference.components.length === 0 ? [] : [table('Components compared', ['component', 'weight before', 'after', 'KL, nats', 'moved most', 'by, standard deviations', 'spread'],
      difference.components.map(one => [one.id, percent(one.weight_a), percent(one.weight_b), short(one.kl), one.feature ?? '',
        one.feature === undefined ? '' : short(one.shift, 3), one.feature === undefined ? '' : `\u00d7 ${short(one.spread, 3)}`]), [1, 2, 3, 5, 6])],
    table('Parameters compared', ['parameters', 'largest change', 'root mean square'],
      Object.entries(difference.parameters).map(([name, one]) => [name, short(one.largest), short(one.root_mean_square)]), [1, 2]),
  ];
}

/** A line so small that it needs no axes. */
export function sparkline(values: number[], label: string): HTMLElement {
  const box = h('span', { class: 'sparkline' });
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2) return box;
  const least = Math.min(...finite), range = Math.max(...finite) - least, width = 96, height = 24;
  const points = finite.map((value, at) => {
    const up = range > 0 ? (value - least) / range : 0.5;
    return `${(at * width / (finite.length - 1)).toFixed(1)},${(height - 2 - (height - 4) * up).toFixed(1)}`;
  });
  box.append(svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, svg('polyline', { points: points.join(' ') })));
  return box;
}
