// Draws events where they are, over a video and in step with it.
const holdFor = 1500; // ms that a box stays where nothing newer is known

// Where an event that has begun is: between two of its boxes on the straight way from one to the other; null: it is over.
export function boxAt(event, time) {
  const next = event.boxes.findIndex((box) => box.time > time);
  const before = event.boxes.at(next === -1 ? -1 : next - 1);
  if (next === 0) return event.boxes[0]; // it is told a little after it began
  if (next === -1) return time - before.time <= (event.ended ? 100 : holdFor) ? before : null;
  const after = event.boxes[next];
  const part = (time - before.time) / (after.time - before.time);
  const between = (name) => before[name] + (after[name] - before[name]) * part;
  return { x: between('x'), y: between('y'), width: between('width'), height: between('height') };
}

export class Boxes {
  // `time()`: the capture time of the picture on the screen, ms, or null.
  constructor(stage, video, time) {
    this.video = video;
    this.time = time;
    this.events = [];
    this.isOn = true;
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'boxes';
    this.canvas.setAttribute('aria-hidden', 'true');
    stage.append(this.canvas);
    this.resizer = new ResizeObserver(() => this.draw());
    this.resizer.observe(this.canvas);
    this.follow();
  }

  close() {
    this.resizer.disconnect();
    this.isClosed = true;
  }

  setEvents(events) {
    this.events = events.filter((event) => event.boxes.length > 0);
    this.draw();
  }

  toggle() {
    this.isOn = !this.isOn;
    this.draw();
  }

  follow() {
    if (this.isClosed) return;
    this.draw();
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(() => this.follow());
    else requestAnimationFrame(() => this.follow());
  }

  draw() {
    const scale = devicePixelRatio || 1, { canvas, video } = this;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const time = this.time();
    canvas.dataset.boxes = 0;
    if (!this.isOn || time === null || !video.videoWidth) return;
    const fit = Math.min(width / video.videoWidth, height / video.videoHeight); // as object-fit: contain
    const shown = { width: video.videoWidth * fit, height: video.videoHeight * fit };
    pen.translate((width - shown.width) / 2, (height - shown.height) / 2);
    pen.font = '12px system-ui, sans-serif';
    pen.lineWidth = 2;
    const colour = getComputedStyle(document.documentElement).getPropertyValue('--event').trim();
    for (const event of this.events) {
      if (event.from > time) continue;
      const box = boxAt(event, time);
      if (box) this.drawBox(pen, event, box, shown, colour);
    }
  }

  drawBox(pen, event, box, shown, colour) {
    const left = box.x * shown.width, top = box.y * shown.height;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.strokeRect(left, top, box.width * shown.width, box.height * shown.height);
    const text = event.zone ? `${event.class} · ${event.zone}` : event.class;
    const above = top >= 18 ? top - 18 : top;
    pen.fillRect(left - 1, above, pen.measureText(text).width + 10, 18);
    pen.fillStyle = '#fff';
    pen.fillText(text, left + 4, above + 13);
    this.canvas.dataset.boxes = Number(this.canvas.dataset.boxes) + 1;
  }
}
