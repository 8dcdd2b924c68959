// Inits and segments before a box parser that is not ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Bench, load } from './gopline.js';

const { createFile, MP4BoxBuffer } = load('mp4box');
const { Parser } = load('m3u8-parser');

const bench = new Bench();
let server;

before(async () => {
  bench.split('street.mp4', 'h264', '2026-11-22T18:00:00Z');
  bench.split('cup.mp4', 'h264', '2026-11-22T19:00:00Z'); // another epoch, another init
  bench.split('street_hevc.mp4', 'hevc', '2026-11-22T18:00:00Z');
  bench.split('street_av1.mp4', 'av1', '2026-11-22T18:00:00Z');
  bench.split('door_g711.mkv', 'g711', '2026-11-22T18:00:00Z');
  server = await bench.serve();
});
after(() => bench.close());

const bytes = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());

function parse(init, segment) {
  const whole = new Uint8Array(init.length + segment.length);
  whole.set(init);
  whole.set(segment, init.length);
  const file = createFile(true);
  let error = null;
  file.onError = (module, message) => { error = `${module}: ${message}`; };
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(whole.buffer, 0), true);
  file.flush();
  assert.equal(error, null);
  return { file, size: whole.length };
}

// A fragment is a moof of one track and the mdat behind it, in which all of its samples lie.
function checkFragment(moof, mdat, tracks) {
  assert.equal(moof.trafs.length, 1);
  const [traf] = moof.trafs;
  assert.ok(tracks.has(traf.tfhd.track_id), `track ${traf.tfhd.track_id} is not in the init`);
  assert.ok(traf.tfhd.flags & 0x020000, 'offsets do not count from the moof');
  assert.equal(traf.truns.length, 1);
  const [trun] = traf.truns;
  const size = trun.sample_size.length ? trun.sample_size.reduce((sum, one) => sum + one, 0) : trun.sample_count * traf.tfhd.default_sample_size;
  assert.equal(trun.data_offset, moof.size + 8);
  assert.equal(size + 8, mdat.size);
  const durations = trun.sample_duration.length ? trun.sample_duration : Array(trun.sample_count).fill(traf.tfhd.default_sample_duration);
  const begin = traf.tfdt.baseMediaDecodeTime;
  return { track: traf.tfhd.track_id, begin, end: begin + durations.reduce((sum, one) => sum + one, 0) };
}

for (const [stream, query] of [['h264', ''], ['hevc', ''], ['hevc', '?video=h264'], ['av1', ''], ['av1', '?video=h264'], ['g711', '']]) {
  test(stream + query, async () => {
    const base = `${server.url}/streams/${stream}/`;
    const parser = new Parser();
    parser.push(await (await fetch(`${base}hls.m3u8${query}`)).text());
    parser.end();
    let ends = new Map(), before = null;
    for (const one of parser.manifest.segments) {
      if (one.discontinuity || one.map.uri !== before) ends = new Map();
      before = one.map.uri;
      const { file, size } = parse(await bytes(base + one.map.uri), await bytes(base + one.uri));
      const tracks = new Set(file.moov.traks.map((trak) => trak.tkhd.track_id));
      assert.equal(file.moov.mvex.trexs.length, tracks.size);
      assert.deepEqual(file.boxes.slice(0, 2).map((box) => box.type), ['ftyp', 'moov']);
      assert.equal(file.boxes.reduce((sum, box) => sum + box.size, 0), size, 'bytes that are in no box');
      const fragments = file.boxes.slice(2);
      assert.ok(fragments.length >= 2 && fragments.length % 2 === 0);
      const seen = new Set();
      for (let i = 0; i < fragments.length; i += 2) {
        assert.deepEqual([fragments[i].type, fragments[i + 1].type], ['moof', 'mdat']);
        const { track, begin, end } = checkFragment(fragments[i], fragments[i + 1], tracks);
        if (ends.has(track)) assert.equal(begin, ends.get(track), `track ${track} does not go on where it was`);
        ends.set(track, end);
        seen.add(track);
      }
      assert.deepEqual([...seen].sort(), [...tracks].sort(), 'a track has nothing in this segment');
    }
  });
}
