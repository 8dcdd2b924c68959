"""Reads COUNT records as a member of GROUP, committing each: group_reader.py BROKERS TOPIC GROUP COUNT"""
import sys
from confluent_kafka import Consumer

brokers, topic, group, count = sys.argv[1:]
consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "enable.auto.commit": False,
                     "auto.offset.reset": "earliest", "partition.assignment.strategy": "cooperative-sticky"})
consumer.subscribe([topic])
for _ in range(int(count)):
    record = consumer.poll(30)
    if record is None or record.error():
        sys.exit(f"no record: {record and record.error()}")
    print(record.partition(), record.offset(), flush=True)
    consumer.commit(record, asynchronous=False)
consumer.close()
