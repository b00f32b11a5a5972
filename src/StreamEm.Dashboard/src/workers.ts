import { ApiError, get, modelPath } from './api';
import { h, replace, say, table } from './dom';
import { count, short } from './format';
import type { ModelSummary, SharedWork } from './types';

const mostPartitions = 60;

/** The workers that learn a model together, their partitions, and what is not learned yet. */
export class WorkersPanel {
  readonly element = h('section', { id: 'workers', 'aria-labelledby': 'workers-title' }, h('h2', { id: 'workers-title' }, 'Workers'));
  private readonly note = h('p', { class: 'muted', role: 'status' }, 'Asking the brokers \u2026');
  private readonly content = h('div', { class: 'grid' });

  constructor(private readonly id: string) {
    this.element.hidden = true;
    this.element.append(this.note, this.content);
  }

  async refresh(model: ModelSummary | undefined, signal: AbortSignal): Promise<void> {
    this.element.hidden = model?.scale_out === undefined;
    if (model?.scale_out === undefined) return;
    try {
      this.draw(await get<SharedWork>(modelPath(this.id, '/workers'), signal), model.scale_out);
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      say(this.note, failure.message);
    }
  }

  private draw(work: SharedWork, own: NonNullable<ModelSummary['scale_out']>): void {
    const late = own.staleness === undefined ? '' : ` Minibatches of this worker came ${short(own.staleness.mean)} versions late on average, ${count(own.staleness.max)} at most.`;
    say(this.note, `${count(work.workers.length)} worker${work.workers.length === 1 ? '' : 's'} of group ${work.group_id}; ${count(work.lag)} records are not in the model yet.${late}`);
    const idle = work.partitions.filter(one => one.worker === undefined).length;
    replace(this.content,
      h('div', { class: 'card' }, h('h3', {}, 'Who works on what'), table('Who works on what', ['worker', 'host', 'partitions', 'folds'],
        work.workers.map(one => [one.worker === work.this_worker ? h('strong', {}, `${one.worker} (this one)`) : one.worker, one.host,
          count(one.partitions.length), one.folds ? 'yes' : '']), [2])),
      h('div', { class: 'card' }, h('h3', {}, 'Partitions'),
        idle === 0 ? null : h('p', { class: 'problem' }, `${count(idle)} of ${count(work.partitions.length)} partitions have no worker.`),
        table('Partitions of the source', ['partition', 'worker', 'next record', 'lag'],
          work.partitions.slice(0, mostPartitions).map(one => [one.partition, one.worker ?? 'none', count(one.position), count(one.lag)]), [2, 3]),
        work.partitions.length > mostPartitions ? h('p', { class: 'muted' }, `The first ${mostPartitions} of ${count(work.partitions.length)}.`) : null));
  }
}
