#!/usr/bin/env python3
"""How video usually gets into Kafka from Python, one keyed JPEG a frame at OpenCV's quality 95, against gopline: bytes and frames.

    bench/jpeg_bytes.py CLIP...      with the interpreter of build/deps/bench-python (./dev bench makes it)

Both write into a real broker; the bytes are those of the records' keys, values and headers, as a consumer counts them. The clip's
own size is beside them: what is stored of it is what it has, so the ratio says what its codec saves against JPEG.
"""
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
from confluent_kafka import Consumer, Producer, TopicPartition

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "kafka"))
from cluster import Cluster  # noqa: E402


def produce_jpegs(bootstrap, topic, clip):
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5})
    video, frames, begin = cv2.VideoCapture(str(clip)), 0, time.monotonic()
    while True:
        ok, frame = video.read()
        if not ok:
            break
        _, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])
        producer.produce(topic, key=clip.stem, value=jpeg.tobytes())
        producer.poll(0)
        frames += 1
    producer.flush()
    return frames, time.monotonic() - begin


def bytes_of(bootstrap, topic, partitions):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "count", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
    total, ended = 0, 0
    while ended < partitions:
        message = consumer.poll(10)
        if message is None:
            sys.exit(f"{topic} does not end")
        if message.error():
            ended += 1
        else:
            total += len(message.value() or b"") + len(message.key() or b"") + sum(len(k) + len(v) for k, v in message.headers() or [])
    consumer.close()
    return total


def main():
    print("| clip | frames | the clip's file, bytes | JPEG records, bytes | gopline's segments and index, bytes | ratio | "
          "gopline / the file | JPEG frames/s | gopline frames/s |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="gopline-jpeg-") as folder, Cluster(Path(folder) / "broker", heap="1g") as cluster:
        for number, clip in enumerate(map(Path, sys.argv[1:])):
            cluster.create_topic(f"jpeg{number}", 1)
            frames, seconds = produce_jpegs(cluster.bootstrap, f"jpeg{number}", clip)
            begin = time.monotonic()
            subprocess.run([ROOT / "build" / "gopline", "split", clip, "--log", f"kafka://{cluster.bootstrap}/own{number}", "--quiet"], check=True)
            own_seconds = time.monotonic() - begin
            theirs = bytes_of(cluster.bootstrap, f"jpeg{number}", 1)
            ours = sum(bytes_of(cluster.bootstrap, f"own{number}.{topic}", n) for topic, n in (("segments", 8), ("index", 8)))
            size = clip.stat().st_size
            print(f"| {clip.name} | {frames} | {size:,} | {theirs:,} | {ours:,} | {theirs / ours:.1f}× | {ours / size:.2f} | "
                  f"{frames / seconds:.0f} | {frames / own_seconds:.0f} |")


if __name__ == "__main__":
    main()
