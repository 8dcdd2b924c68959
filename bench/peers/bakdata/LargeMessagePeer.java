import java.io.*;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/**
 * Puts a file into Kafka by bakdata's large-message serde, or gets it back, as its README shows it: one thread, and a
 * (de)serializer that carries one value after the other.
 *
 * <pre>
 * put BROKERS TOPIC WARM_TOPIC FILE PIECE_BYTES s3://BUCKET/PREFIX/
 * get BROKERS TOPIC WARM_TOPIC FILE BYTES
 * </pre>
 *
 * Does it with WARM_TOPIC first, by the same client, and then prints the seconds that the work itself took:
 * {"wall_s": 1.5, "cpu_s": 1.9}
 */
class LargeMessagePeer {
  static final int WARM_UP = 12;  // values; those after them take a third of the time, and all further ones as long

  interface Work {
    void run() throws Exception;
  }

  static void timed(Work work) throws Exception {
    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpu = system.getProcessCpuTime(), wall = System.nanoTime();
    work.run();
    wall = System.nanoTime() - wall;
    cpu = system.getProcessCpuTime() - cpu;
    System.out.printf(Locale.ROOT, "{\"wall_s\": %.6f, \"cpu_s\": %.6f}%n", wall / 1e9, cpu / 1e9);
  }

  static Map<String, Object> settings(String brokers) {
    var settings = new HashMap<String, Object>();
    settings.put("bootstrap.servers", brokers);
    settings.put("large.message.use.headers", true);  // as its README recommends
    settings.put("large.message.s3.endpoint", System.getenv("AWS_ENDPOINT_URL_S3"));
    settings.put("large.message.s3.region", System.getenv("AWS_REGION"));
    settings.put("large.message.s3.access.key", System.getenv("AWS_ACCESS_KEY_ID"));
    settings.put("large.message.s3.secret.key", System.getenv("AWS_SECRET_ACCESS_KEY"));
    settings.put("large.message.s3.path.style.access", true);
    return settings;
  }

  // ---- put

  static void send(Producer<String, byte[]> producer, String topic, Path file, int piece, int most) throws Exception {
    try (var input = FileChannel.open(file)) {
      for (int sent = 0; sent < most && input.position() < input.size(); ++sent) {
        var value = ByteBuffer.allocate((int) Math.min(piece, input.size() - input.position()));
        while (value.hasRemaining() && input.read(value) >= 0) {
        }
        producer.send(new ProducerRecord<>(topic, 0, "source", value.array()), (metadata, failure) -> {
          if (failure != null) fail(failure);
        });
      }
    }
    producer.flush();
  }

  static void put(String brokers, String topic, String warmTopic, Path file, int piece, String path) throws Exception {
    var settings = settings(brokers);
    // max.request.size stays: Kafka sees the references, which are small. So do acks (all) and idempotence (on).
    settings.put("large.message.base.path", path);
    settings.put("value.serializer", "com.bakdata.kafka.LargeMessageSerializer");
    settings.put("key.serializer", StringSerializer.class);
    try (var producer = new KafkaProducer<String, byte[]>(settings)) {
      send(producer, warmTopic, file, piece, WARM_UP);
      timed(() -> send(producer, topic, file, piece, Integer.MAX_VALUE));
    }
  }

  // ---- get

  /** Reads the topic from its start until as many bytes have come, or all of it when that is sooner. */
  static void receive(Consumer<String, byte[]> consumer, String topic, Path file, long bytes) throws Exception {
    var partition = new TopicPartition(topic, 0);
    consumer.assign(List.of(partition));
    consumer.seekToBeginning(List.of(partition));
    long end = consumer.endOffsets(List.of(partition)).get(partition), written = 0;
    try (var output = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
      while (written < bytes && consumer.position(partition) < end) {
        for (var record : consumer.poll(Duration.ofSeconds(1))) {
          for (var value = ByteBuffer.wrap(record.value()); value.hasRemaining();) written += output.write(value);
        }
      }
    }
    if (bytes != Long.MAX_VALUE && written != bytes) throw new IOException(topic + " has " + written + " bytes");
  }

  static void get(String brokers, String topic, String warmTopic, Path file, long bytes) throws Exception {
    var settings = settings(brokers);
    // poll() fetches the values of all the records that it returns: 500 of them, its default, would be 4 GB.
    settings.put("max.poll.records", 4);
    settings.put("value.deserializer", "com.bakdata.kafka.LargeMessageDeserializer");
    settings.put("key.deserializer", StringDeserializer.class);
    try (var consumer = new KafkaConsumer<String, byte[]>(settings)) {
      receive(consumer, warmTopic, file, Long.MAX_VALUE);
      timed(() -> receive(consumer, topic, file, bytes));
    }
  }

  static void fail(Exception failure) {
    failure.printStackTrace();
    Runtime.getRuntime().halt(1);
  }

  public static void main(String[] a) throws Exception {
    if (a.length == 7 && a[0].equals("put")) {
      put(a[1], a[2], a[3], Path.of(a[4]), Integer.parseInt(a[5]), a[6]);
    } else if (a.length == 6 && a[0].equals("get")) {
      get(a[1], a[2], a[3], Path.of(a[4]), Long.parseLong(a[5]));
    } else {
      throw new IllegalArgumentException("see the source");
    }
  }
}
