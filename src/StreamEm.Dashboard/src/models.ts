import { ApiError, get } from './api';
import type { ModelSummary } from './types';

const pollEvery = 2000, rateOver = 15_000, mostPoints = 120;

interface Seen {
  at: number;
  records: number;
}

/** All models of the worker, asked for every two seconds while the page is looked at. */
export class Models extends EventTarget {
  list: ModelSummary[] | undefined;
  problem: ApiError | undefined;
  /** Since when the worker does not answer, ms; undefined while it does. */
  awaySince: number | undefined;
  /** How long it was away the last time, and when it came back. */
  back: { after: number; at: number } | undefined;
  private readonly seen = new Map<string, Seen[]>();
  private readonly points = new Map<string, number[]>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    document.addEventListener('visibilitychange', () => { if (!document.hidden) void this.poll(); });
    void this.poll();
  }

  find(id: string): ModelSummary | undefined {
    return this.list?.find(model => model.id === id);
  }

  /** Records a second, over the last seconds. */
  rate(id: string): number | undefined {
    const seen = this.seen.get(id);
    if (seen === undefined || seen.length < 2) return undefined;
    const first = seen[0]!, last = seen.at(-1)!;
    return last.at === first.at ? undefined : Math.max(0, 1000 * (last.records - first.records) / (last.at - first.at));
  }

  /** The last log-likelihoods. */
  likelihoods(id: string): number[] {
    return this.points.get(id) ?? [];
  }

  async poll(): Promise<void> {
    clearTimeout(this.timer);
    try {
      this.take(await get<ModelSummary[]>('v1/models'));
      this.problem = undefined;
      if (this.awaySince !== undefined) {
        this.back = { after: Date.now() - this.awaySince, at: Date.now() };
        this.awaySince = undefined;
        this.dispatchEvent(new Event('back'));
      }
    } catch (failure) {
      this.problem = failure instanceof ApiError ? failure : new ApiError(0, { detail: String(failure) });
      if (this.problem.status === 0 || this.problem.status >= 502) this.awaySince ??= Date.now();
    }
    this.dispatchEvent(new Event('models'));
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => void this.poll(), pollEvery);
  }

  private take(list: ModelSummary[]): void {
    const now = performance.now();
    for (const model of list) {
      const taken = model.records + model.unlearned + model.records_pending;
      let seen = this.seen.get(model.id) ?? [];
      // A new run counts from the start again.
      if (seen.length > 0 && taken < seen.at(-1)!.records) seen = [];
      seen.push({ at: now, records: taken });
      while (seen.length > 2 && now - seen[0]!.at > rateOver) seen.shift();
      this.seen.set(model.id, seen);
      const points = this.points.get(model.id) ?? [];
      const before = this.find(model.id);
      if (model.mean_log_likelihood !== undefined && before?.version !== model.version) points.push(model.mean_log_likelihood);
      if (points.length > mostPoints) points.shift();
      this.points.set(model.id, points);
    }
    this.list = list;
  }
}

/** What a model's status is to a person: a word, and how bad it is. */
export function statusOf(model: ModelSummary): { text: string; level: 'good' | 'busy' | 'bad' | 'idle' } {
  switch (model.status) {
    case 'failed': return { text: 'failed', level: 'bad' };
    case 'warming_up': return { text: 'warming up', level: 'busy' };
    case 'learning': return { text: model.problem === undefined ? 'learning' : 'learning, not ready', level: model.problem === undefined ? 'good' : 'bad' };
    case 'paused': return { text: 'paused', level: 'busy' };
    case 'finished': return { text: 'finished', level: 'idle' };
    default: return { text: model.status.replaceAll('_', ' '), level: model.problem === undefined ? 'idle' : 'bad' };
  }
}
