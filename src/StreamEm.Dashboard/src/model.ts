import { Actions } from './actions';
import { ApiError, get, modelPath, request } from './api';
import { h, replace, say, table } from './dom';
import { factsOf } from './facts';
import { percent, words } from './format';
import { History, LearningPanel, VersionsPanel } from './history';
import type { Models } from './models';
import { blockPictures, type BlockPicture } from './pictures';
import { NotablePanel, numericFeatures, ScatterPanel } from './records';
import { ScorePanel } from './score';
import { follow } from './stream';
import { colourOf } from './theme';
import { WhatIfPanel } from './whatif';
import { WorkersPanel } from './workers';
import type { Components, Layout, Snapshot } from './types';

/** The least time between two snapshots that are drawn, and between looks at the records. */
const drawEvery = 500, lookEvery = 3000;

/** How long a page is out of sight before its stream ends. */
const hiddenFor = 15_000;

/** All about one model, live. */
export class ModelView {
  readonly element: HTMLElement;
  private readonly ended = new AbortController();
  private readonly actions: Actions;
  private readonly history: History;
  private readonly scatter: ScatterPanel;
  private readonly strangest: NotablePanel;
  private readonly alarms: NotablePanel;
  private readonly workers: WorkersPanel;
  private readonly state = h('span', { class: 'tag idle', role: 'status', id: 'stream-state' }, 'connecting');
  private readonly notice = h('div', { class: 'notice', role: 'status' });
  private readonly facts = h('div', {});
  private readonly componentTable = h('div', {});
  private readonly learningBox = h('div', {});
  private readonly scatterBox = h('div', { class: 'card' });
  private readonly parameterBox = h('div', { class: 'grid' });
  private readonly graphBox = h('div', { class: 'card graph' });
  private readonly versionsBox = h('div', { class: 'card' });
  private readonly scoreBox = h('div', {});
  private readonly whatIfBox = h('div', {});
  private readonly listener = () => this.drawFacts();
  private learning: LearningPanel | undefined;
  private versions: VersionsPanel | undefined;
  private score: ScorePanel | undefined;
  private whatIf: WhatIfPanel | undefined;
  private blocks: BlockPicture[] = [];
  private layoutKey = '';
  private layout: Layout | undefined;
  private snapshot: Snapshot | undefined;
  private runId = '';
  private lostAt: number | undefined;
  private looking: ReturnType<typeof setTimeout> | undefined;
  private graphUrl = '';
  private following: AbortController | undefined;
  private hiding: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly id: string, private readonly models: Models) {
    this.actions = new Actions(id, models, text => this.tell(text));
    this.history = new History(id);
    this.scatter = new ScatterPanel(id, () => void this.components());
    this.strangest = new NotablePanel(id, 'strangest', 'No record is strange, or none can be scored by itself yet.', record => this.actions.feedback(record));
    this.alarms = new NotablePanel(id, 'alarms', 'No alarm since the worker started.', record => this.actions.feedback(record));
    this.workers = new WorkersPanel(id);
    this.element = this.page();
    models.addEventListener('models', this.listener);
    this.drawFacts();
    void this.offer();
    document.addEventListener('visibilitychange', () => this.followWhileVisible(), { signal: this.ended.signal });
    this.followWhileVisible();
    void this.look();
  }

  /** A browser has six connections for all its tabs: one that nobody looks at gives its stream back. */
  private followWhileVisible(): void {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => {
        this.following?.abort();
        this.following = undefined;
      }, hiddenFor);
    } else if (this.following === undefined) {
      this.following = new AbortController();
      void follow(modelPath(this.id, '/stream'), {
        snapshot: (json, run) => this.take(json, run),
        open: () => this.opened(),
        lost: reason => this.lost(reason),
      }, this.following.signal);
    }
  }

  dispose(): void {
    this.ended.abort();
    this.following?.abort();
    clearTimeout(this.hiding);
    clearTimeout(this.looking);
    this.models.removeEventListener('models', this.listener);
    this.learning?.dispose();
    this.whatIf?.dispose();
    this.scatter.dispose();
    for (const block of this.blocks) block.dispose();
    if (this.graphUrl !== '') URL.revokeObjectURL(this.graphUrl);
  }

  private page(): HTMLElement {
    const section = (id: string, title: string, ...content: Node[]) => h('section', { id, 'aria-labelledby': `${id}-title` },
      h('h2', { id: `${id}-title` }, title), ...content);
    const none = () => h('p', { class: 'muted' }, 'There is no version yet.');
    for (const box of [this.learningBox, this.parameterBox, this.scoreBox, this.whatIfBox]) replace(box, none());
    this.graphBox.hidden = true;
    replace(this.scatterBox, this.scatter.element);
    const sections: [string, string, Node[]][] = [
      ['learning', 'Learning', [this.learningBox]],
      ['records', 'Records', [h('div', { class: 'grid' }, this.scatterBox,
        h('div', { class: 'card' }, h('h3', {}, 'Components'), this.componentTable)),
      h('div', { class: 'grid' }, h('div', { class: 'card' }, h('h3', {}, 'Strangest records'), this.strangest.element),
        h('div', { class: 'card' }, h('h3', {}, 'Alarms'), this.alarms.element))]],
      ['parameters', 'Parameters', [this.parameterBox, this.graphBox]],
      ['versions', 'Versions', [this.versionsBox]],
      ['score', 'Score a record', [this.scoreBox]],
      ['what-if', 'What if', [this.whatIfBox]],
    ];
    // Not links to fragments: the fragment says which model is looked at.
    const jump = (id: string) => () => {
      const target = document.getElementById(id)!;
      target.scrollIntoView();
      target.querySelector<HTMLElement>('h2')!.tabIndex = -1;
      target.querySelector<HTMLElement>('h2')!.focus({ preventScroll: true });
    };
    return h('div', { class: 'model' },
      h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Models')),
      h('div', { class: 'title' }, h('h1', {}, this.id), this.state),
      this.notice, this.facts, this.actions.element, this.workers.element,
      h('nav', { class: 'sections', 'aria-label': 'Parts of this page' },
        ...sections.map(([id, title]) => h('button', { type: 'button', class: 'plain', click: jump(id) }, title))),
      ...sections.map(([id, title, content]) => section(id, title, ...content)));
  }

  private opened(): void {
    say(this.state, 'live');
    this.state.className = 'tag good';
    if (this.lostAt !== undefined) {
      this.tell(`The worker was away for ${Math.max(1, Math.round((Date.now() - this.lostAt) / 1000))} s; connected again at ${new Date().toLocaleTimeString('en-GB')}.`);
      this.lostAt = undefined;
      // A restart may have brought another configuration.
      this.layoutKey = '';
      void this.models.poll();
    }
  }

  private lost(reason: ApiError): void {
    this.lostAt ??= Date.now();
    say(this.state, reason.status === 401 ? 'token needed' : reason.status === 404 ? 'not there' : reason.status === 503 ? 'too many streams' : 'reconnecting');
    this.state.className = 'tag bad';
    if (reason.status === 401) return;
    this.tell(reason.status === 404 ? reason.message : `${reason.message} Trying again; what is shown is what was known before.`);
  }

  private tell(text: string): void {
    replace(this.notice, h('p', {}, text, ' ', h('button', { type: 'button', class: 'plain', click: () => replace(this.notice) }, 'Dismiss')));
  }

  /** Takes a snapshot; returns when there is time for the next one. */
  private async take(json: string, run: string): Promise<void> {
    const began = performance.now();
    const snapshot = JSON.parse(json) as Snapshot;
    const runId = snapshot.model.run_id || run;
    if (this.runId !== '' && runId !== this.runId) {
      this.history.clear();
      this.tell('A new run has begun: its versions count from the start, and what the old one learned is not shown any more.');
    }
    this.runId = runId;
    this.snapshot = snapshot;
    try {
      await this.draw(snapshot);
    } catch (failure) {
      if (!(failure instanceof ApiError) && !this.ended.signal.aborted) throw failure;
    }
    await new Promise(resolve => setTimeout(resolve, Math.max(0, drawEvery - (performance.now() - began))));
  }

  private async draw(snapshot: Snapshot): Promise<void> {
    const key = Object.entries(snapshot.parameters).map(([name, tensor]) => `${name}:${tensor.shape.join()}`).join() + snapshot.component_ids.join();
    if (key !== this.layoutKey) {
      this.layout = await get<Layout>(modelPath(this.id, '/layout'), this.ended.signal);
      this.layoutKey = key;
      this.build(this.layout, snapshot);
    }
    for (const block of this.blocks) block.update(snapshot);
    await this.history.refresh(this.ended.signal);
    this.learning!.draw(this.history);
    await this.components();
  }

  /** What depends on the layout; it changes when components come and go. */
  private build(layout: Layout, snapshot: Snapshot): void {
    const numeric = numericFeatures(layout);
    this.scatterBox.hidden = numeric.length === 0;
    this.scatter.offer(numeric);
    for (const block of this.blocks) block.dispose();
    this.blocks = blockPictures(layout);
    replace(this.parameterBox, ...this.blocks.map(block => block.element));
    if (this.learning === undefined) {
      this.learning = new LearningPanel('mean_lower_bound' in snapshot.training);
      replace(this.learningBox, this.learning.element);
    }
    if (this.score?.key !== layout.features.map(feature => feature.name).join('\n')) {
      this.score = new ScorePanel(this.id, layout, snapshot);
      replace(this.scoreBox, this.score.element);
    }
    if (this.whatIf?.key !== WhatIfPanel.keyOf(layout, snapshot)) {
      this.whatIf?.dispose();
      this.whatIf = new WhatIfPanel(this.id, layout, snapshot);
      replace(this.whatIfBox, this.whatIf.element);
    }
    void this.drawGraph();
  }

  private async components(): Promise<void> {
    try {
      const components = await this.scatter.refreshComponents(this.ended.signal);
      this.drawComponents(components);
    } catch (failure) {
      if (!(failure instanceof ApiError) && !this.ended.signal.aborted) throw failure;
    }
  }

  private drawComponents(components: Components): void {
    const parent = this.componentTable.parentElement as HTMLElement;
    parent.hidden = components.components.length === 0;
    if (parent.hidden) return;
    const swatch = (id: string) => {
      const box = h('span', { class: 'swatch', 'aria-hidden': true });
      box.style.background = colourOf(id);
      return h('span', {}, box, id);
    };
    const hasLabels = components.components.some(one => one.label !== undefined);
    replace(this.componentTable, table('Components', ['component', ...hasLabels ? ['label'] : [], 'weight', 'status'],
      components.components.map(one => [swatch(one.id), ...hasLabels ? [one.label ?? ''] : [], percent(one.share), words(one.status)]),
      [hasLabels ? 2 : 1]));
  }

  /** The records, every few seconds while the page is looked at. */
  private async look(): Promise<void> {
    if (!document.hidden && this.models.problem?.status !== 401)
      for (const refresh of [
        async () => {
          const recent = await this.scatter.refresh(this.ended.signal);
          this.score?.offer(recent);
        },
        () => this.workers.refresh(this.models.find(this.id), this.ended.signal),
        () => this.strangest.refresh(this.ended.signal), () => this.alarms.refresh(this.ended.signal),
        () => this.versions?.refresh(this.ended.signal) ?? Promise.resolve(),
      ])
        try {
          await refresh();
        } catch (failure) {
          if (this.ended.signal.aborted) return;
          if (!(failure instanceof ApiError)) throw failure;
        }
    if (!this.ended.signal.aborted) this.looking = setTimeout(() => void this.look(), lookEvery);
  }

  private drawFacts(): void {
    const model = this.models.find(this.id);
    if (model === undefined) {
      if (this.models.list !== undefined) replace(this.facts, h('p', { class: 'problem' }, `There is no model ${this.id}.`));
      return;
    }
    this.actions.draw();
    replace(this.facts, ...factsOf(model, this.models.rate(this.id), this.snapshot));
  }

  private async drawGraph(): Promise<void> {
    try {
      const blob = await (await request(modelPath(this.id, '/graph'), { signal: this.ended.signal })).blob();
      if (this.graphUrl !== '') URL.revokeObjectURL(this.graphUrl);
      this.graphUrl = URL.createObjectURL(blob);
      this.graphBox.hidden = false;
      replace(this.graphBox, h('h3', {}, 'The model'), h('img', { src: this.graphUrl, alt: `The model ${this.id} in plate notation` }));
    } catch (failure) {
      if (!(failure instanceof ApiError) && !this.ended.signal.aborted) throw failure;
    }
  }

  /** What the API can do. */
  private async offer(): Promise<void> {
    await this.actions.offer();
    this.versions = new VersionsPanel(this.id, this.actions.known);
    replace(this.versionsBox, this.versions.element);
  }
}
