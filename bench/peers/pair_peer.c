/* The least that librdkafka needs to get chunks from one process into another as they are made.
 *
 * pair_peer BROKERS TOPIC PLAN     PLAN has a line for each chunk: microseconds after the beginning, bytes. They are produced at these
 *                                  times by one process and consumed by another, which prints for each the microseconds
 *                                  between the two.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMostChunks = 100000 };
static struct {
  int64_t at;
  size_t bytes;
} plan[kMostChunks];
static int chunks;

static void die(const char *what) {
  fprintf(stderr, "pair_peer: %s\n", what);
  exit(1);
}

/* The same in all processes of a machine. */
static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
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

static void send_chunk(rd_kafka_t *rk, const char *topic, char *bytes, size_t size) {
  int64_t sent = now_us();
  memcpy(bytes, &sent, sizeof sent);
  rd_kafka_resp_err_t error = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                                RD_KAFKA_V_VALUE(bytes, size), RD_KAFKA_V_KEY("source", 6), RD_KAFKA_V_END);
  if (error) die(rd_kafka_err2str(error));
}

static void produce(const char *brokers, const char *topic, int64_t begin) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "enable.idempotence", "true");
  set(conf, "linger.ms", "0");
  set(conf, "message.max.bytes", "100000000");
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, conf, brokers);
  size_t most = sizeof begin;
  for (int i = 0; i < chunks; ++i) most = plan[i].bytes > most ? plan[i].bytes : most;
  char *bytes = malloc(most);
  if (!bytes) die("no memory");
  for (size_t i = 0; i < most; ++i) bytes[i] = (char)(rand() >> 7);
  for (int i = 0; i < chunks; ++i) {
    for (int64_t left; (left = begin + plan[i].at - now_us()) > 0;) rd_kafka_poll(rk, 0), usleep((useconds_t)(left > 20000 ? 20000 : left));
    send_chunk(rk, topic, bytes, plan[i].bytes);
  }
  if (rd_kafka_flush(rk, 30000)) die("not all was acknowledged");
  rd_kafka_destroy(rk);
  free(bytes);
}

static void consume(const char *brokers, const char *topic) {
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
  for (int i = 0; i < chunks;) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 1000);
    if (!message) continue;
    int64_t sent, came = now_us();
    if (message->err) die(rd_kafka_message_errstr(message));
    memcpy(&sent, message->payload, sizeof sent);
    printf("%" PRId64 "\n", came - sent);
    ++i;
    rd_kafka_message_destroy(message);
  }
  fflush(stdout);
  rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

int main(int argc, char **argv) {
  if (argc != 4) die("usage: see the source");
  FILE *file = fopen(argv[3], "r");
  if (!file) die(argv[3]);
  while (chunks < kMostChunks && fscanf(file, "%" SCNd64 " %zu", &plan[chunks].at, &plan[chunks].bytes) == 2) {
    if (plan[chunks].bytes < sizeof(int64_t)) die("a chunk of less than 8 bytes");
    ++chunks;
  }
  fclose(file);
  pid_t consumer = fork();
  if (consumer < 0) die("fork");
  if (consumer == 0) {
    consume(argv[1], argv[2]);
    return 0;
  }
  produce(argv[1], argv[2], now_us() + 2000000); /* the consumer is there by then */
  int status = 0;
  waitpid(consumer, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
