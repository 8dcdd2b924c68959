// Clips on their way to a file, below whatever is shown: they go on when another stream is looked at.
import { isoTime, streamPath } from './api.js';
import { date, size, span, timeOfDay } from './format.js';

const mostBytes = 1 << 30; // more is left to the browser, which writes to the disk as it comes
const pieceBytes = 8 << 20; // what has come is handed to the browser in pieces: it keeps large ones on the disk
const mostTries = 20;
const pause = 2000; // ms before a download that broke off goes on
const stay = 15_000; // ms that a finished one stays to be seen

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function save(href, name) {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

// One clip. Gets it with fetch(), goes on where it broke off, and saves it when it is whole.
class Export {
  constructor(id, from, to) {
    const query = new URLSearchParams({ from: isoTime(from), to: isoTime(to) });
    this.url = `${streamPath(id)}/clip.mp4?${query}`;
    this.stopped = new AbortController();
    this.item = element('li', 'export');
    this.what = element('span', 'what', `${id}, ${date(from)} ${timeOfDay(from)}, ${span(to - from)}`);
    this.bar = document.createElement('progress');
    this.bar.setAttribute('aria-label', `Export of ${id}`);
    this.words = element('span', 'far');
    this.words.setAttribute('role', 'status');
    this.button = element('button', '', 'Cancel');
    this.button.type = 'button';
    this.button.addEventListener('click', () => this.close());
    this.again = element('button', '', 'Try again');
    this.again.type = 'button';
    this.again.hidden = true;
    this.again.addEventListener('click', () => this.run());
    this.item.append(this.what, this.bar, this.words, this.again, this.button);
  }

  close() {
    this.stopped.abort();
    clearTimeout(this.timer);
    this.item.remove();
  }

  async run() {
    this.again.hidden = true;
    this.bar.hidden = false;
    this.button.textContent = 'Cancel';
    this.begin();
    this.say('Asking for it…');
    for (let tries = 0; !this.stopped.signal.aborted; ++tries) {
      try {
        if (await this.get()) this.finish();
        return;
      } catch (error) {
        if (this.stopped.signal.aborted) return;
        if (error.isFinal) return this.fail(error.message);
        if (tries >= mostTries) return this.fail('The server cannot be reached.');
        this.say(`Connection lost at ${size(this.got)}, trying again…`);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  begin() {
    this.got = 0;
    this.parts = [];
    this.fresh = [];
    this.freshBytes = 0;
  }

  // Gets what is not there yet. False: the browser does it itself.
  async get() {
    const headers = this.got > 0 && this.tag ? { Range: `bytes=${this.got}-`, 'If-Range': this.tag } : {};
    const response = await fetch(this.url, { headers, signal: this.stopped.signal });
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      throw Object.assign(new Error(error ?? `The server answered ${response.status}.`), { isFinal: response.status !== 503 });
    }
    if (response.status !== 206) this.begin(); // from the start
    this.tag = response.headers.get('ETag');
    const length = Number(response.headers.get('Content-Length'));
    this.isExact = length > 0;
    this.expected = this.isExact ? this.got + length : Number(response.headers.get('Expected-Size'));
    this.name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'clip.mp4';
    if (this.expected > mostBytes) {
      this.stopped.abort();
      save(this.url, '');
      this.leave(`${size(this.expected)}: the browser saves it and shows how far it is.`);
      return false;
    }
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      this.take(value);
    }
  }

  take(bytes) {
    this.fresh.push(bytes);
    this.freshBytes += bytes.length;
    this.got += bytes.length;
    if (this.freshBytes >= pieceBytes) {
      this.parts.push(new Blob(this.fresh));
      this.fresh = [];
      this.freshBytes = 0;
    }
    const far = this.expected > 0 ? Math.min(this.got / this.expected, 0.99) : null;
    if (far === null) this.bar.removeAttribute('value');
    else this.bar.value = far;
    const of = far === null ? '' : ` of ${this.isExact ? '' : 'about '}${size(this.expected)}`;
    this.say(`${size(this.got)}${of}`);
  }

  finish() {
    const url = URL.createObjectURL(new Blob([...this.parts, ...this.fresh], { type: 'video/mp4' }));
    this.parts = this.fresh = [];
    save(url, this.name);
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.leave(`Saved, ${size(this.got)}`);
  }

  leave(words) {
    this.say(words);
    this.bar.hidden = true;
    this.button.textContent = 'Close';
    this.timer = setTimeout(() => this.close(), stay);
  }

  fail(message) {
    this.say(message);
    this.bar.hidden = true;
    this.again.hidden = false;
    this.button.textContent = 'Close';
  }

  say(words) {
    if (this.words.textContent !== words) this.words.textContent = words;
  }
}

export class Exports {
  constructor(root) {
    this.list = element('ul', 'exports');
    this.list.setAttribute('aria-label', 'Exports');
    root.append(this.list);
  }

  start(id, from, to) {
    const made = new Export(id, from, to);
    this.list.append(made.item);
    made.run();
  }
}
