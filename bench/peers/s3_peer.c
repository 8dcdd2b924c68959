/* The least that libcurl and librdkafka let a program do, to measure gopline's claim checks against.
 *
 * s3_peer put BROKERS TOPIC FILE BUCKET/PREFIX   uploads FILE in pieces, and produces a small record for
 * each, in order s3_peer get FILE BYTES BUCKET/PREFIX           fetches the pieces of so many bytes again, by
 * ranges, into FILE
 *
 * The store is where AWS_ENDPOINT_URL_S3 says; its keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  kTransfers = 4,
  kHashedAhead = 4,
  kRecord = 300
}; /* as many at a time as gopline's claim queue and prefetcher */
static const size_t kPiece = 8000000;
static const char* kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

typedef struct {
  char sha256[65];
  int stored;
} Piece;

typedef struct {
  CURL* easy;
  struct curl_slist* headers;
  size_t piece, at; /* at: bytes of the piece that have passed */
} Transfer;

static size_t total, pieces;
static Piece* all;
static const char* source;   /* of a put */
static int output = -1;      /* of a get */
static const char* location; /* BUCKET/PREFIX */
static CURLM* multi;
static sem_t hashed, room;

static rd_kafka_t* producer;
static const char* topic;
static size_t produced, delivered;

static void die(const char* what) {
  fprintf(stderr, "s3_peer: %s\n", what);
  exit(1);
}

static const char* variable(const char* name) {
  const char* value = getenv(name);
  if (!value) die(name);
  return value;
}

static size_t size_of(size_t piece) {
  return piece + 1 < pieces ? kPiece : total - piece * kPiece;
}

/* ---- hashes, which the store compares with what arrives: in a thread of their own, or uploads would wait
 * for them */

static void* hash_pieces(void* unused) {
  for (size_t i = 0; i < pieces; ++i) {
    sem_wait(&room);
    unsigned char digest[32];
    if (!EVP_Digest(source + i * kPiece, size_of(i), digest, NULL, EVP_sha256(), NULL)) die("SHA-256");
    for (int k = 0; k < 32; ++k) snprintf(all[i].sha256 + 2 * k, 3, "%02x", digest[k]);
    sem_post(&hashed);
    curl_multi_wakeup(multi);
  }
  return unused;
}

/* ---- records */

static void set(rd_kafka_conf_t* conf, const char* name, const char* value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
}

static void on_delivery(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque) {
  (void)rk, (void)opaque;
  if (message->err) die(rd_kafka_message_errstr(message));
  ++delivered;
}

static void open_producer(const char* brokers) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", brokers);
  set(conf, "enable.metrics.push", "false"); /* or ending takes up to a second */
  set(conf, "enable.idempotence", "true");
  set(conf, "acks", "all");
  set(conf, "linger.ms", "0");
  set(conf, "queue.buffering.max.messages", "1000");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  char why[256];
  producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!producer) die(why);
}

static void produce(size_t piece) {
  char value[kRecord + 1];
  int length = snprintf(value, sizeof value, "{\"uri\":\"s3://%s/%06zu\",\"bytes\":%zu,\"sha256\":\"%s\"}",
                        location, piece, size_of(piece), all[piece].sha256);
  if (length < 0 || length > kRecord) die("a record is too long");
  memset(value + length, ' ', (size_t)(kRecord - length));
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("source", 6),
        RD_KAFKA_V_VALUE(value, kRecord), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (!error) return;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) die(rd_kafka_err2str(error));
    rd_kafka_poll(producer, 100);
  }
}

/* ---- transfers */

static size_t give(char* into, size_t size, size_t count, void* self) {
  Transfer* transfer = self;
  size_t left = size_of(transfer->piece) - transfer->at, bytes = size * count < left ? size * count : left;
  memcpy(into, source + transfer->piece * kPiece + transfer->at, bytes);
  transfer->at += bytes;
  return bytes;
}

/* libcurl sends again what went into a connection that the store had closed meanwhile. */
static int rewind_to(void* self, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  ((Transfer*)self)->at = (size_t)offset;
  return CURL_SEEKFUNC_OK;
}

static size_t take(char* bytes, size_t size, size_t count, void* self) {
  Transfer* transfer = self;
  size_t length = size * count;
  if (output < 0) return length; /* the answer to a put */
  if (length > size_of(transfer->piece) - transfer->at) return 0;
  off_t where = (off_t)(transfer->piece * kPiece + transfer->at);
  if (pwrite(output, bytes, length, where) != (ssize_t)length) die("cannot write the file");
  transfer->at += length;
  return length;
}

static void begin(Transfer* transfer, size_t piece) {
  CURL* easy = transfer->easy;
  transfer->piece = piece;
  transfer->at = 0;
  char text[1024], keys[256];
  curl_easy_reset(easy);
  snprintf(text, sizeof text, "%s/%s/%06zu", variable("AWS_ENDPOINT_URL_S3"), location, piece);
  curl_easy_setopt(easy, CURLOPT_URL, text);
  snprintf(keys, sizeof keys, "%s:%s", variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
  curl_easy_setopt(easy, CURLOPT_USERPWD, keys);
  curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:s3");
  snprintf(text, sizeof text, "x-amz-content-sha256: %s", source ? all[piece].sha256 : kEmptySha256);
  curl_slist_free_all(transfer->headers);
  /* "Expect:", or every upload would wait for leave to begin. libcurl 7.88 signs it all the same; versitygw
   * accepts that. */
  transfer->headers = curl_slist_append(curl_slist_append(NULL, text), "Expect:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10); /* as gopline's */
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  if (source) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size_of(piece));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_to);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
  } else {
    snprintf(text, sizeof text, "0-%zu", size_of(piece) - 1);
    curl_easy_setopt(easy, CURLOPT_RANGE, text);
  }
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) die("curl_multi_add_handle");
}

static void check(const Transfer* transfer, CURLcode code) {
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) die(curl_easy_strerror(code));
  if (status == (source ? 200 : 206) && transfer->at == size_of(transfer->piece)) return;
  fprintf(stderr, "s3_peer: piece %zu: status %ld, %zu bytes\n", transfer->piece, status, transfer->at);
  exit(1);
}

static void transfer_all(void) {
  Transfer transfers[kTransfers] = {{0}};
  Transfer* idle[kTransfers];
  int idles = 0;
  for (int i = 0; i < kTransfers; ++i) {
    transfers[i].easy = curl_easy_init();
    idle[idles++] = &transfers[i];
  }
  for (size_t next = 0, ended = 0; ended < pieces;) {
    while (next < pieces && idles > 0 && (!source || sem_trywait(&hashed) == 0)) {
      begin(idle[--idles], next++);
      if (source) sem_post(&room);
    }
    int running, left;
    size_t before = ended;
    if (curl_multi_perform(multi, &running) != CURLM_OK) die("curl_multi_perform");
    for (CURLMsg* message; (message = curl_multi_info_read(multi, &left));) {
      Transfer* transfer;
      CURLcode code = message->data.result; /* of `message`, which goes with its handle */
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      check(transfer, code);
      curl_multi_remove_handle(multi, transfer->easy);
      all[transfer->piece].stored = 1;
      idle[idles++] = transfer;
      ++ended;
    }
    for (; producer && produced < pieces && all[produced].stored; ++produced) produce(produced);
    if (producer) rd_kafka_poll(producer, 0);
    if (ended == before) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  for (int i = 0; i < kTransfers; ++i) {
    curl_easy_cleanup(transfers[i].easy);
    curl_slist_free_all(transfers[i].headers);
  }
}

static void prepare(size_t bytes, const char* where) {
  total = bytes;
  location = where;
  pieces = (total + kPiece - 1) / kPiece;
  all = calloc(pieces + 1, sizeof *all);
  if (!all || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(multi = curl_multi_init()))
    die("out of memory");
}

static int put(const char* brokers, const char* name, const char* file, const char* where) {
  topic = name;
  open_producer(brokers);
  int input = open(file, O_RDONLY);
  struct stat status;
  if (input < 0 || fstat(input, &status) != 0 || status.st_size == 0) die(file);
  source = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, input, 0);
  if (source == MAP_FAILED) die("mmap");
  prepare((size_t)status.st_size, where);
  sem_init(&hashed, 0, 0);
  sem_init(&room, 0, kHashedAhead);
  pthread_t hasher;
  if (pthread_create(&hasher, NULL, hash_pieces, NULL) != 0) die("pthread_create");
  transfer_all();
  pthread_join(hasher, NULL);
  while (delivered < pieces) rd_kafka_poll(producer, 100);
  rd_kafka_destroy(producer);
  curl_multi_cleanup(multi);
  return 0;
}

static int get(const char* file, const char* bytes, const char* where) {
  output = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (output < 0) die(file);
  prepare(strtoull(bytes, NULL, 10), where);
  transfer_all();
  if (close(output) != 0) die(file);
  curl_multi_cleanup(multi);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 6 && !strcmp(argv[1], "put")) return put(argv[2], argv[3], argv[4], argv[5]);
  if (argc == 5 && !strcmp(argv[1], "get")) return get(argv[2], argv[3], argv[4]);
  die("usage: see the source");
}
