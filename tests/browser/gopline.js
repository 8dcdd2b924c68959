// The program as the tests drive it.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// What npm has brought, which does not lie beside the tests.
export const load = createRequire(join(process.env.GOPLINE_BROWSER_DEPS, 'package.json'));

const program = process.env.GOPLINE;
export const media = process.env.GOPLINE_MEDIA;

function ended(child) {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
}

// A log in a folder of its own, with what runs on it; close() ends and removes all.
export class Bench {
  folder = mkdtempSync(join(tmpdir(), 'gopline-browser-'));
  log = join(this.folder, 'log');
  running = new Set();

  run(...args) {
    return execFileSync(program, [args[0], '--log', this.log, ...args.slice(1)], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  // A clip of this bench's own, made of another.
  make(source, clip, ...how) {
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', join(media, source), ...how, join(this.folder, clip)]);
  }

  split(clip, stream, start) {
    const own = join(this.folder, clip);
    this.run('split', existsSync(own) ? own : join(media, clip), '--stream', stream, '--start-time', start);
  }

  addUser(name, password, role, streams) {
    execFileSync(program, ['user', 'set', name, '--role', role, '--streams', streams, '--password'], { cwd: this.folder, input: `${password}\n` });
  }

  // A camera: a clip over and over, as fast as it was taken.
  camera(clip, stream, ...more) {
    return this.start('split', join(media, clip), '--stream', stream, '--loop', '--rate', 'realtime', '--quiet', ...more);
  }

  start(...args) {
    const child = spawn(program, [args[0], '--log', this.log, ...args.slice(1)], { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.running.add(child);
    child.once('exit', () => this.running.delete(child));
    return child;
  }

  // Resolves to a server with its port, once it listens.
  async serve(port = 0, ...more) {
    const child = this.start('serve', '--listen', `127.0.0.1:${port}`, ...more);
    let said = '';
    await new Promise((resolve, reject) => {
      child.stderr.on('data', (data) => {
        said += data;
        if (/at http:/.test(said)) resolve();
      });
      child.once('exit', () => reject(new Error(said)));
    });
    const url = /at (http:\/\/[^\s]+)/.exec(said)[1];
    return { url, port: Number(url.split(':').at(-1)), stop: () => this.stop(child) };
  }

  async stop(child, signal = 'SIGTERM') {
    child.kill(signal);
    await ended(child);
  }

  async close() {
    for (const child of [...this.running]) await this.stop(child, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
