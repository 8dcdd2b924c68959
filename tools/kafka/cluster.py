#!/usr/bin/env python3
"""A real Apache Kafka on loopback, for tests and developers: `with Cluster(folder) as kafka: use(kafka.bootstrap)`.

As a command (`cluster.py run --folder F`) it does the same for programs in other languages; see cluster_cli.py.
"""

import base64
import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import jvm
from broker_config import Broker, as_properties, listener_names, settings
from jvm import KafkaError
from ports import LOOPBACK, answers, free_ports, is_free

READY = b"Kafka Server started"
READY_WITHIN = 120  # seconds; a guard against hanging for ever, never a time anybody waits for
STOPPED_WITHIN = 10  # two of three may wait in vain for the third: what they acknowledged is in the log already
POLL = 0.05


class Cluster:
    """Brokers 0 to N-1, each with a controller inside, in processes that end with this one.

    Everything is kept in `folder` and found again when a cluster is made in it anew with as many brokers. Start it from a
    thread that stays: the kernel ends the brokers with the thread that started them. Not safe for several threads at once.

    tiered     with tiered storage, whose segments go to folder/tiered
    secure     with TLS, SASL and ACLs; `files` has the property files for clients
    overrides  broker properties that win over ours
    data_dir   {broker: folder} for a broker whose data shall lie elsewhere
    ports      the clients' port of each broker; free ones are taken if there are none given
    proxies    with a FaultyProxy before each broker: proxied_bootstrap leads through them, and stays there
    """

    def __init__(self, folder, brokers=1, tiered=False, secure=False, overrides=None, heap="384m", data_dir=None,
                 ports=None, proxies=False):
        self.folder = Path(folder).absolute()
        self.secure, self.tiered, self.heap = secure, tiered, heap
        self.overrides = dict(overrides or {})
        self.protocols = listener_names(secure, proxies)
        self.proxies = []
        self.with_proxies = proxies
        self.files = {}
        self.security = None
        self.brokers = [self._broker(i, (data_dir or {}).get(i)) for i in range(brokers)]
        self._assign_ports(ports)

    def _broker(self, index, data_dir):
        folder = self.folder / f"broker-{index}"
        return Broker(index, folder, (Path(data_dir).absolute() if data_dir else folder) / "data", {})

    def _assign_ports(self, fixed):
        names = list(self.protocols)
        free = iter(free_ports(len(names) * len(self.brokers)))
        for broker in self.brokers:
            broker.ports = {name: next(free) for name in names}
            if fixed:
                broker.ports[names[0]] = fixed[broker.index]

    # ---- life

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop(patience=0)
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Returns when every broker serves clients. KafkaError says what is wrong, with the end of the broker's log."""
        jvm.require_jars()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._require_free_ports(self.brokers)
        if self.secure:
            self._prepare_security()
        if self.with_proxies:
            self._start_proxies()
        self._format()
        for broker in self.brokers:
            self._launch(broker)
        for broker in self.brokers:
            self._await_ready(broker)
        if self.security:
            self.security.grant_rights(self)

    def stop(self, patience=STOPPED_WITHIN):
        """Ends all brokers, politely for so many seconds. Harmless when nothing runs."""
        for broker in self.brokers:
            if broker.process and patience:
                self._signal(broker, signal.SIGCONT)
                self._signal(broker, signal.SIGTERM)
        until = time.monotonic() + patience
        for broker in self.brokers:
            self._reap(broker, max(0.0, until - time.monotonic()))
        for proxy in self.proxies:
            proxy.stop()
        self.proxies = []

    def running(self, i):
        process = self.brokers[i].process
        return process is not None and process.poll() is None

    def pid(self, i):
        return self.brokers[i].process.pid if self.running(i) else None

    # ---- addresses

    def _addresses(self, listener):
        return ",".join(f"{LOOPBACK}:{b.advertised.get(listener, b.ports[listener])}" for b in self.brokers)

    @property
    def bootstrap(self):
        """HOST:PORT,… for clients: without security, or of the SASL listener."""
        return self._addresses(next(iter(self.protocols)))

    @property
    def mtls_bootstrap(self):
        return self._addresses("MTLS")

    @property
    def proxied_bootstrap(self):
        return self._addresses("PROXIED")

    # ---- what happens to brokers

    def kill(self, i):
        """As if the power failed: SIGKILL."""
        self._signal(self._live(i), signal.SIGKILL)
        self._reap(self.brokers[i], None)

    def stop_broker(self, i):
        """An orderly end: the broker hands over its leaderships first, if there is anybody to take them."""
        broker = self._live(i)
        self._signal(broker, signal.SIGCONT)
        self._signal(broker, signal.SIGTERM)
        self._reap(broker, STOPPED_WITHIN)

    def start_broker(self, i):
        """The same ports and data again. Returns when it serves clients."""
        if self.running(i):
            raise KafkaError(f"broker {i} runs already")
        self._require_free_ports([self.brokers[i]])
        self._launch(self.brokers[i])
        self._await_ready(self.brokers[i])

    def pause(self, i):
        """The broker hangs: its sockets stay open and nothing answers (SIGSTOP)."""
        self._signal(self._live(i), signal.SIGSTOP)

    def resume(self, i):
        self._signal(self._live(i), signal.SIGCONT)

    # ---- administration: each of these is a Java program of a second or two

    def admin_properties(self):
        """A property file with which Kafka's own Java tools may do everything here."""
        if self.security:
            return self.security.java_admin_file
        path = self.folder / "admin-java.properties"
        path.write_text("")
        return path

    def tool(self, main_class, *arguments):
        """Runs a tool of Kafka's that takes --bootstrap-server and --command-config; returns what it printed."""
        return jvm.finish_tool(self.begin_tool(main_class, *arguments), main_class.split(".")[-1])

    def begin_tool(self, main_class, *arguments):
        at = ["--bootstrap-server", self.bootstrap, "--command-config", str(self.admin_properties())]
        return jvm.start_tool(main_class, [*at, *map(str, arguments)])

    def create_topic(self, topic, partitions=1, copies=None, **config):
        """`config` as set_topic_config() takes it."""
        copies = copies or min(len(self.brokers), 3)
        options = [word for key, value in _dotted(config) for word in ("--config", f"{key}={value}")]
        self.tool("org.apache.kafka.tools.TopicCommand", "--create", "--topic", topic, "--partitions", partitions,
                  "--replication-factor", copies, *options)

    def set_topic_config(self, topic, **config):
        """set_topic_config("t", max_message_bytes=1000): underscores stand for dots."""
        changes = ",".join(f"{key}=[{value}]" for key, value in _dotted(config))
        self.tool(CONFIG_COMMAND, "--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", changes)

    def acl(self, action, principal, *arguments):
        """acl("add" or "remove", "User:reader", "--operation", "Read", "--topic", "*"): as kafka-acls takes them."""
        self.finish_acl(self.begin_acl(action, principal, *arguments))

    def begin_acl(self, action, principal, *arguments):
        words = ["--add"] if action == "add" else ["--remove", "--force"]
        return self.begin_tool("org.apache.kafka.tools.AclCommand", *words, "--allow-principal", principal, *arguments)

    def finish_acl(self, process):
        jvm.finish_tool(process, "AclCommand")

    # ---- inside

    def _live(self, i):
        if not 0 <= i < len(self.brokers):
            raise KafkaError(f"there is no broker {i}: they are 0 to {len(self.brokers) - 1}")
        if not self.running(i):
            raise KafkaError(f"broker {i} does not run")
        return self.brokers[i]

    @staticmethod
    def _signal(broker, number):
        if broker.process and broker.process.poll() is None:  # not reaped, so the pid is still this child's
            broker.process.send_signal(number)

    @staticmethod
    def _reap(broker, patience):
        if not broker.process:
            return
        try:
            broker.process.wait(patience)
        except subprocess.TimeoutExpired:
            broker.process.kill()
            broker.process.wait()
        broker.process = None

    @staticmethod
    def _require_free_ports(brokers):
        taken = [str(port) for broker in brokers for port in broker.ports.values() if not is_free(port)]
        if taken:
            raise KafkaError(f"port {', '.join(taken)} of {LOOPBACK} is taken by another program (ss -ltnp names it)")

    def _prepare_security(self):
        from security import Security
        self.security = Security(self.folder)
        self.security.prepare()
        self.files = self.security.files

    def _start_proxies(self):
        from faulty_proxy import FaultyProxy
        for broker in self.brokers:
            proxy = FaultyProxy((LOOPBACK, broker.ports["PROXIED"]), broker.advertised.get("PROXIED", 0))
            self.proxies.append(proxy.start())
            broker.advertised["PROXIED"] = proxy.port

    def _format(self):
        """Writes every broker's properties, and makes ready the data folders that are not."""
        started = []
        for broker in self.brokers:
            broker.folder.mkdir(exist_ok=True)
            lines = settings(broker, self.brokers, self.protocols, self.folder / "tiered" if self.tiered else None,
                             self.security.settings(self.protocols) if self.security else None, self.overrides)
            jvm.write_private(broker.properties, as_properties(lines))
            if broker.formatted.exists():
                continue
            shutil.rmtree(broker.data, ignore_errors=True)  # of a start that was interrupted
            arguments = ["format", "-t", self._cluster_id(), "-c", str(broker.properties)]
            if self.security:
                arguments += self.security.format_arguments()
            started.append((broker, jvm.start_tool("kafka.tools.StorageTool", arguments, broker.folder / "format-arguments")))
        for broker, process in started:
            jvm.finish_tool(process, f"formatting the storage of broker {broker.index}")
            (broker.folder / "format-arguments").unlink()
            broker.formatted.touch()

    def _cluster_id(self):
        path = self.folder / "cluster.json"
        if not path.exists():
            name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            path.write_text(json.dumps({"id": "G" + name[1:]}))  # never a leading dash
        return json.loads(path.read_text())["id"]

    def _launch(self, broker):
        with open(broker.log, "ab") as log:
            broker.log_start = log.tell()
            broker.process = jvm.start(jvm.broker_command(broker.properties, self.heap), stdout=log, stderr=log)

    def _await_ready(self, broker):
        until = time.monotonic() + READY_WITHIN
        port = broker.ports[next(iter(self.protocols))]
        while not (READY in self._log_of_run(broker) and answers(port)):
            if broker.process.poll() is not None:
                raise KafkaError(f"broker {broker.index} ended with status {broker.process.returncode}; {self._log_end(broker)}")
            if time.monotonic() > until:
                raise KafkaError(f"broker {broker.index} was not ready after {READY_WITHIN} s; {self._log_end(broker)}")
            time.sleep(POLL)

    @staticmethod
    def _log_of_run(broker):
        with open(broker.log, "rb") as log:
            log.seek(broker.log_start)
            return log.read()

    def _log_end(self, broker):
        lines = self._log_of_run(broker).decode(errors="replace").splitlines()
        return f"the end of {broker.log}:\n" + "\n".join(lines[-25:])


CONFIG_COMMAND = "kafka.admin.ConfigCommand"


def _dotted(config):
    return [(key.replace("_", "."), value) for key, value in config.items()]


if __name__ == "__main__":
    from cluster_cli import main
    sys.exit(main())
