/* The least that librdkafka needs to get chunks from one process into another as they are made.
 *
 * pair_peer BROKERS TOPIC CHUNKS   Takes so many chunks from standard input, each behind 4 bytes with its size (big-endian), produces each
 *                                  as soon as it is whole, consumes it in another process, and writes it, size and all, to standard
 *                                  output. Says "ready" to standard error once the consumer is about to read.
 */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kMostBytes = 16 << 20, kSizeBytes = 4 };

static void die(const char *what) {
  fprintf(stderr, "pair_peer: %s\n", what);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *brokers) {
  char why[256];
  set(conf, "bootstrap.servers", brokers);
  set(conf, "enable.metrics.push", "false"); /* or ending takes up to a second */
  set(conf, "socket.nagle.disable", "true");
  rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
  if (!rk) die(why);
  return rk;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  (void)rk, (void)opaque;
  if (message->err) die(rd_kafka_message_errstr(message));
}

static size_t size_at(const unsigned char *bytes) {
  return kSizeBytes + ((size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3]);
}

static void send_chunk(rd_kafka_t *rk, const char *topic, unsigned char *bytes, size_t size) {
  rd_kafka_resp_err_t error = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                                RD_KAFKA_V_VALUE(bytes, size), RD_KAFKA_V_KEY("source", 6), RD_KAFKA_V_END);
  if (error) die(rd_kafka_err2str(error));
}

static void produce(const char *brokers, const char *topic) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "enable.idempotence", "true");
  set(conf, "linger.ms", "0");
  set(conf, "message.max.bytes", "100000000");
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, conf, brokers);
  unsigned char *bytes = malloc(kMostBytes);
  if (!bytes) die("no memory");
  for (size_t have = 0;;) {
    ssize_t got = read(STDIN_FILENO, bytes + have, kMostBytes - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) die("reading standard input");
    if (got == 0) break;
    for (have += (size_t)got; have >= kSizeBytes && have >= size_at(bytes);) {
      size_t size = size_at(bytes);
      send_chunk(rk, topic, bytes, size);
      memmove(bytes, bytes + size, have -= size);
    }
    if (have == kMostBytes) die("a chunk is too large");
    rd_kafka_poll(rk, 0);
  }
  if (rd_kafka_flush(rk, 30000)) die("not all was acknowledged");
  rd_kafka_destroy(rk);
  free(bytes);
}

static void put_out(const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t put = write(STDOUT_FILENO, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) die("writing to standard output");
    bytes += put;
    size -= (size_t)put;
  }
}

static void consume(const char *brokers, const char *topic, int chunks) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "group.id", "peer");
  set(conf, "enable.auto.commit", "false");
  set(conf, "fetch.message.max.bytes", "8388608");
  set(conf, "fetch.queue.backoff.ms", "10");
  rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, conf, brokers);
  rd_kafka_poll_set_consumer(rk);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, 0)->offset = 0;
  rd_kafka_assign(rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  fprintf(stderr, "ready\n");
  while (chunks > 0) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 1000);
    if (!message) continue;
    if (message->err) die(rd_kafka_message_errstr(message));
    put_out(message->payload, message->len);
    --chunks;
    rd_kafka_message_destroy(message);
  }
  rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

int main(int argc, char **argv) {
  if (argc != 4) die("usage: see the source");
  pid_t consumer = fork();
  if (consumer < 0) die("fork");
  if (consumer == 0) {
    close(STDIN_FILENO);
    consume(argv[1], argv[2], atoi(argv[3]));
    return 0;
  }
  close(STDOUT_FILENO);
  produce(argv[1], argv[2]);
  int status = 0;
  waitpid(consumer, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
