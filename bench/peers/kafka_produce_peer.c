/* The least that librdkafka and libavformat let a program do to get a file into Kafka, to measure gopline against.
 *
 * kafka_produce_peer BROKERS TOPIC SOURCE SEGMENTS INDEX   reads SOURCE with av_read_frame and produces the segments of it,
 *                                                          already cut: SEGMENTS holds them end to end, INDEX their sizes
 */
#include <fcntl.h>
#include <libavformat/avformat.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t kBudget = 32u << 20; /* unacknowledged bytes, as gopline's */

static void die(const char *what) {
  fprintf(stderr, "kafka_produce_peer: %s\n", what);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
}

static size_t unacknowledged;

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  (void)rk, (void)opaque;
  if (message->err) die(rd_kafka_message_errstr(message));
  unacknowledged -= message->len;
}

static int produce(const char *brokers, const char *topic, const char *source, const char *segments, const char *index) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", brokers);
  set(conf, "enable.metrics.push", "false"); /* or ending takes up to a second */
  set(conf, "enable.idempotence", "true");
  set(conf, "linger.ms", "0");
  set(conf, "message.max.bytes", "100000000");
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  char why[256];
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!rk) die(why);

  int file = open(segments, O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) die(segments);
  char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
  if (bytes == MAP_FAILED) die("mmap");
  FILE *sizes = fopen(index, "r");
  if (!sizes) die(index);

  AVFormatContext *input = NULL;
  AVPacket *packet = av_packet_alloc();
  if (avformat_open_input(&input, source, NULL, NULL) < 0 || avformat_find_stream_info(input, NULL) < 0) die(source);
  size_t at = 0, size = 0, read = 0;
  int more = 1, have = fscanf(sizes, "%zu", &size) == 1;
  while (have) {
    /* A segment leaves when as much as it holds has been read. */
    while (more && read < at + size) {
      more = av_read_frame(input, packet) >= 0;
      read += (size_t)packet->size;
      av_packet_unref(packet);
    }
    while (unacknowledged > 0 && unacknowledged + size > kBudget) rd_kafka_poll(rk, 100);
    unacknowledged += size;
    rd_kafka_resp_err_t error =
        rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(0),
                          RD_KAFKA_V_VALUE(bytes + at, size), RD_KAFKA_V_KEY("source", 6), RD_KAFKA_V_END);
    if (error) die(rd_kafka_err2str(error));
    rd_kafka_poll(rk, 0);
    at += size;
    have = fscanf(sizes, "%zu", &size) == 1;
  }
  while (more) {
    more = av_read_frame(input, packet) >= 0;
    av_packet_unref(packet);
  }
  while (unacknowledged > 0) rd_kafka_poll(rk, 100);
  rd_kafka_destroy(rk);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 6) return produce(argv[1], argv[2], argv[3], argv[4], argv[5]);
  die("usage: see the source");
}
