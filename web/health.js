// How everything does: the log, the server, and each stream of the last hour, the worst first; and what to do.
import { health as fetchHealth, timeline as fetchTimeline } from './api.js';
import { span, why } from './format.js';

const hour = 3_600_000;
const every = 10_000; // ms between two looks at the server
const gapsEvery = 60_000; // ms between two looks at a stream's last hour
const seam = 1000; // ms: shorter ones are no gaps to speak of
const farBehind = 30_000; // ms that a live stream may be behind: a segment is a few seconds
const manyRecords = 1000; // that the server may have before it
const ended = {
  'end-of-input': 'its input came to its end',
  stopped: 'its writer was stopped',
  'source-lost': 'its source was lost',
  'handed-over': 'another writer took over',
};

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// What is said of something: how bad it is (0: well), its state, and what to do.
function logSaid(log) {
  if (!log) return { bad: 1, state: 'not known yet', todo: '' };
  if (log.state === 'read') return { bad: 0, state: 'is read', todo: '' };
  const problem = log.problem ? ` It says: ${log.problem}` : '';
  return {
    bad: 2,
    state: `away${log.since ? ` since ${new Date(log.since).toLocaleString()}` : ''}`,
    todo: `What was recorded cannot be read, and nothing new is seen. Look after the broker, or the disk of the log; the server goes on by itself.${problem}`,
  };
}

function serverSaid(health, isLost) {
  if (isLost || !health) {
    return isLost
      ? { bad: 2, state: 'cannot be reached', todo: 'Is “gopline serve” running, and the network there? This page goes on by itself.' }
      : { bad: 1, state: 'not known yet', todo: '' };
  }
  const { behind } = health.log;
  const took = `answers in ${Math.round(health.took)} ms`;
  if (behind === null) return { bad: 1, state: took, todo: '' };
  if (behind > manyRecords) {
    return { bad: 1, state: `${took}, ${behind} records behind the log`, todo: 'It catches up. If that number grows, the machine is too busy, or the way to the log too slow: start another server.' };
  }
  return { bad: 0, state: `${took}, ${behind === 0 ? 'level with the log' : `${behind} records behind the log`}`, todo: '' };
}

function streamSaid(stream, now, gaps) {
  const late = stream.to === null ? null : now - stream.to;
  if (stream.state === 'ended') {
    const bad = stream.ended === 'source-lost' ? 1 : 0;
    const todo = bad ? 'Start “gopline split” for it again: what it printed says why it ended.' : '';
    return { bad, state: `ended: ${ended[stream.ended] ?? stream.ended}`, late, todo };
  }
  if (stream.state === 'silent') {
    return { bad: 2, state: 'no signal', late, todo: 'Is its camera on and reachable, and its “gopline split” running? What that prints says why it waits.' };
  }
  if (late !== null && late > farBehind)
    return { bad: 1, state: 'live', late, todo: 'It comes late: is its writer’s machine busy, the log slow, or the camera’s clock wrong?' };
  const missing = gaps?.reduce((sum, gap) => sum + gap.to - gap.from, 0) ?? 0;
  if (missing > hour / 100) return { bad: 1, state: 'live', late, todo: 'More than a hundredth of the last hour is missing: see the causes.' };
  return { bad: 0, state: 'live', late, todo: '' };
}

function gapsSaid(gaps) {
  if (!gaps) return '…';
  if (gaps.length === 0) return 'none';
  const sum = gaps.reduce((all, gap) => all + gap.to - gap.from, 0);
  const causes = [...new Set(gaps.map((gap) => why(gap.cause)))].join('; ');
  return `${gaps.length}, ${span(sum)}: ${causes}`;
}

export class Health {
  constructor(root, streams) {
    this.streams = streams;
    this.gaps = new Map(); // by stream: {gaps, at}
    this.rows = new Map();
    this.stopped = new AbortController();
    this.build(root);
    this.onChange = () => this.draw();
    streams.addEventListener('change', this.onChange);
    streams.addEventListener('connection', this.onChange);
    this.ticker = setInterval(() => this.draw(), 1000);
    this.draw();
    this.look();
    this.lookAtGaps();
  }

  close() {
    this.streams.removeEventListener('change', this.onChange);
    this.streams.removeEventListener('connection', this.onChange);
    clearInterval(this.ticker);
    clearTimeout(this.timer);
    clearTimeout(this.gapsTimer);
    this.stopped.abort();
  }

  build(root) {
    const page = element('section', 'health');
    page.setAttribute('aria-label', 'Health');
    this.summary = element('p', 'summary');
    this.summary.setAttribute('role', 'status');
    this.log = this.card('Log');
    this.server = this.card('Server');
    const cards = element('div', 'cards');
    cards.append(this.log.box, this.server.box);
    const table = element('table');
    const head = element('tr');
    for (const name of ['Stream', 'State', 'Newest', 'Gaps of the last hour', 'What to do']) {
      const cell = element('th', '', name);
      cell.scope = 'col';
      head.append(cell);
    }
    const top = document.createElement('thead');
    top.append(head);
    this.body = document.createElement('tbody');
    table.append(top, this.body);
    page.append(this.summary, cards, table);
    root.append(page);
  }

  card(name) {
    const box = element('div', 'card');
    const state = element('span', 'state');
    const todo = element('p', 'todo');
    box.append(element('h2', '', name), state, todo);
    return { box, state, todo };
  }

  // ---- looking

  async look() {
    try {
      await this.streams.load(); // one that falls silent says nothing
      this.health = await fetchHealth();
      this.isLost = false;
    } catch {
      this.isLost = true;
    }
    if (this.stopped.signal.aborted) return;
    this.draw();
    this.timer = setTimeout(() => this.look(), every);
  }

  // One stream at a time: the server has others to answer.
  async lookAtGaps() {
    for (const id of [...this.streams.all.keys()].sort()) {
      const known = this.gaps.get(id);
      if (known && Date.now() - known.at < gapsEvery) continue;
      const now = this.streams.now();
      const found = await fetchTimeline(id, now - hour, now, seam, this.stopped.signal).catch(() => null);
      if (this.stopped.signal.aborted) return;
      if (found) this.gaps.set(id, { gaps: found.gaps, at: Date.now() });
      this.draw();
    }
    this.gapsTimer = setTimeout(() => this.lookAtGaps(), 2000);
  }

  // ---- what is on the page

  draw() {
    const now = this.streams.now();
    const isLost = this.isLost || Boolean(this.streams.wasLost);
    const log = isLost ? { bad: 1, state: 'not known: the server cannot be reached', todo: '' } : logSaid(this.health?.log);
    const server = serverSaid(this.health, isLost);
    this.fill(this.log, log);
    this.fill(this.server, server);
    const said = [...this.streams.all.values()].map((stream) => {
      const gaps = this.gaps.get(stream.id)?.gaps;
      return { id: stream.id, gaps, ...streamSaid(stream, now, gaps) };
    });
    said.sort((a, b) => b.bad - a.bad || a.id.localeCompare(b.id));
    this.summary.textContent = this.summed(said, log, server);
    const rows = said.map((one) => this.row(one));
    for (const id of [...this.rows.keys()]) if (!this.streams.all.has(id)) this.rows.delete(id);
    const isSame = rows.length === this.body.children.length && rows.every((row, i) => row === this.body.children[i]);
    if (!isSame) this.body.replaceChildren(...rows);
  }

  summed(said, log, server) {
    if (!this.streams.isLoaded) return 'Looking…';
    if (said.length === 0) return 'Nothing has been recorded yet.';
    const ill = said.filter((one) => one.bad > 0).length;
    const whole = ill === 0 && log.bad === 0 && server.bad === 0;
    if (whole) return said.length === 1 ? 'The stream is well.' : `All ${said.length} streams are well.`;
    return ill > 0 ? `${ill} of ${said.length} streams want attention.` : 'The streams are well; the server or its log are not.';
  }

  fill(card, { bad, state, todo }) {
    card.box.dataset.bad = bad;
    for (const [field, text] of [[card.state, state], [card.todo, todo]]) {
      if (field.textContent !== text) field.textContent = text;
    }
  }

  row({ id, bad, state, late, gaps, todo }) {
    let row = this.rows.get(id);
    if (!row) {
      row = document.createElement('tr');
      const link = element('a', '', id);
      link.href = `#/${encodeURIComponent(id)}`;
      const name = document.createElement('th');
      name.scope = 'row';
      name.append(link);
      row.append(name);
      for (const label of ['State', 'Newest', 'Gaps', 'What to do']) {
        const cell = document.createElement('td');
        cell.dataset.label = label;
        row.append(cell);
      }
      this.rows.set(id, row);
    }
    row.dataset.bad = bad;
    const newest = late === null ? 'nothing yet' : `${span(late)} ago`;
    [state, newest, gapsSaid(gaps), todo].forEach((text, i) => {
      const cell = row.children[i + 1];
      if (cell.textContent !== text) cell.textContent = text;
    });
    return row;
  }

  onKey(event) {
    if (event.key !== 'Escape') return false;
    location.hash = '#/';
    return true;
  }
}
