// The server as functions and events.
export class Problem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function askJson(path, { signal, method = 'GET', headers = {} } = {}) {
  let response;
  try {
    response = await fetch(path, { signal, method, headers: { Accept: 'application/json', ...headers } });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem('The server cannot be reached.', 0);
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(body.error ?? `The server answered ${response.status}.`, response.status);
  return body;
}

const time = (text) => (text ? Date.parse(text) : null);
// A stream's writer tells its beginning only now and then; its newest segment is known at once.
const toStream = (raw) => ({ ...raw, from: time(raw.from) ?? time(raw.to), to: time(raw.to) });

export const streamPath = (id) => `streams/${encodeURIComponent(id)}`;
export const isoTime = (ms) => new Date(ms).toISOString();

export async function timeline(id, from, to, resolution, signal) {
  const query = new URLSearchParams({ from: isoTime(from), to: isoTime(to), resolution: `${resolution}ms` });
  const raw = await askJson(`api/${streamPath(id)}/timeline?${query}`, { signal });
  const times = (item) => ({ ...item, from: time(item.from), to: time(item.to) });
  return { ranges: raw.ranges.map(times), gaps: raw.gaps.map(times) };
}

// What analyzers found, by its beginning.
export async function found(id, from, to, signal) {
  const query = new URLSearchParams({ from: isoTime(from), to: isoTime(to) });
  const raw = await askJson(`api/${streamPath(id)}/events?${query}`, { signal });
  const times = (item) => ({ ...item, from: time(item.from), to: time(item.to), boxes: item.boxes.map((box) => ({ ...box, time: time(box.time) })) });
  return { isComplete: raw.complete, events: raw.events.map(times) };
}

// The server and the log that it reads. `took`: ms until it answered.
export async function health() {
  const asked = performance.now();
  const raw = await askJson('api/health');
  return { ...raw, took: performance.now() - asked, log: { ...raw.log, since: time(raw.log.since) } };
}

export const me = () => askJson('api/me');
export const logOut = () => askJson('api/logout', { method: 'POST' });

// Throws a Problem: 401 for a wrong name or password, 429 for too many attempts.
export function logIn(name, password) {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return askJson('api/login', { method: 'POST', headers: { Authorization: `Basic ${btoa(text)}` } });
}

// All streams, kept up to date. Fires `change` with what changed, `connection` when the server goes or comes back.
export class Streams extends EventTarget {
  all = new Map();
  isLoaded = false;
  problem = null;
  clockOffset = 0; // the server's clock minus ours, ms

  start() {
    this.isStarted = true;
    this.load();
    this.listen();
  }

  listen() {
    this.source = new EventSource('api/events');
    this.source.addEventListener('streams', (event) => this.take(JSON.parse(event.data)));
    this.source.addEventListener('open', () => {
      if (this.wasLost) this.load(); // what was said meanwhile
      this.wasLost = false;
      this.dispatchEvent(new Event('connection'));
    });
    this.source.addEventListener('error', () => {
      this.wasLost = true;
      this.dispatchEvent(new Event('connection'));
      if (this.source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      this.load(); // which tells why
      setTimeout(() => this.listen(), 3000);
    });
  }

  async load() {
    try {
      const raw = await askJson('api/streams');
      this.all = new Map();
      this.isLoaded = true;
      this.problem = null;
      this.take(raw);
    } catch (error) {
      if (error.status === 401) this.dispatchEvent(new Event('login'));
      this.problem = error;
      this.dispatchEvent(new CustomEvent('change', { detail: [] }));
    }
  }

  take(raw) {
    this.clockOffset = time(raw.now) - Date.now();
    for (const stream of raw.streams) this.all.set(stream.id, toStream(stream));
    this.dispatchEvent(new CustomEvent('change', { detail: raw.streams.map((stream) => stream.id) }));
  }

  now() {
    return Date.now() + this.clockOffset;
  }
}
