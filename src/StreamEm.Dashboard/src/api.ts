import type { Problem } from './types';

const tokenKey = 'streamem.token';

/** The page is PREFIX/ui/, the API PREFIX/v1/...: everything is relative to the page. */
const root = new URL('../', document.baseURI);

/** An answer that is no success, or none at all (status 0). */
export class ApiError extends Error {
  constructor(readonly status: number, readonly problem: Problem) {
    super(problem.detail ?? problem.title ?? `status ${status}`);
  }
}

/** Told when the API wants a token, or another one. */
export const unauthorized = new EventTarget();

export function token(): string {
  return sessionStorage.getItem(tokenKey) ?? '';
}

export function setToken(text: string): void {
  if (text === '') sessionStorage.removeItem(tokenKey);
  else sessionStorage.setItem(tokenKey, text);
}

export function modelPath(id: string, rest = ''): string {
  return `v1/models/${encodeURIComponent(id)}${rest}`;
}

export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (token() !== '') headers.set('Authorization', `Bearer ${token()}`);
  let response: Response;
  try {
    response = await fetch(new URL(path, root), { ...options, headers, cache: 'no-store' });
  } catch (failure) {
    if (options.signal?.aborted) throw failure;
    throw new ApiError(0, { title: 'Not reachable', detail: 'The worker does not answer.' });
  }
  if (response.ok) return response;
  if (response.status === 401) unauthorized.dispatchEvent(new Event('token'));
  let problem: Problem = { title: response.statusText };
  try {
    problem = await response.json() as Problem;
  } catch {
    // Not of the worker: a proxy's own page.
  }
  throw new ApiError(response.status, problem);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await (await request(path, { signal })).json() as T;
}

export async function post<T>(path: string, body?: unknown): Promise<T | undefined> {
  const response = await request(path, body === undefined ? { method: 'POST' }
    : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text) as T;
}

let described: Promise<Set<string>> | undefined;

/** The calls the API has, "post /v1/models/{id}/score": buttons are shown for what is there. */
export function operations(): Promise<Set<string>> {
  described ??= get<{ paths: Record<string, Record<string, unknown>> }>('openapi/v1.json')
    .then(document => new Set(Object.entries(document.paths).flatMap(([path, verbs]) => Object.keys(verbs).map(verb => `${verb} ${path}`))))
    .catch((failure: unknown) => {
      described = undefined;
      throw failure;
    });
  return described;
}
