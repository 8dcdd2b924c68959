// Chooses the view by the address: #/ is the wall, #/STREAM one stream, #health how all of them do.
import { logOut, me, Streams } from './api.js';
import { Exports } from './exports.js';
import { Health } from './health.js';
import { Login } from './login.js';
import { Player } from './player.js';
import { Wall } from './wall.js';

const view = document.getElementById('view');
const place = document.getElementById('place');
const connection = document.getElementById('connection');
const help = document.getElementById('help');
const logoutButton = document.getElementById('logout-button');
const streams = new Streams();
const exports = new Exports(document.getElementById('exports'));
const healthAddress = '#health'; // no stream's: those begin with #/
let current = null;

function idIn(hash) {
  try {
    return hash.startsWith('#/') ? decodeURIComponent(hash.slice(2)) : '';
  } catch {
    return ''; // no address of ours
  }
}

function show() {
  if (!streams.isStarted) return;
  current?.close();
  view.replaceChildren();
  const id = idIn(location.hash);
  const isHealth = location.hash === healthAddress;
  const name = isHealth ? 'Health' : id;
  place.textContent = name;
  document.title = name ? `${name} · gopline` : 'gopline';
  if (isHealth) current = new Health(view, streams);
  else current = id ? new Player(view, streams, id, exports) : new Wall(view, streams);
}

streams.addEventListener('connection', () => {
  connection.textContent = streams.wasLost ? 'Connection lost, trying again…' : '';
});
document.getElementById('help-button').addEventListener('click', () => help.showModal());
window.addEventListener('hashchange', show);
window.addEventListener('keydown', (event) => {
  if (help.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.('input, select, textarea')) return;
  if (event.key === '?') help.showModal();
  else if (event.key.toLowerCase() === 'h' && streams.isStarted) location.hash = healthAddress;
  else if (!current?.onKey?.(event)) return;
  event.preventDefault();
});
logoutButton.addEventListener('click', async () => {
  await logOut().catch(() => {});
  location.reload();
});

// Whoever has to say who they are does that first; where nobody is asked, or the server is away, the views tell.
async function begin() {
  try {
    const { name, can_log_out: canLogOut } = await me();
    logoutButton.hidden = !canLogOut;
    logoutButton.title = name;
  } catch (error) {
    if (error.status === 401) {
      current = new Login(view, begin);
      return;
    }
  }
  streams.start();
  show();
}
streams.addEventListener('login', () => location.reload()); // the session is over
begin();
