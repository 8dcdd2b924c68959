"""What stands in a broker's server.properties."""

from dataclasses import dataclass, field
from pathlib import Path

from ports import LOOPBACK

LARGEST_MESSAGE = 70254592  # 67 MiB: whole segments of up to 64 MiB with their headers


@dataclass
class Broker:
    """One node of a cluster: controller and broker in one process. Ports are by listener name."""

    index: int
    folder: Path
    data: Path
    ports: dict
    advertised: dict = field(default_factory=dict)
    process: object = None
    log_start: int = 0  # where in the log file the present run begins

    @property
    def properties(self):
        return self.folder / "server.properties"

    @property
    def log(self):
        return self.folder / "broker.log"

    @property
    def formatted(self):
        return self.folder / "formatted"


def listener_names(secure, proxies):
    """Name and protocol of each listener; the first is the one clients are told."""
    if not secure:
        names = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
    else:
        names = {"CLIENT": "SASL_SSL", "MTLS": "SSL", "INTERNAL": "SASL_PLAINTEXT", "CONTROLLER": "SASL_PLAINTEXT"}
    if proxies:
        names["PROXIED"] = "SASL_SSL" if secure else "PLAINTEXT"
    return names


def settings(broker, brokers, protocols, tiered_storage=None, security=None, overrides=None):
    """The properties of one broker as a dictionary.

    `tiered_storage`: the folder that remote segments go to; `security`: what security.settings() gave.
    """
    copies = str(min(len(brokers), 3))
    outside = [name for name in protocols if name != "CONTROLLER"]
    advertised = {name: broker.advertised.get(name, broker.ports[name]) for name in outside}
    internal = "INTERNAL" if "INTERNAL" in protocols else "PLAINTEXT"
    lines = {
        "process.roles": "broker,controller",
        "node.id": str(broker.index + 1),
        "controller.quorum.voters": ",".join(f"{b.index + 1}@{LOOPBACK}:{b.ports['CONTROLLER']}" for b in brokers),
        "controller.listener.names": "CONTROLLER",
        "listeners": ",".join(f"{name}://{LOOPBACK}:{broker.ports[name]}" for name in protocols),
        "advertised.listeners": ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in advertised.items()),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "inter.broker.listener.name": internal,
        "log.dirs": str(broker.data),
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": str(min(len(brokers), 2)),
        "share.coordinator.state.topic.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": str(min(len(brokers), 2)),
        "default.replication.factor": copies,
        "min.insync.replicas": str(2 if len(brokers) >= 3 else 1),
        "message.max.bytes": str(LARGEST_MESSAGE),
        "replica.fetch.max.bytes": str(LARGEST_MESSAGE),
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.dedupe.buffer.size": "4194304",
        "log.retention.check.interval.ms": "2000",
        "log.initial.task.delay.ms": "1000",
    }
    if tiered_storage:
        lines.update({
            "remote.log.storage.system.enable": "true",
            "remote.log.storage.manager.class.name": "org.apache.kafka.server.log.remote.storage.LocalTieredStorage",
            "rsm.config.dir": str(tiered_storage),
            "remote.log.metadata.manager.listener.name": internal,
            "rlmm.config.remote.log.metadata.topic.replication.factor": copies,
            "rlmm.config.remote.log.metadata.topic.num.partitions": "4",
            "remote.log.manager.task.interval.ms": "1000",
        })
    lines.update(security or {})
    lines.update(overrides or {})
    return lines


def as_properties(lines):
    """The text of a Java properties file."""
    return "".join(f"{key}={escape(value)}\n" for key, value in lines.items())


def escape(value):
    return str(value).replace("\\", "\\\\")
