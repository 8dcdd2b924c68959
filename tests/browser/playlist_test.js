// Playlists before the parsers of players.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Bench, load } from './gopline.js';

const HLS = load('hls-parser');
const { Parser } = load('m3u8-parser');

const bench = new Bench();
let server;

before(async () => {
  HLS.setOptions({ strictMode: true });
  bench.split('street.mp4', 'gate', '2026-11-22T18:00:00Z');
  bench.split('cup.mp4', 'gate', '2026-11-22T19:00:00Z'); // another epoch, another init
  bench.split('street_hevc.mp4', 'yard', '2026-11-22T18:00:00Z');
  bench.camera('street.mp4', 'door', '--latency', 'low');
  server = await bench.serve();
  while (!(await (await fetch(`${server.url}/streams/door/live.m3u8`)).text()).includes('#EXT-X-PART:')); // a segment has come
});
after(() => bench.close());

for (const target of ['gate/hls.m3u8', 'gate/live.m3u8', 'door/live.m3u8', 'yard/hls.m3u8', 'yard/hls.m3u8?video=h264', 'gate/hls.m3u8?from=2026-11-22T18:00:05Z&to=2026-11-22T18:00:09Z']) {
  test(target, async () => {
    const text = await (await fetch(`${server.url}/streams/${target}`)).text();
    const strict = HLS.parse(text);
    assert.equal(strict.isMasterPlaylist, false);
    assert.ok(strict.segments.length > 0);
    for (const segment of strict.segments.filter((one) => one.uri)) {
      assert.ok(segment.map?.uri, 'a segment without a map');
      assert.ok(Math.round(segment.duration) <= strict.targetDuration);
    }
    const parser = new Parser();
    parser.push(text);
    parser.end();
    assert.deepEqual(parser.manifest.segments.map((s) => s.uri), strict.segments.map((s) => s.uri).filter((uri) => uri));
    for (const segment of parser.manifest.segments) assert.ok(segment.dateTimeObject ?? segment.programDateTime, 'a segment without a time');
  });
}

for (const [target, count] of [['yard/watch.m3u8?from=2026-11-22T18:00:00Z', 2], ['yard/watch.m3u8', 2], ['gate/watch.m3u8', 1], ['door/watch.m3u8', 1]]) {
  test(target, async () => {
    const text = await (await fetch(`${server.url}/streams/${target}`)).text();
    const strict = HLS.parse(text);
    assert.equal(strict.isMasterPlaylist, true);
    assert.equal(strict.variants.length, count);
    const parser = new Parser();
    parser.push(text);
    parser.end();
    assert.deepEqual(parser.manifest.playlists.map((one) => one.uri), strict.variants.map((one) => one.uri));
    for (const { uri, bandwidth, codecs } of strict.variants) {
      assert.ok(bandwidth > 1 && codecs, uri);
      assert.equal(HLS.parse(await (await fetch(`${server.url}/streams/${target.split('/')[0]}/${uri}`)).text()).isMasterPlaylist, false);
    }
  });
}
