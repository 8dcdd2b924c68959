#!/usr/bin/env python3
"""Every record of a topic as the CloudEvent that it is: read_headers.py BROKERS TOPIC. Ends where the topic ends now.

Needs: pip install confluent-kafka cloudevents
"""
import sys

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition


def records(brokers, topic):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "unused", "enable.auto.commit": False,
                         "enable.partition.eof": True})
    unread = set(consumer.list_topics(topic).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unread])
    while unread:
        record = consumer.poll(30)
        if not record:
            sys.exit(f"no answer from {brokers}")
        if not record.error():
            yield record
        elif record.error().code() == KafkaError._PARTITION_EOF:
            unread.discard(record.partition())
        else:
            sys.exit(record.error().str())
    consumer.close()


brokers, topic = sys.argv[1:]
for record in records(brokers, topic):
    event = from_binary_event(KafkaMessage(dict(record.headers()), record.key(), record.value()))
    extensions = ("segment", "chunk", "ordinal", "start", "duration", "sap")
    print(record.partition(), record.offset(), event.get_type(), event.get_source(), event.get_id(), event.get_time() or "-",
          *(f"{name}={event.get_extension(name)}" for name in extensions if event.get_extension(name)))
