"""Number, pts and capture time of every picture of a stream: read_frames.py BROKERS NAMESPACE STREAM
Needs: pip install confluent-kafka av"""
import io, itertools, json, sys
from datetime import datetime, timedelta
import av
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

def records(topic, partition):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "unused", "enable.partition.eof": True})
    consumer.assign([TopicPartition(f"{namespace}.{topic}", partition, OFFSET_BEGINNING)])
    while (record := consumer.poll(30)) and not record.error():
        if record.key() == stream.encode() and record.value():
            yield {name: text.decode() for name, text in record.headers()}, record.value()
    if not record or record.error().code() != KafkaError._PARTITION_EOF:
        sys.exit(record.error().str() if record else "no answer from " + brokers)

def segments(partition):  # whole ones: their chunks come in order, and the last one says so
    for headers, value in records("segments", partition):
        if headers["ce_type"] == "gopline.segment.v1":
            chunks = [value] if headers["ce_chunk"] == "0" else [*chunks, value]
            if "ce_lastchunk" in headers:
                yield headers, av.open(io.BytesIO(b"".join(chunks)))

def show(frames):
    for frame in frames:
        print(next(numbers), frame.pts, zero + timedelta(seconds=float(frame.pts * video.time_base)))

(brokers, namespace, stream), numbers, decoder, init = sys.argv[1:], itertools.count(), None, None
partition = [json.loads(value)["partition"] for _, value in records("streams", 0)][-1]
for headers, segment in segments(partition):
    video = segment.streams.video[0]
    if init != (init := (headers["ce_epoch"], video.codec_context.extradata)):  # else the decoder goes on
        show(decoder.decode() if decoder else [])
        decoder = av.CodecContext.create(video.codec_context.codec, "r")
        decoder.extradata, decoder.width, decoder.height = init[1], video.width, video.height
    packets = [packet for packet in segment.demux(video) if packet.size]
    zero = datetime.fromisoformat(headers["ce_time"]) - timedelta(seconds=float(packets[0].pts * video.time_base))
    show(itertools.chain.from_iterable(map(decoder.decode, packets)))
show(decoder.decode())  # what it held back to put pictures in order
