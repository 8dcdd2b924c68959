#!/usr/bin/env python3
"""background.py start|stop|status: an S3 server that stays while one works; ./dev s3 calls this.

A supervising process holds versitygw, which ends with it. While it runs FOLDER/running.json says its pid, the server's and
where it serves.
"""

import argparse
import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from server import LOOPBACK, POLL, S3Error, Server, is_free, write_private

NOT_RUNNING = 3  # status's exit code then, as systemctl's
STOPPED_WITHIN = 30
BUCKET = "gopline"


def main():
    arguments = parse()
    arguments.folder = arguments.folder.resolve()
    try:
        return {"start": start, "stop": stop, "status": status, "supervise": supervise}[arguments.command](arguments)
    except S3Error as error:
        print(f"s3: {error}", file=sys.stderr)
        return 1


def parse():
    parser = argparse.ArgumentParser(prog="./dev s3", description="an S3 server (versitygw) on loopback, in the background")
    commands = parser.add_subparsers(dest="command", required=True, metavar="start|stop|status")
    for name in ("start", "stop", "status", "supervise"):  # the last is what start leaves behind
        command = commands.add_parser(name)
        command.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
        command.add_argument("--json", action="store_true", help="print JSON")
        if name in ("start", "supervise"):
            command.add_argument("--port", type=int, default=7070, help="(7070)")
        if name == "stop":
            command.add_argument("--delete", action="store_true", help="remove the data as well")
    return parser.parse_args()


# ---- commands

def start(arguments):
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with open(arguments.folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at once: the second finds what the first began
        running = find_running(arguments.folder)
        headline = "S3 runs already at"
        if running is None:
            if not is_free(arguments.port):
                raise S3Error(f"port {arguments.port} of {LOOPBACK} is taken by another program (`ss -ltnp` names it): end "
                              f"that, or take another port with --port {arguments.port + 10000}")
            running = launch(arguments)
            headline = "S3 is ready at"
    if arguments.json:
        print(json.dumps(running))
    else:
        print(f"{headline} {running['endpoint']}, with the bucket {BUCKET}")
        print_next_command(running)
    return 0


def stop(arguments):
    running = None
    if arguments.folder.exists():
        with open(arguments.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a start that is under way is waited for
            running = stop_locked(arguments)
    if arguments.json:
        print(json.dumps({"stopped": bool(running), "deleted": arguments.delete}))
        return 0
    what = "S3 is stopped" if running else "S3 did not run"
    if arguments.delete:
        what += "; its data is removed"
    elif running:
        what += "; its data is kept (stop --delete removes it)"
    print(what)
    return 0


def stop_locked(arguments):
    """What ran, or None."""
    running = find_running(arguments.folder)
    if running:
        os.kill(running["supervisor"], signal.SIGTERM)
        until = time.monotonic() + STOPPED_WITHIN
        while is_supervisor(running["supervisor"], arguments.folder):
            if time.monotonic() > until:
                os.kill(running["supervisor"], signal.SIGKILL)  # the kernel ends the server
            time.sleep(POLL)
    if arguments.delete and (arguments.folder / "keys.json").exists():
        shutil.rmtree(arguments.folder)
    return running


def status(arguments):
    running = find_running(arguments.folder)
    if arguments.json:
        print(json.dumps({"running": running is not None, **(running or {})}))
    elif running is None:
        print("S3 does not run; ./dev s3 start starts it")
    else:
        print(f"S3 runs at {running['endpoint']} (pid {running['pid']}), with the bucket {BUCKET}")
        print_next_command(running)
    return 0 if running else NOT_RUNNING


def supervise(arguments):
    """The process behind the server: until TERM, or until it is gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    path = arguments.folder / "running.json"
    server = Server(arguments.folder, arguments.port)
    try:
        server.start()
        server.make_bucket(BUCKET)
        told = {**server.description(), "supervisor": os.getpid(), "bucket": BUCKET, "url": f"s3://{BUCKET}/demo"}
        write_private(path.with_suffix(".partial"), json.dumps(told))
        os.replace(path.with_suffix(".partial"), path)
        while server.running():
            time.sleep(1)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        server.stop()
        path.unlink(missing_ok=True)
    return 0


def launch(arguments):
    running, log = arguments.folder / "running.json", arguments.folder / "supervisor.log"
    running.unlink(missing_ok=True)
    with open(log, "w") as output:
        supervisor = subprocess.Popen([sys.executable, __file__, "supervise", "--folder", os.fspath(arguments.folder), "--port",
                                       str(arguments.port)],
                                      stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        while not running.exists():
            if supervisor.poll() is not None:
                raise S3Error("it did not start:\n" + log.read_text().removeprefix("s3: ").strip())
            time.sleep(POLL)
    except KeyboardInterrupt:
        supervisor.kill()  # the server goes with it
        raise S3Error("interrupted while starting") from None
    return json.loads(running.read_text())


# ---- looking

def find_running(folder):
    """What running.json says, if its supervisor is alive and ours."""
    try:
        running = json.loads((folder / "running.json").read_text())
    except FileNotFoundError:
        return None
    return running if is_supervisor(running["supervisor"], folder) else None


def is_supervisor(pid, folder):
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.path.basename(__file__) in [os.path.basename(word) for word in words] and os.fspath(folder) in words


def print_next_command(running):
    values = {"AWS_ENDPOINT_URL_S3": running["endpoint"], "AWS_REGION": running["region"],
              "AWS_ACCESS_KEY_ID": running["access_key_id"], "AWS_SECRET_ACCESS_KEY": running["secret_access_key"]}
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"next: build/gopline split media/street.mp4 --log gopline-data --payload claim --blobs {running['url']}")


if __name__ == "__main__":
    sys.exit(main())
