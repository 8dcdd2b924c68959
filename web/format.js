// How times are written: in the viewer's time zone, by the viewer's customs.
const clock = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const minutes = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat([], { weekday: 'short', day: 'numeric', month: 'short' });
const fullDay = new Intl.DateTimeFormat([], { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });

export const timeOfDay = (ms) => clock.format(ms);
export const hourAndMinute = (ms) => minutes.format(ms);
export const shortDay = (ms) => day.format(ms);
export const date = (ms) => fullDay.format(ms);

export function timeWithFraction(ms) {
  return `${timeOfDay(ms)}.${String(Math.floor(((ms % 1000) + 1000) % 1000)).padStart(3, '0')}`;
}

// "12 s", "4 min", "3 h", "2 days"
export function span(ms) {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

// "812 bytes", "3.4 MB"
export function size(bytes) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  let number = bytes;
  for (; number >= 999.5 && at + 1 < units.length; ++at) number /= 1000;
  return `${at === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[at]}`;
}

const causes = {
  'source-outage': 'the camera was away',
  'over-budget': 'dropped: the log could not keep up',
  lost: 'lost',
  corrupt: 'damaged',
  clock: 'the clock was set',
  epoch: 'not recorded',
};
export const why = (cause) => causes[cause] ?? cause;
