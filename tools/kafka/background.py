#!/usr/bin/env python3
"""background.py start|stop|status: a cluster that stays while one works; ./dev kafka calls this.

A supervising process holds the brokers, which end with it. What it runs with is in FOLDER/options.json, and while it runs
FOLDER/running.json says its pid, the brokers' and where they serve.
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

import jvm
from cluster import POLL, Cluster
from cluster_cli import description, publish
from jvm import KafkaError
from ports import LOOPBACK, is_free

NOT_RUNNING = 3  # status's exit code then, as systemctl's
STOPPED_WITHIN = 30


def main():
    arguments = parse()
    arguments.folder = arguments.folder.resolve()
    try:
        return {"start": start, "stop": stop, "status": status, "supervise": supervise}[arguments.command](arguments)
    except KafkaError as error:
        print(f"kafka: {error}", file=sys.stderr)
        return 1


def parse():
    parser = argparse.ArgumentParser(prog="./dev kafka", description="Apache Kafka on loopback, in the background")
    commands = parser.add_subparsers(dest="command", required=True, metavar="start|stop|status")
    for name in ("start", "stop", "status", "supervise"):  # the last is what start leaves behind
        command = commands.add_parser(name)
        command.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "start":
            command.add_argument("--brokers", type=int, help="1 if not said otherwise")
            command.add_argument("--tiered", action="store_true", help="with tiered storage")
            command.add_argument("--secure", action="store_true", help="with TLS, passwords and ACLs")
            command.add_argument("--port", type=int, default=9092, help="the first broker's; the others' follow (9092)")
            command.add_argument("--heap", default="512m", help="of each broker (512m)")
        if name == "stop":
            command.add_argument("--delete", action="store_true", help="remove the data as well")
    return parser.parse_args()


# ---- commands

def start(arguments):
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with open(arguments.folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at once: the second finds what the first began
        options = settle_options(arguments)
        running = find_running(arguments.folder)
        if running is None:
            require_ports(options)
            running = launch(arguments.folder, options)
            headline = "Apache Kafka is ready at"
        else:
            headline = "Apache Kafka runs already at"
    if arguments.json:
        print(json.dumps(running))
    else:
        print(f"{headline} {running['bootstrap']}")
        print_next_command(running)
    return 0


def stop(arguments):
    if not arguments.folder.exists():
        return tell_stopped(arguments, None)
    with open(arguments.folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a start that is under way is waited for
        return tell_stopped(arguments, stop_locked(arguments))


def stop_locked(arguments):
    """What ran, or None."""
    running = find_running(arguments.folder)
    if running:
        os.kill(running["pid"], signal.SIGTERM)
        until = time.monotonic() + STOPPED_WITHIN
        while is_supervisor(running["pid"], arguments.folder):
            if time.monotonic() > until:
                os.kill(running["pid"], signal.SIGKILL)  # the kernel ends the brokers
            time.sleep(POLL)
    if arguments.delete and (arguments.folder / "options.json").exists():
        shutil.rmtree(arguments.folder)
    return running


def tell_stopped(arguments, running):
    if arguments.json:
        print(json.dumps({"stopped": bool(running), "deleted": arguments.delete}))
        return 0
    what = "Apache Kafka is stopped" if running else "Apache Kafka did not run"
    if arguments.delete:
        what += "; its data is removed"
    elif running:
        what += "; its data is kept (stop --delete removes it)"
    print(what)
    return 0


def status(arguments):
    running = find_running(arguments.folder)
    if running is None:
        print(json.dumps({"running": False}) if arguments.json else "Apache Kafka does not run; ./dev kafka start starts it")
        return NOT_RUNNING
    brokers = [broker_state(i, pid, running) for i, pid in enumerate(running["pids"])]
    if arguments.json:
        print(json.dumps({"running": True, "bootstrap": running["bootstrap"], "brokers": brokers}))
        return 0
    rows = [("broker", "pid", "port", "state", "memory")]
    rows += [(str(b["broker"]), str(b["pid"]), str(b["port"]), b["state"], f"{b['memory_mb']} MB") for b in brokers]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print_next_command(running)
    return 0


def supervise(arguments):
    """The process behind the brokers: until TERM, or until none of them lives."""
    options = json.loads((arguments.folder / "options.json").read_text())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    running = arguments.folder / "running.json"
    cluster = Cluster(arguments.folder, options["brokers"], options["tiered"], options["secure"], heap=options["heap"],
                      ports=ports_of(options))
    try:
        cluster.start()
        told = {"pid": os.getpid(), **description(cluster), "options": options}
        jvm.write_private(running.with_suffix(".partial"), json.dumps(told))
        os.replace(running.with_suffix(".partial"), running)
        while any([cluster.running(i) for i in range(options["brokers"])]):  # a list: each look reaps the dead
            time.sleep(1)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        cluster.stop()
        running.unlink(missing_ok=True)
    return 0


# ---- starting

def settle_options(arguments):
    """What was asked for; without a wish what the data there is was made with. KafkaError when the two disagree."""
    path = arguments.folder / "options.json"
    kept = json.loads(path.read_text()) if path.exists() else None
    asked = {"brokers": arguments.brokers or 1, "tiered": arguments.tiered, "secure": arguments.secure}
    if kept and not (arguments.brokers or arguments.tiered or arguments.secure):
        asked = {key: kept[key] for key in asked}
    if asked["brokers"] < 1 or asked["brokers"] > 9:
        raise KafkaError("--brokers is a number from 1 to 9")
    if kept and any(kept[key] != asked[key] for key in asked):
        raise KafkaError(f"there is a cluster already, with {in_words(kept)}: ./dev kafka stop --delete ends it and removes its data")
    return {**asked, "port": arguments.port, "heap": arguments.heap}


def in_words(options):
    count = options["brokers"]
    words = [f"{count} broker{'s' if count > 1 else ''}"]
    words += [name for name, on in (("tiered storage", options["tiered"]), ("security", options["secure"])) if on]
    return " and ".join(words)


def ports_of(options):
    return [options["port"] + i for i in range(options["brokers"])]


def require_ports(options):
    for port in ports_of(options):
        if not is_free(port):
            raise KafkaError(f"port {port} of {LOOPBACK} is taken by another program (`ss -ltnp` names it): "
                             f"end that, or take other ports with --port {port + 10000}")


def launch(folder, options):
    jvm.require_jars()
    publish(folder / "options.json", json.dumps(options))
    running, log = folder / "running.json", folder / "supervisor.log"
    running.unlink(missing_ok=True)
    with open(log, "w") as output:
        supervisor = subprocess.Popen([sys.executable, __file__, "supervise", "--folder", os.fspath(folder)],
                                      stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        while not running.exists():
            if supervisor.poll() is not None:
                raise KafkaError("it did not start:\n" + log.read_text().removeprefix("kafka: ").strip())
            time.sleep(POLL)
    except KeyboardInterrupt:
        supervisor.kill()  # the brokers go with it
        raise KafkaError("interrupted while starting") from None
    return json.loads(running.read_text())


# ---- looking

def find_running(folder):
    """What running.json says, if its supervisor is alive and ours."""
    try:
        running = json.loads((folder / "running.json").read_text())
    except FileNotFoundError:
        return None
    return running if is_supervisor(running["pid"], folder) else None


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_supervisor(pid, folder):
    words = command_line(pid)
    return os.path.basename(__file__) in [os.path.basename(word) for word in words] and os.fspath(folder) in words


def broker_state(index, pid, running):
    properties = f"broker-{index}/server.properties"
    mine = any(word.endswith(properties) for word in command_line(pid))
    state, memory = "dead", 0
    if mine:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
        state = {"T": "paused", "Z": "dead"}.get(lines["State"].split()[0], "running")
        memory = int(lines.get("VmRSS", "0 kB").split()[0]) // 1024
    return {"broker": index, "pid": pid, "port": running["options"]["port"] + index, "state": state, "memory_mb": memory}


def print_next_command(running):
    command = f"build/gopline split media/street.mp4 --log kafka://{running['bootstrap']}/gopline"
    if running["files"]:
        command += f" --kafka-config {shlex.quote(os.path.relpath(running['files']['client-scram']))}"
    print(f"next: {command}")


if __name__ == "__main__":
    sys.exit(main())
