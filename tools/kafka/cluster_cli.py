"""cluster.py run: a cluster for a test in any language.

It says on its standard output, in one line of JSON, when and where the brokers serve; then it takes commands on its standard
input, one a line, and answers each with the line `ok` or `error WORDS`. It ends, and the brokers with it, at the end of its
input, at `quit` and when it is signalled; if it is killed, the kernel kills the brokers.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from cluster import Cluster
from jvm import KafkaError

COMMANDS = """commands on standard input, each answered by `ok` or `error ...`:
  kill N | stop N | start N | pause N | resume N     broker N: SIGKILL, TERM, start again, SIGSTOP, SIGCONT
  create-topic TOPIC PARTITIONS [K=V...]             with the broker's default number of copies
  set-topic-config TOPIC K=V...
  acl add|remove PRINCIPAL OPTION...                 options as kafka-acls takes them
  proxy N cut LOW HIGH SEED | delay S | throttle BYTES_PER_S | stall | resume | refuse | clear
  quit"""


def main():
    parser = argparse.ArgumentParser(prog="cluster.py", description="Apache Kafka on loopback, for tests")
    run = parser.add_subparsers(required=True).add_parser(
        "run", help="until standard input ends", epilog=COMMANDS, formatter_class=argparse.RawDescriptionHelpFormatter)
    run.add_argument("--folder", help="kept afterwards; without it a temporary one, which is removed")
    run.add_argument("--brokers", type=int, default=1)
    run.add_argument("--tiered", action="store_true")
    run.add_argument("--secure", action="store_true")
    run.add_argument("--proxies", action="store_true", help="a faulty proxy before each broker")
    run.add_argument("--heap", default="384m")
    run.add_argument("--set", action="append", default=[], metavar="K=V", help="a broker property")
    run.add_argument("--data-dir", action="append", default=[], metavar="N=FOLDER", help="where broker N keeps its data")
    run.add_argument("--ready-file", help="the JSON is written there as well, when the brokers are ready")
    return serve(run_arguments(parser))


def run_arguments(parser):
    arguments = parser.parse_args()
    arguments.set = dict(word.split("=", 1) for word in arguments.set)
    arguments.data_dir = {int(n): folder for n, folder in (word.split("=", 1) for word in arguments.data_dir)}
    return arguments


def serve(arguments):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    folder = Path(arguments.folder or tempfile.mkdtemp(prefix="gopline-kafka-"))
    cluster = None
    try:
        cluster = Cluster(folder, arguments.brokers, arguments.tiered, arguments.secure, arguments.set, arguments.heap,
                          arguments.data_dir, proxies=arguments.proxies)
        cluster.start()
        ready = json.dumps(description(cluster))
        if arguments.ready_file:
            publish(Path(arguments.ready_file), ready)
        say(ready)
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            say(answer(cluster, line.split()))
        return 0
    except KafkaError as error:
        print(f"cluster.py: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # once is enough: the brokers are being ended
        if cluster:  # nobody will look at a temporary folder's data, so nobody waits for an orderly end
            cluster.stop(**({} if arguments.folder else {"patience": 0}))
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)


def say(line):
    print(line, flush=True)


def publish(path, text):
    """Whole or not at all: whoever waits for the file may read it at once."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text + "\n")
    os.replace(partial, path)


def description(cluster):
    told = {"bootstrap": cluster.bootstrap, "pids": [cluster.pid(i) for i in range(len(cluster.brokers))],
            "files": {name: str(path) for name, path in cluster.files.items()}}
    if cluster.secure:
        told["mtls_bootstrap"] = cluster.mtls_bootstrap
    if cluster.proxies:
        told["proxied_bootstrap"] = cluster.proxied_bootstrap
    return told


def answer(cluster, words):
    try:
        obey(cluster, words)
        return "ok"
    except (KafkaError, ValueError, IndexError, OSError) as error:
        return "error " + " | ".join(str(error).splitlines())


def obey(cluster, words):
    command, rest = (words or [""])[0], words[1:]
    for_brokers = {"kill": cluster.kill, "stop": cluster.stop_broker, "start": cluster.start_broker,
                   "pause": cluster.pause, "resume": cluster.resume}
    if command in for_brokers and len(rest) == 1:
        for_brokers[command](int(rest[0]))
    elif command == "create-topic" and len(rest) >= 2:
        cluster.create_topic(rest[0], int(rest[1]), **key_values(rest[2:]))
    elif command == "set-topic-config" and len(rest) >= 2:
        cluster.set_topic_config(rest[0], **key_values(rest[1:]))
    elif command == "acl" and len(rest) >= 2 and rest[0] in ("add", "remove"):
        cluster.acl(*rest)
    elif command == "proxy" and len(rest) >= 2:
        obey_proxy(cluster.proxies[int(rest[0])], rest[1], rest[2:])
    else:
        raise ValueError(f"not understood: {' '.join(words)}")


def obey_proxy(proxy, command, numbers):
    if command == "cut" and len(numbers) == 3:
        proxy.cut_after(int(numbers[0]), int(numbers[1]), int(numbers[2]))
    elif command in ("delay", "throttle") and len(numbers) == 1:
        getattr(proxy, command)(float(numbers[0]))
    elif command in ("stall", "resume", "refuse", "clear") and not numbers:
        getattr(proxy, command)()
    else:
        raise ValueError(f"not understood: proxy N {command} {' '.join(numbers)}")


def key_values(words):
    return dict(word.split("=", 1) for word in words)
