// The page in a real browser.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { Bench, load } from './gopline.js';

const { chromium } = load('playwright-core');

const screenshots = process.env.GOPLINE_SCREENSHOTS;
const start = Date.parse('2026-11-22T18:00:00Z');
const patience = 60_000;
let browser, bench, page, complaints;

before(async () => {
  mkdirSync(screenshots, { recursive: true });
  browser = await chromium.launch({ executablePath: process.env.GOPLINE_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(() => browser?.close());
beforeEach(async () => {
  bench = new Bench();
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, timezoneId: 'UTC', locale: 'en-GB' });
  page.setDefaultTimeout(patience);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && complaints.push(message.text()));
});
afterEach(async () => {
  await page.close();
  await bench.close();
  assert.deepEqual(complaints, []);
});

const keep = (name) => page.screenshot({ path: join(screenshots, `${name}.png`) });
// Looked at from here, once a frame: the page's policy forbids what waitForFunction does.
const until = async (condition) => {
  const deadline = Date.now() + patience;
  while (!(await page.evaluate(condition))) {
    assert.ok(Date.now() < deadline, `it has not come to: ${condition}`);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
};
const video = 'document.querySelector(".stage video")';
const plays = async () => {
  const from = await page.evaluate(`${video}?.currentTime ?? 0`);
  await until(`(() => { const v = ${video}; return v && !v.paused && v.currentTime > ${from} + 0.5 && v.videoWidth > 0; })()`);
};
// The capture time on the screen, in seconds, as the timeline tells those who cannot see it.
const shownTime = () => page.evaluate('Number(document.querySelector(".timeline canvas").getAttribute("aria-valuenow"))');
const say = (text) => page.getByRole('alert').filter({ hasText: text }).waitFor();

test('all streams, each with its picture, and one that plays', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  bench.split('street_av1.mp4', 'site-7/door 2', '2026-11-22T18:00:00Z');
  const server = await bench.serve();
  await page.goto(server.url);
  await until('document.querySelectorAll(".tile canvas").length === 2');
  await keep('wall');
  await page.getByLabel('Find a stream').fill('door');
  await page.getByRole('link', { name: /door 2/ }).click();
  await plays();
  assert.equal(await page.title(), 'site-7/door 2 · gopline');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: /lobby/ }).click();
  await plays();
  await keep('player');
});

test('dragging and keys seek, steps step', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  const server = await bench.serve();
  await page.goto(`${server.url}/#/lobby`);
  await plays();
  await page.keyboard.press('Space');
  await until(`${video}.paused`);
  const strip = await page.locator('.timeline canvas').boundingBox();
  await page.mouse.click(strip.x + strip.width / 2, strip.y + 40);
  await until(`!${video}.seeking && ${video}.readyState >= 2`);
  const time = await shownTime();
  assert.ok(time >= start / 1000 && time <= start / 1000 + 20, `${time}`);
  const at = await page.evaluate(`${video}.currentTime`);
  await page.keyboard.press('.');
  await until(`${video}.currentTime > ${at} && ${video}.currentTime < ${at} + 0.2`);
});

test('what analyzers found is on the timeline and in the picture', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  bench.run('analyze', '--analyzer', 'motion', '--until-end', '--quiet');
  const server = await bench.serve();
  await page.goto(`${server.url}/#/lobby`);
  await plays();
  await page.keyboard.press('Space');
  await until(`${video}.paused`);
  await page.keyboard.press('ArrowRight');
  await until('Number(document.querySelector(".boxes").dataset.boxes) >= 1');
  await keep('events');
  await page.keyboard.press('b');
  await until('document.querySelector(".boxes").dataset.boxes === "0"');
  await page.keyboard.press('b');
  await until('Number(document.querySelector(".boxes").dataset.boxes) >= 1');
});

test('N goes from event to event', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:40Z');
  bench.run('analyze', '--analyzer', 'motion', '--until-end', '--quiet');
  const server = await bench.serve();
  await page.goto(`${server.url}/#/lobby`);
  await plays();
  const query = 'from=2026-11-22T18:00:00Z&to=2026-11-22T19:00:00Z';
  const { events } = await (await fetch(`${server.url}/api/streams/lobby/events?${query}`)).json();
  const begins = events.map((event) => Date.parse(event.from) / 1000).sort((a, b) => a - b);
  await until('Number(document.querySelector(".boxes").dataset.boxes) >= 1'); // the page knows them
  await page.keyboard.press('Space');
  await until(`${video}.paused`);
  const shows = (second) => until(`!${video}.seeking && Number(document.querySelector(".timeline canvas").getAttribute("aria-valuenow")) === ${second}`);
  await page.keyboard.press('ArrowLeft'); // to the beginning, before all of them
  await shows(start / 1000);
  assert.ok(begins.length >= 2 && begins[0] > start / 1000 + 0.5, `${begins}`);
  for (const begin of begins) {
    await page.keyboard.press('n');
    await shows(Math.round(begin));
  }
});

test('a clip is marked, saved, and is what was recorded', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  const server = await bench.serve();
  await page.goto(`${server.url}/#/lobby`);
  await plays();
  await page.keyboard.press('Space');
  await until(`${video}.paused`);
  await page.keyboard.press('i');
  const at = await page.evaluate(`${video}.currentTime`);
  await page.keyboard.press('ArrowRight');
  await until(`${video}.currentTime > ${at} + 4 && !${video}.seeking`);
  await page.keyboard.press('o');
  const asked = page.waitForRequest(/clip\.mp4/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /Save the clip/ }).click()]);
  assert.match(download.suggestedFilename(), /^lobby-2026-11-22T18_00_\d\d\.mp4$/);
  const clip = join(bench.folder, 'clip.mp4');
  await download.saveAs(clip); // waits until it has come whole
  await page.getByRole('status').filter({ hasText: /^Saved, / }).waitFor();
  const facts = await fetch((await asked).url().replace('clip.mp4', 'clip.json'));
  writeFileSync(join(bench.folder, 'clip.json'), await facts.text());
  const proof = JSON.parse(bench.run('verify', '--clip', clip, '--json'));
  assert.equal(proof.as_recorded && proof.same_bytes, true);
  assert.ok(Math.abs(Date.parse(proof.to) - Date.parse(proof.from) - 5000) < 200);
});

test('an export tells how far it is, is cancelled, and goes on when the server comes back', async () => {
  // More than lies between server and page at any time.
  for (let i = 0; i < 12; ++i) bench.split('street.mp4', 'lobby', new Date(start + i * 20_000).toISOString());
  const server = await bench.serve();
  await page.goto(`${server.url}/#/lobby`);
  await plays();
  await page.keyboard.press('Space');
  await until(`${video}.paused`);
  await page.keyboard.press('i');
  for (let minute = 1; minute <= 3; ++minute) {
    const at = await shownTime();
    await page.keyboard.press('Shift+ArrowRight');
    await until(`!${video}.seeking && Number(document.querySelector(".timeline canvas").getAttribute("aria-valuenow")) > ${at} + 50`);
  }
  await page.keyboard.press('o');
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  const slow = { offline: false, latency: 20, uploadThroughput: 20_000, downloadThroughput: 60_000 }; // 3 min take five
  await network.send('Network.emulateNetworkConditions', slow);
  const far = '(document.querySelector(".export progress")?.value ?? 0)';
  await page.keyboard.press('e');
  await until(`${far} > 0 && ${far} < 1`);
  await page.getByRole('status').filter({ hasText: /^\d.* of about \d/ }).waitFor();
  await keep('export');
  await page.getByRole('list', { name: 'Exports' }).getByRole('button', { name: 'Cancel' }).click();
  await until('document.querySelectorAll(".export").length === 0');
  const asked = page.waitForRequest(/clip\.mp4/);
  await page.keyboard.press('e');
  await until(`${far} > 0 && ${far} < 1`);
  await page.keyboard.press('Escape'); // it goes on without the player
  await server.stop();
  await network.send('Network.emulateNetworkConditions', { ...slow, downloadThroughput: -1, uploadThroughput: -1 });
  await page.getByRole('status').filter({ hasText: 'Connection lost at' }).waitFor();
  const rest = page.waitForResponse((response) => /clip\.mp4/.test(response.url()) && response.status() === 206);
  const saved = page.waitForEvent('download');
  await bench.serve(server.port);
  await rest;
  const clip = join(bench.folder, 'clip.mp4');
  await (await saved).saveAs(clip);
  writeFileSync(join(bench.folder, 'clip.json'), await (await fetch((await asked).url().replace('clip.mp4', 'clip.json'))).text());
  const proof = JSON.parse(bench.run('verify', '--clip', clip, '--json'));
  assert.equal(proof.as_recorded && proof.same_bytes, true);
});

test('an export that cannot be says why', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  bench.addUser('guard', 'correct horse battery', 'viewer', 'lobby');
  const server = await bench.serve(0, '--users', 'users.json');
  await page.goto(`${server.url}/#/lobby`);
  await page.getByLabel('Name').fill('guard');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await plays();
  await page.keyboard.press('i');
  await until('Number(document.querySelector(".timeline canvas").getAttribute("aria-valuenow")) > ' + (start / 1000 + 2));
  await page.keyboard.press('o');
  await page.keyboard.press('e');
  await page.getByRole('status').filter({ hasText: 'not yours to export' }).waitFor();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
});

test('health tells what is live, what is missing and what to do', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  const camera = bench.camera('street.mp4', 'gate');
  const server = await startedWith('gate');
  await page.goto(server.url);
  await page.getByRole('link', { name: /gate/ }).waitFor();
  await page.keyboard.press('h');
  const row = (name) => page.getByRole('row', { name: new RegExp(`^${name}`) });
  await row('gate').filter({ hasText: /live.*none/s }).waitFor();
  await row('lobby').filter({ hasText: 'ended: its input came to its end' }).waitFor();
  await page.getByText('is read').waitFor();
  await page.getByText(/answers in \d+ ms, (level with|\d+ records behind) the log/).waitFor();
  await page.getByText('All 2 streams are well.').waitFor();
  await keep('health');
  await bench.stop(camera, 'SIGKILL');
  await row('gate').filter({ hasText: /no signal.*Is its camera on/s }).waitFor();
  await page.getByText('1 of 2 streams want attention.').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 375, height: 720 });
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'it scrolls sideways');
  await keep('health-phone-dark');
  await server.stop();
  await page.getByText('cannot be reached', { exact: true }).waitFor();
  await bench.serve(server.port);
  await page.getByText('is read').waitFor();
  await page.keyboard.press('Escape');
  await page.getByLabel('Find a stream').waitFor();
});

test('over a slow network it waits, says so, and plays', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  const server = await bench.serve();
  await page.goto(server.url);
  await page.getByRole('link', { name: /lobby/ }).waitFor();
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  const slow = { offline: false, latency: 300, uploadThroughput: 20_000, downloadThroughput: 60_000 }; // a segment takes 3 s
  await network.send('Network.emulateNetworkConditions', slow);
  await page.getByRole('link', { name: /lobby/ }).click();
  await page.getByRole('status', { name: 'Loading' }).waitFor();
  await keep('slow');
  await until(`${video}.currentTime > 0.2 && ${video}.videoWidth > 0`);
  await network.send('Network.emulateNetworkConditions', { ...slow, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await plays();
});

test('sound that no browser knows is heard', async () => {
  bench.split('door_g711.mkv', 'door', '2026-11-22T18:00:00Z');
  const server = await bench.serve();
  await page.goto(`${server.url}/#/door`);
  await plays();
  await until(`${video}.webkitAudioDecodedByteCount > 10000`);
});

test('pictures that no browser knows are seen, and sought in', async () => {
  bench.make('street.mp4', 'asp.mp4', '-c:v', 'mpeg4', '-bf', '2', '-g', '20', '-q:v', '4', '-c:a', 'copy');
  bench.split('asp.mp4', 'asp', '2026-11-22T18:00:00Z');
  bench.split('street.avi', 'old', '2026-11-22T18:00:00Z'); // which fits no MP4, either
  bench.split('street_hevc.mp4', 'yard', '2026-11-22T18:00:00Z'); // a browser may know it; Debian's does not
  const server = await bench.serve();
  for (const [stream, seconds] of [['asp', 20], ['old', 15], ['yard', 12]]) {
    await page.goto(`${server.url}/#/${stream}`);
    await plays();
    assert.deepEqual(await page.evaluate(`[${video}.videoWidth, ${video}.videoHeight]`), [768, 576], stream);
    await page.keyboard.press('ArrowRight');
    await until(`Number(document.querySelector(".timeline canvas").getAttribute("aria-valuenow")) >= ${start / 1000 + 5} && !${video}.seeking && ${video}.readyState >= 2`);
    await until(`${video}.ended`); // to the last picture
    assert.ok(Math.abs(await page.evaluate(`${video}.duration`) - seconds) < 0.3, stream);
    await keep(`transcoded-${stream}`);
  }
  await until(`${video}.webkitDecodedFrameCount > 50`);
});

test('live plays, tells how far behind it is, and goes on when the server comes back', async () => {
  bench.camera('street.mp4', 'gate');
  const server = await startedWith('gate');
  await page.goto(`${server.url}/#/gate`);
  await plays();
  await page.getByRole('timer').filter({ hasText: 'behind' }).waitFor();
  await keep('live');
  await server.stop();
  await page.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  await bench.serve(server.port);
  const shown = await shownTime();
  await until(`Number(document.querySelector(".timeline canvas").getAttribute("aria-valuenow")) > ${shown + 3}`);
  await plays();
});

test('in parts, live is less than two seconds behind', async () => {
  bench.camera('street.mp4', 'gate', '--latency', 'low');
  const server = await startedWith('gate');
  await page.goto(`${server.url}/#/gate`);
  await plays();
  await until('Number(/([\\d.]+) s behind/.exec(document.querySelector(".clock").textContent)?.[1] ?? 99) < 2');
  await plays();
  await keep('low-latency');
});

test('in parts, sound that no browser knows is heard', async () => {
  bench.camera('door_g711.mkv', 'door', '--latency', 'low');
  const server = await startedWith('door');
  await page.goto(`${server.url}/#/door`);
  await plays();
  await until(`${video}.webkitAudioDecodedByteCount > 10000`);
  assert.match(await (await fetch(`${server.url}/streams/door/live.m3u8`)).text(), /#EXT-X-PART:.*-aac\.m4s/);
});

test('over a gap and into the next epoch', async () => {
  bench.split('street_av1.mp4', 'gate', '2026-11-22T18:00:00Z');
  bench.split('street_av1.mp4', 'gate', '2026-11-22T18:01:00Z');
  const server = await bench.serve();
  await page.goto(`${server.url}/#/gate`);
  await plays();
  await page.keyboard.press('g');  // behind the gap
  await until(`Number(document.querySelector(".timeline canvas").getAttribute("aria-valuenow")) >= ${start / 1000 + 60}`);
  await plays();
  await keep('gap');
});

test('who has to say who they are is asked, and sees what is theirs', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  bench.split('street.mp4', 'yard', '2026-11-22T18:00:00Z');
  bench.addUser('guard', 'correct horse battery', 'viewer', 'lobby');
  const server = await bench.serve(0, '--users', 'users.json');
  await page.goto(server.url);
  await page.getByLabel('Name').fill('guard');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await say('Name or password is wrong');
  await keep('login');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /lobby/ }).waitFor();
  assert.equal(await page.getByRole('link', { name: /yard/ }).count(), 0);
  await page.getByRole('link', { name: /lobby/ }).click();
  await plays();
  await page.reload();
  await plays();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Password').waitFor();
});

test('what is empty, missing or not playable says so', async () => {
  bench.split('street.avi', 'old', '2026-11-22T18:00:00Z');
  const server = await bench.serve(0, '--no-transcoding');
  await page.goto(`${server.url}/#/old`);
  await say('No browser plays this');
  await page.goto(`${server.url}/#/none`);
  await say('There is no such stream');
  await keep('missing');
});

test('on a phone, in the dark', async () => {
  bench.split('street.mp4', 'lobby', '2026-11-22T18:00:00Z');
  const server = await bench.serve();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 375, height: 720 });
  await page.goto(`${server.url}/#/lobby`);
  await plays();
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'it scrolls sideways');
  await keep('phone-dark');
});

// A server once the camera's first segments are there: a log begins with its first writer.
async function startedWith(stream) {
  for (;;) {
    try {
      if (JSON.parse(bench.run('inspect', stream, '--json')).segments.length > 1) return await bench.serve();
    } catch (error) {
      if (error.status === undefined) throw error;
    }
  }
}
