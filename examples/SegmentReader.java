import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/** Lists the records of NAMESPACE.segments: java -cp 'build/deps/kafka-4.3.1/lib/*' SegmentReader.java BROKERS NAMESPACE */
class SegmentReader {
  static String header(ConsumerRecord<?, ?> record, String name) {
    var header = record.headers().lastHeader(name);
    return header == null ? "-" : new String(header.value(), java.nio.charset.StandardCharsets.UTF_8);
  }

  public static void main(String[] arguments) {
    Map<String, Object> settings = Map.of("bootstrap.servers", arguments[0]);
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      var partitions = consumer.partitionsFor(arguments[1] + ".segments").stream()
          .map(info -> new TopicPartition(info.topic(), info.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      var ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        for (var record : consumer.poll(Duration.ofSeconds(1))) {
          // Where the Java producer's default partitioner puts this key.
          int expected = BuiltInPartitioner.partitionForKey(record.key(), partitions.size());
          System.out.printf("%d %d %s %s epoch=%s segment=%s chunk=%s bytes=%d partitioner=%s%n", record.partition(),
              record.offset(), header(record, "ce_type"), header(record, "ce_source"), header(record, "ce_epoch"),
              header(record, "ce_segment"), header(record, "ce_chunk"), record.value().length,
              expected == record.partition() ? "agrees" : "differs:" + expected);
        }
      }
    }
  }
}
