// Pictures of the newest key frames, as the server makes them; one after the other, so that a wall of fifty cameras loads in order.
import { streamPath } from './api.js';

const patience = 15_000; // ms
const width = 480;

export class Thumbnails {
  last = Promise.resolve();

  close() {
    this.isClosed = true;
  }

  // Resolves to a canvas, or null: there is no picture.
  make(id) {
    const made = this.last.then(() => (this.isClosed ? null : this.makeNow(id)));
    this.last = made.catch(() => null);
    return made;
  }

  async makeNow(id) {
    const response = await fetch(`${streamPath(id)}/snapshot.jpg?width=${width}`, { signal: AbortSignal.timeout(patience) });
    if (!response.ok) return null;
    const picture = await createImageBitmap(await response.blob());
    const canvas = document.createElement('canvas');
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext('2d').drawImage(picture, 0, 0);
    picture.close();
    return canvas;
  }
}
