// All streams: a picture each, video where somebody looks.
import { streamPath } from './api.js';
import { span } from './format.js';
import { Thumbnails } from './thumbs.js';
import Hls from './vendor/hls.mjs';

const words = { live: 'Live', silent: 'No signal', ended: 'Recorded' };
const lookAfter = 350; // ms on a tile before its video starts

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

class Tile {
  constructor(stream, thumbnails) {
    this.id = stream.id;
    this.thumbnails = thumbnails;
    this.item = element('li');
    this.link = element('a', 'tile');
    this.link.href = `#/${encodeURIComponent(stream.id)}`;
    this.picture = element('div', 'picture');
    this.badge = element('span', 'badge');
    this.placeholder = element('span', '', 'no picture yet');
    this.picture.append(this.placeholder, this.badge);
    this.when = element('span', 'when');
    const line = element('div', 'words');
    line.append(element('span', 'name', stream.id), this.when);
    this.link.append(this.picture, line);
    this.item.append(this.link);
    for (const name of ['pointerenter', 'focus']) this.link.addEventListener(name, () => this.lookedAt());
    for (const name of ['pointerleave', 'blur']) this.link.addEventListener(name, () => this.left());
    this.item.tile = this;
  }

  update(stream, now) {
    this.stream = stream;
    this.badge.textContent = words[stream.state] ?? stream.state;
    this.badge.className = `badge ${stream.state}`;
    const ago = stream.to === null ? '' : now - stream.to;
    this.when.textContent = stream.state === 'live' || ago === '' ? '' : `${span(ago)} ago`;
    if (!stream.playable) this.placeholder.textContent = 'not playable in a browser';
    const label = `${stream.id}, ${this.badge.textContent}`;
    if (this.link.getAttribute('aria-label') !== label) this.link.setAttribute('aria-label', label);
  }

  // A key frame, now and then while the tile is in view.
  async refresh() {
    if (!this.stream.playable || this.hls || this.pictureOf === this.stream.to) return;
    const wanted = this.stream.to;
    const canvas = await this.thumbnails.make(this.id).catch(() => null);
    if (!canvas) return;
    this.pictureOf = wanted;
    this.canvas?.remove();
    this.canvas = canvas;
    this.placeholder.hidden = true;
    this.picture.prepend(canvas);
  }

  lookedAt() {
    if (this.stream.state !== 'live' || !this.stream.playable) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.play(), lookAfter);
  }

  play() {
    if (this.hls) return;
    const video = element('video');
    video.muted = video.playsInline = true;
    this.hls = new Hls({ enableWorker: false, maxBufferLength: 10, backBufferLength: 0 });
    this.hls.on(Hls.Events.ERROR, (_, data) => data.fatal && this.left());
    this.hls.loadSource(`${streamPath(this.id)}/watch.m3u8`);
    this.hls.attachMedia(video);
    video.addEventListener('playing', () => this.picture.append(video, this.badge), { once: true });
    video.play().catch(() => {});
    this.video = video;
  }

  left() {
    clearTimeout(this.timer);
    this.hls?.destroy();
    this.video?.remove();
    this.hls = this.video = null;
  }
}

export class Wall {
  constructor(root, streams) {
    this.root = root;
    this.streams = streams;
    this.tiles = new Map();
    this.thumbnails = new Thumbnails();
    this.visible = new Set();
    this.observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.visible.add(target.tile);
        else this.visible.delete(target.tile);
        if (isIntersecting) target.tile.refresh();
      }
    }, { rootMargin: '100px' });
    this.onChange = () => this.update();
    streams.addEventListener('change', this.onChange);
    this.timer = setInterval(() => document.hidden || this.visible.forEach((tile) => tile.refresh()), 10_000);
    this.update();
  }

  close() {
    this.streams.removeEventListener('change', this.onChange);
    clearInterval(this.timer);
    this.observer.disconnect();
    for (const tile of this.tiles.values()) tile.left();
    this.thumbnails.close();
  }

  update() {
    if (!this.streams.isLoaded) return this.streams.problem ? this.showProblem() : this.showGhosts();
    if (this.streams.all.size === 0) return this.showEmpty();
    if (!this.list) this.showList();
    const now = this.streams.now();
    const ids = [...this.streams.all.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
    for (const id of ids) {
      let tile = this.tiles.get(id);
      if (!tile) {
        tile = new Tile(this.streams.all.get(id), this.thumbnails);
        this.tiles.set(id, tile);
      }
      tile.update(this.streams.all.get(id), now);
    }
    this.arrange(ids);
  }

  arrange(ids) {
    const wanted = this.filter.value.trim().toLowerCase();
    const shown = ids.filter((id) => id.toLowerCase().includes(wanted));
    const key = shown.join('\n');
    this.count.textContent = shown.length === ids.length ? `${ids.length} streams` : `${shown.length} of ${ids.length}`;
    if (key === this.arranged) return;
    this.arranged = key;
    this.list.replaceChildren(...shown.map((id) => this.tiles.get(id).item));
    this.observer.disconnect();
    this.visible.clear();
    for (const item of this.list.children) this.observer.observe(item);
  }

  showList() {
    const head = element('div', 'wall-head');
    this.filter = element('input');
    this.filter.type = 'search';
    this.filter.placeholder = 'Find a stream';
    this.filter.setAttribute('aria-label', 'Find a stream');
    this.filter.addEventListener('input', () => this.update());
    this.count = element('span', 'count');
    head.append(this.filter, this.count);
    const scroll = element('div', 'wall-scroll');
    this.list = element('ul', 'wall');
    scroll.append(this.list);
    this.root.replaceChildren(head, scroll);
  }

  showGhosts() {
    const list = element('ul', 'wall');
    list.setAttribute('aria-label', 'Loading');
    for (let i = 0; i < 6; ++i) list.append(element('li', 'ghost'));
    this.root.replaceChildren(list);
  }

  showEmpty() {
    this.list = null;
    const box = element('div', 'message');
    const line = element('p');
    line.append('Bring a camera in with ', element('code', '', 'gopline split rtsp://CAMERA/ --stream gate'), ', and it appears here by itself.');
    box.append(element('h2', '', 'Nothing has been recorded yet'), line);
    this.root.replaceChildren(box);
  }

  showProblem() {
    const box = element('div', 'message');
    const again = element('button', '', 'Try again');
    again.addEventListener('click', () => this.streams.load());
    box.append(element('h2', '', 'The streams cannot be listed'), element('p', '', this.streams.problem.message), again);
    this.root.replaceChildren(box);
  }

  onKey(event) {
    if (event.key !== '/' || !this.filter) return false;
    this.filter.focus();
    return true;
  }
}
