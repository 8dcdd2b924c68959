// What was recorded when, as a strip that is dragged, zoomed and clicked. Draws on a canvas; knows nothing of video.
import { hourAndMinute, shortDay, span, timeOfDay, timeWithFraction, why } from './format.js';

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800]
  .map((seconds) => seconds * 1000);
const leastSpan = 5_000, mostSpan = 31 * 86_400_000;
const labelEvery = 92; // px
const barTop = 30, barHeight = 26, eventHeight = 7;

export class Timeline extends EventTarget {
  // Fires `seek` (detail: time in ms, and whether the pointer is still down) and `view` when another time is shown.
  constructor(root) {
    super();
    this.root = root;
    root.className = 'timeline';
    this.canvas = document.createElement('canvas');
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'slider');
    this.canvas.setAttribute('aria-label', 'Time');
    this.hint = document.createElement('div');
    this.hint.className = 'hint';
    this.hint.hidden = true;
    root.append(this.canvas, this.hint);
    this.ranges = [];
    this.gaps = [];
    this.events = [];
    this.pointers = new Map();
    this.resizer = new ResizeObserver(() => this.draw());
    this.resizer.observe(this.canvas);
    this.dark = matchMedia('(prefers-color-scheme: dark)');
    this.onScheme = () => { this.colours = null; this.draw(); };
    this.dark.addEventListener('change', this.onScheme);
    this.listen();
  }

  close() {
    this.resizer.disconnect();
    this.dark.removeEventListener('change', this.onScheme);
  }

  setView(from, to) {
    const wanted = Math.min(Math.max(to - from, leastSpan), mostSpan);
    const middle = (from + to) / 2;
    this.from = middle - wanted / 2;
    this.to = middle + wanted / 2;
    this.draw();
    this.dispatchEvent(new Event('view'));
  }

  zoom(factor, at = this.time ?? (this.from + this.to) / 2) {
    const around = Math.min(Math.max(at, this.from), this.to);
    this.setView(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  setData({ ranges, gaps }) {
    this.ranges = ranges;
    this.gaps = gaps;
    this.draw();
  }

  setEvents(events) {
    this.events = events;
    this.draw();
  }

  // What is chosen to be exported: {from, to}, either of which may be null.
  setChoice(choice) {
    this.choice = choice;
    this.draw();
  }

  setTime(time, now) {
    this.time = time;
    this.now = now;
    if (time !== null && !this.isDragging) {
      this.canvas.setAttribute('aria-valuenow', Math.round(time / 1000));
      this.canvas.setAttribute('aria-valuetext', timeOfDay(time));
    }
    this.draw();
  }

  // Moves the view along so that `time` stays in it.
  keepInView(time) {
    if (this.pointers.size > 0) return;
    const width = this.to - this.from;
    if (time > this.to - width * 0.04) this.setView(time - width * 0.85, time + width * 0.15);
    else if (time < this.from) this.setView(time - width * 0.15, time + width * 0.85);
  }

  x(time) { return ((time - this.from) / (this.to - this.from)) * this.width; }
  timeAt(x) { return this.from + (x / this.width) * (this.to - this.from); }

  // ---- pointers: one seeks, two zoom; with Shift, and the wheel, the strip is moved

  listen() {
    const { canvas } = this;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event.offsetX);
      this.isPanning = event.shiftKey || event.button === 1;
      this.isDragging = this.pointers.size === 1 && !this.isPanning;
      if (this.isDragging) this.seek(event.offsetX, true);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!this.pointers.has(event.pointerId)) return this.showHint(event.offsetX);
      const before = [...this.pointers.values()];
      this.pointers.set(event.pointerId, event.offsetX);
      if (this.pointers.size === 2) this.pinch(before, [...this.pointers.values()]);
      else if (this.isPanning) this.pan(before[0] - event.offsetX);
      else if (this.isDragging) this.seek(event.offsetX, true);
      this.showHint(event.offsetX);
    });
    const up = (event) => {
      if (!this.pointers.delete(event.pointerId)) return;
      if (this.isDragging && event.type === 'pointerup') this.seek(event.offsetX, false);
      this.isDragging = this.isPanning = false;
    };
    canvas.addEventListener('pointerup', up);
    canvas.addEventListener('pointercancel', up);
    canvas.addEventListener('pointerleave', () => { this.hint.hidden = true; });
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX || event.deltaY);
      else this.zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) * 0.004), this.timeAt(event.offsetX));
    }, { passive: false });
  }

  pan(pixels) {
    const by = (pixels / this.width) * (this.to - this.from);
    this.setView(this.from + by, this.to + by);
  }

  pinch(before, after) {
    const apart = (pair) => Math.max(20, Math.abs(pair[0] - pair[1]));
    this.isDragging = false;
    this.zoom(apart(before) / apart(after), this.timeAt((after[0] + after[1]) / 2));
  }

  seek(x, isDragging) {
    this.dispatchEvent(new CustomEvent('seek', { detail: { time: this.timeAt(x), isDragging } }));
  }

  showHint(x) {
    const time = this.timeAt(x);
    const gap = this.gaps.find((one) => one.from <= time && time < one.to);
    const near = 4 * (this.to - this.from) / this.width; // pixels
    const event = this.events.find((one) => one.from - near <= time && time <= one.to + near);
    const short = this.to - this.from < 60_000;
    this.hint.textContent = (short ? timeWithFraction(time) : `${shortDay(time)} ${timeOfDay(time)}`) +
      (gap ? ` · ${why(gap.cause)}, ${span(gap.to - gap.from)}` : '') +
      (event ? ` · ${event.class}${event.zone ? ` in ${event.zone}` : ''}, ${span(Math.max(event.to - event.from, 0))}` : '');
    this.hint.style.left = `${Math.min(Math.max(x, 80), this.width - 80)}px`;
    this.hint.hidden = false;
  }

  // ---- drawing

  draw() {
    if (this.isDrawing || this.from === undefined) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.drawNow();
    });
  }

  drawNow() {
    const scale = devicePixelRatio || 1;
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (width === 0) return;
    this.width = width;
    if (this.canvas.width !== Math.round(width * scale)) this.canvas.width = Math.round(width * scale);
    if (this.canvas.height !== Math.round(height * scale)) this.canvas.height = Math.round(height * scale);
    const style = getComputedStyle(document.documentElement);
    this.colours ??= Object.fromEntries(['ink', 'soft', 'line', 'track', 'range', 'gap', 'live', 'accent', 'event']
      .map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    const draw = this.canvas.getContext('2d');
    draw.setTransform(scale, 0, 0, scale, 0, 0);
    draw.clearRect(0, 0, width, height);
    this.drawBar(draw, width);
    this.drawScale(draw, width, height);
    this.drawMarks(draw, height);
  }

  drawBar(draw, width) {
    draw.fillStyle = this.colours.track;
    draw.fillRect(0, barTop, width, barHeight);
    const box = (item, least) => {
      const left = Math.max(0, this.x(item.from)), right = Math.min(width, this.x(item.to));
      if (right >= 0 && left <= width) draw.fillRect(left, barTop, Math.max(right - left, least), barHeight);
    };
    draw.fillStyle = this.colours.gap;
    for (const gap of this.gaps) box(gap, 2);
    draw.fillStyle = this.colours.range;
    for (const range of this.ranges) box(range, 1);
    draw.fillStyle = this.colours.event;
    for (const event of this.events) {
      const left = Math.max(0, this.x(event.from)), right = Math.min(width, this.x(event.to));
      if (right >= 0 && left <= width) draw.fillRect(left, barTop + barHeight - eventHeight, Math.max(right - left, 2), eventHeight);
    }
  }

  drawScale(draw, width, height) {
    const span = this.to - this.from;
    const step = steps.find((one) => (one / span) * width >= labelEvery) ?? steps.at(-1);
    const zone = new Date(this.from).getTimezoneOffset() * 60_000;
    draw.font = '11px system-ui, sans-serif';
    draw.textAlign = 'center';
    for (let at = Math.ceil((this.from - zone) / step) * step + zone; at <= this.to; at += step) {
      const x = Math.round(this.x(at)) + 0.5;
      const isMidnight = (at - zone) % 86_400_000 === 0;
      draw.strokeStyle = this.colours.line;
      draw.beginPath();
      draw.moveTo(x, barTop - 6);
      draw.lineTo(x, barTop + barHeight + 4);
      draw.stroke();
      draw.fillStyle = isMidnight ? this.colours.ink : this.colours.soft;
      const text = isMidnight ? shortDay(at) : step < 60_000 ? timeOfDay(at) : hourAndMinute(at);
      draw.fillText(text, Math.min(Math.max(x, 24), width - 24), height - 5);
    }
  }

  drawMarks(draw, height) {
    const line = (time, colour, wide) => {
      const x = Math.round(this.x(time)) + 0.5;
      draw.strokeStyle = draw.fillStyle = colour;
      draw.lineWidth = wide;
      draw.beginPath();
      draw.moveTo(x, barTop - 8);
      draw.lineTo(x, height - 16);
      draw.stroke();
      draw.lineWidth = 1;
      return x;
    };
    const { from = null, to = null } = this.choice ?? {};
    if (from !== null && to !== null) {
      draw.fillStyle = this.colours.accent;
      draw.globalAlpha = 0.35;
      draw.fillRect(this.x(from), barTop - 4, this.x(to) - this.x(from), barHeight + 8);
      draw.globalAlpha = 1;
    }
    for (const edge of [from, to]) if (edge !== null) line(edge, this.colours.accent, 2);
    if (this.now) line(this.now, this.colours.live, 1);
    if (this.time === null || this.time === undefined) return;
    const x = line(this.time, this.colours.ink, 2);
    draw.beginPath();
    draw.moveTo(x - 6, barTop - 14);
    draw.lineTo(x + 6, barTop - 14);
    draw.lineTo(x, barTop - 5);
    draw.fill();
  }
}
