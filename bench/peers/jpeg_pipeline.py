#!/usr/bin/env python3
"""jpeg_pipeline.py produce|consume BOOTSTRAP TOPIC CLIP: video through Kafka as it is usually done from Python: a JPEG a frame at quality 95, keyed,
acknowledged by all; a consumer that decodes them and runs MOG2 until it has seen as many as the clip has. One thread."""
import os
import sys

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
import cv2  # noqa: E402
import numpy  # noqa: E402
from confluent_kafka import Consumer, Producer  # noqa: E402

cv2.setNumThreads(1)
how, bootstrap, topic, clip = sys.argv[1:]
video = cv2.VideoCapture(clip)
if how == "produce":
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5})
    while True:
        ok, frame = video.read()
        if not ok:
            break
        jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        producer.produce(topic, key="clip", value=jpeg.tobytes())
        while producer.poll(0) or len(producer) > 1000:
            pass
    producer.flush()
else:
    frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    model = cv2.createBackgroundSubtractorMOG2(detectShadows=False)
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    seen = 0
    while seen < frames:
        message = consumer.poll(1)
        if message is None or message.error():
            continue
        picture = cv2.imdecode(numpy.frombuffer(message.value(), numpy.uint8), cv2.IMREAD_COLOR)
        cv2.countNonZero(model.apply(picture))
        seen += 1
    consumer.close()
