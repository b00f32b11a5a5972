import { modelPath, operations, post } from './api';
import { h, replace } from './dom';
import type { Models } from './models';
import type { ModelSummary, ScoredRecord } from './types';

/** What can be done with a model, and when. */
const acts: [string, (model: ModelSummary) => boolean][] = [
  ['pause', model => model.status !== 'paused'], ['resume', model => model.status === 'paused'], ['checkpoint', () => true],
  ['unpin', model => model.pinned_version !== undefined],
];

/** Buttons for what the API can do with a model and its records. */
export class Actions {
  readonly element = h('p', { class: 'fields' });
  private operations = new Set<string>();
  private offered = '';

  constructor(private readonly id: string, private readonly models: Models, private readonly tell: (text: string) => void) {}

  /** The operations of the API, as far as they are known. */
  get known(): Set<string> {
    return this.operations;
  }

  /** Asks what the API can do. */
  async offer(): Promise<void> {
    try {
      this.operations = await operations();
    } catch {
      // Nothing more can be offered.
    }
    this.draw();
  }

  draw(): void {
    const model = this.models.find(this.id);
    const offered = model === undefined || model.status === 'failed' || model.status === 'finished' ? []
      : acts.filter(([verb, isPossible]) => this.known.has(`post /v1/models/{id}/${verb}`) && isPossible(model)).map(([verb]) => verb);
    if (offered.join() === this.offered) return;
    this.offered = offered.join();
    replace(this.element, ...offered.map(verb => h('button', { type: 'button', click: () => void this.act(verb) }, verb)));
  }

  /** The buttons of a record. */
  feedback(record: ScoredRecord): Node[] {
    if (!this.known.has('post /v1/models/{id}/feedback')) return [];
    const send = (verdict: string) => async () => {
      try {
        await post(modelPath(this.id, '/feedback'), { record: record.record, verdict });
        this.tell(`Told the worker that record ${record.record} is ${verdict}.`);
      } catch (failure) {
        this.tell(`Not done: ${(failure as Error).message}`);
      }
    };
    return ['normal', 'abnormal'].map(verdict => h('button', { type: 'button', click: () => void send(verdict)() }, `It is ${verdict}`));
  }

  private async act(verb: string): Promise<void> {
    try {
      await post(modelPath(this.id, `/${verb}`));
      this.tell(`Done: ${verb}.`);
      await this.models.poll();
    } catch (failure) {
      this.tell(`Not done: ${(failure as Error).message}`);
    }
  }
}
