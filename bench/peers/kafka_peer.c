/* The least that librdkafka lets a program do, to measure gopline against.
 *
 * kafka_peer consume BROKERS TOPIC                 reads everything there is and drops it
 * kafka_peer work BROKERS TOPIC KBYTES US_PER_MB   the same on librdkafka's own settings but for the memory bound,
 *                                                  working so long on each megabyte
 *
 * Knows nothing of media: loading FFmpeg's libraries takes a tenth of what reading a gigabyte does.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what) {
  fprintf(stderr, "kafka_peer: %s\n", what);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
}

static int consume(const char *brokers, const char *topic, const char *kbytes, long us_per_mb) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", brokers);
  set(conf, "enable.metrics.push", "false"); /* or ending takes up to a second */
  set(conf, "group.id", "peer");
  set(conf, "enable.auto.commit", "false");
  set(conf, "enable.partition.eof", "true");
  if (kbytes) {
    set(conf, "queued.max.messages.kbytes", kbytes);
  } else {
    set(conf, "fetch.message.max.bytes", "8388608");
    set(conf, "fetch.queue.backoff.ms", "10");
  }
  char why[256];
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!rk) die(why);
  rd_kafka_poll_set_consumer(rk);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, 0)->offset = 0;
  rd_kafka_assign(rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  uint64_t bytes = 0;
  for (int ended = 0; !ended;) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 1000);
    if (!message) continue;
    ended = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (message->err && !ended) die(rd_kafka_message_errstr(message));
    bytes += message->len * !message->err;
    if (us_per_mb > 0 && !message->err) usleep((useconds_t)(message->len * (uint64_t)us_per_mb / 1000000));
    rd_kafka_message_destroy(message);
  }
  fprintf(stderr, "%" PRIu64 " bytes\n", bytes);
  rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "consume")) return consume(argv[2], argv[3], NULL, 0);
  if (argc == 6 && !strcmp(argv[1], "work")) return consume(argv[2], argv[3], argv[4], atol(argv[5]));
  die("usage: see the source");
}
