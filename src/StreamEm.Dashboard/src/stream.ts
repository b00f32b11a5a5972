import { ApiError, request } from './api';

/** One server-sent event. */
export interface ServerEvent {
  event: string;
  id: string;
  data: string;
}

/** Takes pieces of a text/event-stream and gives whole events. */
export class EventParser {
  private rest = '';
  private searched = 0;

  *take(text: string): Generator<ServerEvent> {
    this.rest += text;
    for (;;) {
      const end = this.rest.indexOf('\n\n', this.searched);
      if (end < 0) {
        // A snapshot of megabytes comes in many pieces.
        this.searched = Math.max(0, this.rest.length - 1);
        return;
      }
      const event: ServerEvent = { event: 'message', id: '', data: '' };
      for (const line of this.rest.slice(0, end).split('\n')) {
        const colon = line.indexOf(':');
        if (colon <= 0) continue;
        const value = line.slice(colon + 1).replace(/^ /, '');
        const field = line.slice(0, colon);
        if (field === 'event') event.event = value;
        else if (field === 'id') event.id = value;
        else if (field === 'data') event.data += (event.data === '' ? '' : '\n') + value;
      }
      this.rest = this.rest.slice(end + 2);
      this.searched = 0;
      if (event.data !== '') yield event;
    }
  }
}

export interface StreamListener {
  /** A snapshot came; what is returned is waited for, so that a slow page gets the newest and never a queue. */
  snapshot(json: string, runId: string): Promise<void>;
  /** The stream is open. */
  open(): void;
  /** It is not, and will be tried again. */
  lost(reason: ApiError): void;
}

const firstPause = 500, longestPause = 10_000;

/** Reads the snapshots of a model until aborted; opens the stream again when it ends, after ever longer pauses. */
export async function follow(path: string, listener: StreamListener, signal: AbortSignal): Promise<void> {
  let pause = firstPause, lastSeen = '';
  while (!signal.aborted) {
    try {
      const response = await request(path, { signal, headers: lastSeen === '' ? {} : { 'Last-Event-ID': lastSeen } });
      const run = response.headers.get('streamem-run-id') ?? '';
      listener.open();
      pause = firstPause;
      const reader = response.body!.getReader();
      const decoder = new TextDecoder();
      const parser = new EventParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        for (const event of parser.take(decoder.decode(value, { stream: true }))) {
          lastSeen = run === '' ? event.id : `${run}-${event.id}`;
          await listener.snapshot(event.data, run).catch(reportError);
        }
      }
      listener.lost(new ApiError(0, { detail: 'The worker ended the stream.' }));
    } catch (failure) {
      if (signal.aborted) return;
      listener.lost(failure instanceof ApiError ? failure : new ApiError(0, { detail: 'The connection was cut.' }));
    }
    await new Promise(resolve => setTimeout(resolve, pause));
    pause = Math.min(longestPause, 2 * pause);
  }
}
