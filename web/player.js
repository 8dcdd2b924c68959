// One stream: live, or from a time on, with its timeline.
import { Boxes } from './boxes.js';
import { icon } from './icons.js';
import { isoTime, streamPath, found as fetchFound, timeline as fetchTimeline } from './api.js';
import { date, span, timeOfDay } from './format.js';
import { Timeline } from './timeline.js';
import Hls from './vendor/hls.mjs';

const pieceLength = 30 * 60_000; // ms that one recorded playlist spans
const speeds = [0.25, 0.5, 1, 2, 4, 8, 16];
const dragPause = 180; // ms between two seeks while the pointer is down
const frame = 1 / 25; // s, where nobody says how long one is

// `text`: words, or an icon.
function button(text, title, action, className = '') {
  const made = document.createElement('button');
  made.type = 'button';
  made.append(text);
  made.title = title;
  made.setAttribute('aria-label', title);
  made.className = className;
  made.addEventListener('click', action);
  return made;
}

export class Player {
  constructor(root, streams, id, exports) {
    this.streams = streams;
    this.exports = exports;
    this.id = id;
    this.isLive = false;
    this.rate = 1;
    this.build(root);
    this.onChange = ({ detail }) => {
      if (!this.stream || detail.includes(this.id)) this.streamChanged();
    };
    streams.addEventListener('change', this.onChange);
    this.ticker = setInterval(() => this.tick(), 250);
    this.streamChanged();
  }

  close() {
    this.streams.removeEventListener('change', this.onChange);
    clearInterval(this.ticker);
    for (const timer of [this.fetchTimer, this.refreshTimer, this.retryTimer, this.dragTimer]) clearTimeout(timer);
    this.fetching?.abort();
    this.hls?.destroy();
    this.timeline.close();
    this.boxes.close();
  }

  // ---- what is on the page

  build(root) {
    const player = document.createElement('section');
    player.className = 'player';
    player.setAttribute('aria-label', this.id);
    this.stage = document.createElement('div');
    this.stage.className = 'stage';
    this.video = document.createElement('video');
    this.video.muted = this.video.playsInline = true;
    this.video.addEventListener('click', () => this.toggle());
    for (const name of ['waiting', 'seeking']) this.video.addEventListener(name, () => this.wait(true));
    for (const name of ['playing', 'seeked', 'canplay']) this.video.addEventListener(name, () => this.wait(false));
    this.video.addEventListener('seeked', () => this.boxes.draw());
    for (const name of ['play', 'pause']) this.video.addEventListener(name, () => this.showState());
    this.video.addEventListener('ended', () => this.goOn());
    this.stage.append(this.video);
    this.boxes = new Boxes(this.stage, this.video, () => this.wallTime());
    player.append(this.stage, this.buildControls(), this.buildTimeline());
    root.append(player);
  }

  buildControls() {
    const bar = document.createElement('div');
    bar.className = 'controls';
    this.playButton = button(icon('play'), 'Play (Space)', () => this.toggle());
    this.liveButton = button('Live', 'Live (L)', () => this.goLive(), 'live');
    this.clock = document.createElement('span');
    this.clock.className = 'clock';
    this.clock.setAttribute('role', 'timer');
    this.speed = document.createElement('select');
    this.speed.setAttribute('aria-label', 'Speed');
    for (const rate of speeds) this.speed.append(new Option(`${rate}×`, rate, rate === 1, rate === 1));
    this.speed.addEventListener('change', () => this.setRate(Number(this.speed.value)));
    this.exportButton = button('Export', 'Save the clip (E)', () => this.exportClip(), 'wide');
    this.exportButton.disabled = true;
    this.soundButton = button(icon('muted'), 'Sound (M)', () => this.toggleSound());
    const space = document.createElement('span');
    space.className = 'space';
    bar.append(this.playButton, button('−1', 'One frame back (,)', () => this.step(-1), 'wide'),
      button('+1', 'One frame forward (.)', () => this.step(1), 'wide'), this.clock, space, this.soundButton, this.speed,
      button('−', 'Show more time (-)', () => this.timeline.zoom(1.6), 'wide'),
      button('+', 'Show less time (+)', () => this.timeline.zoom(1 / 1.6), 'wide'),
      button('In', 'A clip begins here (I)', () => this.choose('from'), 'wide'),
      button('Out', 'A clip ends here (O)', () => this.choose('to'), 'wide'), this.exportButton,
      button('Picture', 'Save the picture (S)', () => this.savePicture(), 'wide'),
      button(icon('screen'), 'Whole screen (F)', () => this.toggleScreen()), this.liveButton);
    return bar;
  }

  buildTimeline() {
    const strip = document.createElement('div');
    this.timeline = new Timeline(strip);
    this.timeline.addEventListener('seek', ({ detail }) => this.dragTo(detail.time, detail.isDragging));
    this.timeline.addEventListener('view', () => this.fetchSoon());
    return strip;
  }

  // ---- the stream

  streamChanged() {
    const stream = this.streams.all.get(this.id);
    if (!stream) {
      if (this.streams.isLoaded) this.say('There is no such stream', 'It may have been recorded under another name, or expired.');
      else if (this.streams.problem) this.say('The server cannot be reached', this.streams.problem.message);
      else this.wait(true);
      return;
    }
    if (stream.to === null) return this.say('Nothing has come yet', 'This page goes on by itself when it does.');
    const isFirst = !this.stream;
    this.stream = stream;
    this.liveButton.disabled = stream.state !== 'live';
    if (!isFirst) return this.refreshSoon();
    const now = stream.state === 'live' ? this.streams.now() : stream.to;
    const shown = Math.min(Math.max(now - stream.from, 60_000), 3_600_000);
    this.timeline.setView(now - shown * 1.02, now + shown * 0.06);
    if (!stream.playable) {
      return this.say('No browser plays this', `It is recorded as ${stream.tracks.map((track) => track.codec).join(' and ')}. ` +
        `“gopline aggregate ${this.id} --output FILE” writes it to a file.`);
    }
    if (stream.state === 'live') this.goLive();
    else this.goTo(Math.max(stream.from, stream.to - pieceLength));
  }

  goLive() {
    if (this.stream?.state !== 'live') return;
    this.isLive = true;
    this.setRate(1);
    this.load(`${streamPath(this.id)}/watch.m3u8`, null);
  }

  goTo(time) {
    this.isLive = false;
    const to = time + pieceLength;
    const query = new URLSearchParams({ from: isoTime(time), to: isoTime(to) });
    this.pieceEnd = to;
    this.wanted = time;
    this.load(`${streamPath(this.id)}/watch.m3u8?${query}`, time);
  }

  // Which playlist of those that watch.m3u8 names, hls.js chooses by what the browser decodes.
  load(url, time) {
    this.hls?.destroy();
    this.say(null);
    this.wait(true);
    this.retries = 0;
    const hls = new Hls({ enableWorker: false, backBufferLength: 30, maxBufferLength: 20 });
    hls.config.liveSyncDurationCount = 2; // where the playlist does not say: what is passed above goes before the playlist
    this.hls = hls;
    hls.on(Hls.Events.ERROR, (_, data) => this.hls === hls && this.failed(data, url));
    hls.once(Hls.Events.LEVEL_LOADED, (_, { details }) => {
      if (time !== null && this.hls === hls) this.video.currentTime = positionOf(details, time) ?? 0;
    });
    hls.loadSource(url);
    hls.attachMedia(this.video);
    this.video.playbackRate = this.rate;
    this.video.play().catch(() => this.showState());
    this.showState();
  }

  failed(data, url) {
    if (!data.fatal) return;
    const status = data.response?.code ?? 0;
    this.wait(false);
    if (!this.isLive && status === 404) return this.skipToRecorded();
    if (status === 415) return this.say('No browser plays this', 'It is stored in a form that browsers do not know.');
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && this.retries++ < 2) return this.hls.recoverMediaError();
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR)
      return this.say('This browser cannot decode it', `It is recorded as ${this.stream.tracks.map((track) => track.codec).join(' and ')}.`);
    this.say('Connection lost', 'Trying again…');
    const time = this.wallTime() ?? this.wanted;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      if (this.isLive) this.goLive();
      else if (time !== null) this.goTo(time);
      else this.load(url, null);
    }, 1000);
  }

  // Nothing was recorded there: the next that was.
  async skipToRecorded() {
    const stream = this.stream;
    const data = await fetchTimeline(this.id, this.wanted, Math.max(stream.to ?? 0, this.wanted + 1), 1000).catch(() => null);
    const next = data?.ranges.find((range) => range.to > this.wanted);
    if (next) this.goTo(Math.max(next.from, this.wanted));
    else this.say('Nothing was recorded here', 'Choose a time that is filled on the timeline.');
  }

  // A recorded playlist has come to its end.
  goOn() {
    if (this.isLive) return;
    const end = this.pieceEnd;
    if (this.stream.state === 'live' && end >= this.streams.now() - 5000) this.goLive();
    else if (this.stream.to !== null && end < this.stream.to) this.goTo(end);
    else this.showState();
  }

  // ---- time

  // The capture time that is on the screen, ms; null: none yet.
  wallTime() {
    return this.hls?.playingDate?.getTime() ?? null;
  }

  dragTo(time, isDragging) {
    this.dragged = time;
    this.timeline.setTime(time, this.nowMark());
    clearTimeout(this.dragTimer);
    if (isDragging) {
      this.dragTimer = setTimeout(() => this.seek(time), dragPause);
    } else {
      this.dragged = null;
      this.seek(time);
    }
  }

  seek(time) {
    if (!this.stream?.playable) return;
    const latest = this.stream.state === 'live' ? this.streams.now() : this.stream.to;
    if (this.stream.state === 'live' && time > latest - 3000) return this.goLive();
    const clamped = Math.min(Math.max(time, this.stream.from), latest - 100);
    const details = this.isLive ? null : this.hls?.latestLevelDetails;
    const position = details ? positionOf(details, clamped) : null;
    if (position === null) return this.goTo(clamped);
    this.wanted = clamped;
    this.video.currentTime = position;
  }

  skip(milliseconds) {
    const time = this.wallTime();
    if (time !== null) this.seek(time + milliseconds);
  }

  nextGap() {
    const time = this.wallTime();
    const gap = this.timeline.gaps.find((one) => one.to > (time ?? 0) + 1000);
    if (gap) this.seek(gap.to);
  }

  nextEvent() {
    const time = this.wallTime() ?? 0;
    const event = this.timeline.events.find((one) => one.from > time + 500);
    if (event) this.seek(event.from);
  }

  step(frames) {
    this.video.pause();
    this.video.currentTime += frames * frame;
  }

  nowMark() {
    return this.stream?.state === 'live' ? this.streams.now() : null;
  }

  tick() {
    const time = this.dragged ?? this.wallTime();
    this.timeline.setTime(time, this.nowMark());
    if (time === null) return;
    if (!this.dragged && !this.video.paused) this.timeline.keepInView(time);
    const behind = this.streams.now() - time;
    const text = `${timeOfDay(time)}`;
    const note = this.isLive ? `${span(behind)} behind` : date(time);
    if (this.clockText === text + note) return;
    this.clockText = text + note;
    const small = document.createElement('small');
    small.textContent = note;
    this.clock.replaceChildren(`${text} `, small);
    if (!this.isLive && this.stream?.state === 'live' && behind < 4000) this.goLive();
  }

  // ---- the timeline's data

  fetchSoon(after = 120) {
    clearTimeout(this.fetchTimer);
    this.fetchTimer = setTimeout(() => this.fetchNow(), after);
  }

  // More was recorded. Does not wait for a pause in that, which never comes.
  refreshSoon() {
    this.refreshTimer ??= setTimeout(() => this.fetchNow(), 2000);
  }

  async fetchNow() {
    clearTimeout(this.refreshTimer);
    this.refreshTimer = null;
    if (!this.stream) return;
    this.fetching?.abort();
    this.fetching = new AbortController();
    const { from, to } = this.timeline;
    const resolution = Math.floor((to - from) / 2000);
    try {
      const { signal } = this.fetching;
      this.timeline.setData(await fetchTimeline(this.id, from, to, resolution, signal));
      const found = await fetchFound(this.id, from, to, signal);
      this.timeline.setEvents(found.events);
      this.boxes.setEvents(found.events);
      if (!found.isComplete && found.events.length === 0) this.fetchSoon(2000); // the server is reading them
    } catch (error) {
      if (error.name !== 'AbortError') this.fetchSoon(2000);
    }
  }

  // ---- controls

  toggle() {
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  toggleSound() {
    this.video.muted = !this.video.muted;
    this.showState();
  }

  toggleScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.stage.requestFullscreen?.();
  }

  setRate(rate) {
    this.rate = rate;
    this.video.playbackRate = rate;
    this.speed.value = String(rate);
  }

  changeRate(by) {
    const at = speeds.indexOf(this.rate) + by;
    if (speeds[at]) this.setRate(speeds[at]);
  }

  // One end of a clip is what is on the screen; the other stays if it still lies on its side.
  choose(end) {
    const time = this.wallTime();
    if (time === null) return;
    const choice = { from: null, to: null, ...this.choice, [end]: time };
    if (choice.from !== null && choice.to !== null && choice.from >= choice.to) choice[end === 'from' ? 'to' : 'from'] = null;
    this.choice = choice;
    this.timeline.setChoice(choice);
    const isWhole = choice.from !== null && choice.to !== null;
    this.exportButton.disabled = !isWhole;
    this.exportButton.textContent = isWhole ? `Export ${span(choice.to - choice.from)}` : 'Export';
  }

  exportClip() {
    if (!this.exportButton.disabled) this.exports.start(this.id, this.choice.from, this.choice.to);
  }

  savePicture() {
    if (!this.video.videoWidth) return;
    const canvas = document.createElement('canvas');
    canvas.width = this.video.videoWidth;
    canvas.height = this.video.videoHeight;
    canvas.getContext('2d').drawImage(this.video, 0, 0);
    const link = document.createElement('a');
    const time = this.wallTime();
    link.download = `${this.id.replaceAll('/', '_')}${time === null ? '' : `-${isoTime(time).replaceAll(':', '')}`}.jpg`;
    canvas.toBlob((blob) => {
      link.href = URL.createObjectURL(blob);
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }, 'image/jpeg', 0.92);
  }

  showState() {
    this.playButton.replaceChildren(icon(this.video.paused ? 'play' : 'pause'));
    this.playButton.setAttribute('aria-label', this.video.paused ? 'Play (Space)' : 'Pause (Space)');
    this.soundButton.replaceChildren(icon(this.video.muted ? 'muted' : 'sound'));
    this.liveButton.setAttribute('aria-pressed', String(this.isLive));
  }

  wait(isWaiting) {
    if (isWaiting && !this.spinner && !this.message) {
      this.spinner = document.createElement('div');
      this.spinner.className = 'spinner';
      this.spinner.setAttribute('role', 'status');
      this.spinner.setAttribute('aria-label', 'Loading');
      this.stage.append(this.spinner);
    } else if (!isWaiting) {
      this.spinner?.remove();
      this.spinner = null;
    }
  }

  say(title, words) {
    this.message?.remove();
    this.message = null;
    if (!title) return;
    this.wait(false);
    this.message = document.createElement('div');
    this.message.className = 'over';
    this.message.setAttribute('role', 'alert');
    const heading = document.createElement('h2');
    heading.textContent = title;
    const text = document.createElement('p');
    text.textContent = words;
    this.message.append(heading, text);
    this.stage.append(this.message);
  }

  onKey(event) {
    const jump = event.shiftKey ? 60_000 : 5_000;
    const keys = {
      ' ': () => this.toggle(), k: () => this.toggle(), ArrowLeft: () => this.skip(-jump), ArrowRight: () => this.skip(jump),
      ',': () => this.step(-1), '.': () => this.step(1), '[': () => this.changeRate(-1), ']': () => this.changeRate(1),
      '+': () => this.timeline.zoom(1 / 1.6), '=': () => this.timeline.zoom(1 / 1.6), '-': () => this.timeline.zoom(1.6),
      n: () => this.nextEvent(), b: () => this.boxes.toggle(), g: () => this.nextGap(), l: () => this.goLive(), s: () => this.savePicture(), f: () => this.toggleScreen(),
      m: () => this.toggleSound(), i: () => this.choose('from'), o: () => this.choose('to'), e: () => this.exportClip(), Escape: () => { location.hash = '#/'; },
    };
    const action = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!action || (event.target.closest?.('button') && event.key === ' ')) return false;
    action();
    return true;
  }
}

// Where a capture time lies in a playlist, s; null: not in it.
function positionOf(details, time) {
  for (const one of details.fragments) {
    const begin = one.programDateTime;
    if (begin === null || begin === undefined) continue;
    if (time < begin) return one === details.fragments[0] ? (begin - time < 1000 ? one.start : null) : one.start;
    if (time < begin + one.duration * 1000) return one.start + (time - begin) / 1000;
  }
  return null;
}
