// Icons as drawings: which signs a machine's fonts have is not known.
const shapes = {
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z',
  sound: 'M2 6v4h2.5L8 13V3L4.5 6zM10 5.2l1-1.2a5 5 0 0 1 0 8l-1-1.2a3.5 3.5 0 0 0 0-5.6z',
  muted: 'M2 6v4h2.5L8 13V3L4.5 6zM10 6.4l1-1 1.5 1.5L14 5.4l1 1-1.5 1.6L15 9.5l-1 1-1.5-1.5L11 10.5l-1-1 1.5-1.5z',
  screen: 'M2 2h4.5v1.6H3.6v2.9H2zM9.5 2H14v4.5h-1.6V3.6H9.5zM2 9.5h1.6v2.9h2.9V14H2zM12.4 9.5H14V14H9.5v-1.6h2.9z',
};

export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  for (const [key, value] of Object.entries({ viewBox: '0 0 16 16', width: 16, height: 16, fill: 'currentColor', 'aria-hidden': 'true' })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', shapes[name]);
  svg.append(path);
  return svg;
}
