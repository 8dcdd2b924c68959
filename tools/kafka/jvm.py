"""Starts Apache Kafka's Java programs so that none of them outlives the thread that started it."""

import ctypes
import os
import re
import signal
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
KAFKA = Path(os.environ.get("GOPLINE_KAFKA") or HERE.parents[1] / "build" / "deps" / "kafka-4.3.1")

_libc = ctypes.CDLL(None, use_errno=True)  # before any fork: loading it in the child could deadlock
_PR_SET_PDEATHSIG = 1


class KafkaError(Exception):
    """What went wrong, in words for the person who reads the terminal."""


def require_jars():
    if not (KAFKA / "complete").is_file():
        raise KafkaError(f"Apache Kafka is not in {KAFKA}: run ./dev test (or ./dev kafka start), which fetches it, "
                         "or say in GOPLINE_KAFKA where it is")


def die_with_parent(parent):
    """For preexec_fn. The kernel watches the *thread* that forked, so start programs from one that stays."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it died between fork and prctl


def megabytes(heap):
    """A heap size as java takes it ("384m", "2g") in MiB."""
    match = re.fullmatch(r"(\d+)([mMgG])", heap)
    if not match:
        raise KafkaError(f"heap is not of the form 384m or 2g: {heap}")
    return int(match[1]) * (1024 if match[2] in "gG" else 1)


def _java(heap, level="INFO"):
    options = [f"-Xmx{heap}", "-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true", f"-Dgopline.level={level}",
               f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}", "-cp", f"{KAFKA / 'lib'}/*"]
    return ["java", *options]


def broker_command(properties, heap):
    # Small heaps take the collector with the least overhead; large ones the one a real cluster has, with regions so large
    # that a record of some MB is no "humongous" object.
    collector = ["-XX:+UseSerialGC"]
    if megabytes(heap) >= 1024:
        collector = ["-XX:+UseG1GC", "-XX:G1HeapRegionSize=32m"]
    return [*_java(heap), *collector, "kafka.Kafka", os.fspath(properties)]


def start(command, **more):
    parent = os.getpid()
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=lambda: die_with_parent(parent),
                                start_new_session=True, **more)
    except FileNotFoundError:
        raise KafkaError("java is not installed: run ./dev kafka start, which installs it") from None


def start_tool(main_class, arguments, secret_arguments_file=None):
    """Starts one of Kafka's command line tools; finish_tool() awaits it.

    With `secret_arguments_file` the arguments are handed over in that file: a command line is everybody's to read.
    """
    require_jars()
    command = [*_java("128m", "WARN"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    if secret_arguments_file:
        quoted = " ".join('"' + a.replace("\\", "\\\\").replace('"', '\\"') + '"' for a in [main_class, *arguments])
        write_private(secret_arguments_file, quoted)
        command += [f"@{secret_arguments_file}"]
    else:
        command += [main_class, *arguments]
    return start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish_tool(process, what):
    """The tool's output; KafkaError with all of it if the tool failed."""
    output, _ = process.communicate()
    if process.returncode != 0:
        raise KafkaError(f"{what} failed:\n{output.strip()}")
    return output


def write_private(path, text):
    """A file that only its owner may read, from its first byte on."""
    Path(path).unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
