// Reads a partition through gopline's port and works so long on each megabyte: what a reader of the log does.
//   read_log kafka://BROKERS TOPIC KBYTES US_PER_MB [FILE]
// With FILE, the values that are segments go there end to end, and their sizes to FILE.index.
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "common/log/kafka/kafka_log.h"

int main(int argc, char** argv) {
  using namespace gopline;
  if (argc != 5 && argc != 6) return 2;
  auto url = parse_kafka_url(argv[1]);
  if (!url) return 2;
  KafkaLogOptions options;
  options.brokers = url->brokers;
  auto log = open_kafka_log(options);
  if (!log) return std::fprintf(stderr, "%s\n", log.error().message.c_str()), 1;
  TopicPartition where{argv[2], PartitionId(0)};
  LogReaderOptions reading;
  reading.max_poll_bytes = std::stoul(argv[3]) << 10;
  reading.verify_values = false;
  auto us_per_mb = std::stoull(argv[4]);
  auto end = (*log)->offsets(where)->end;
  auto reader = *(*log)->make_reader(reading);
  if (!reader->assign({{where, StartPosition::beginning()}})) return 1;
  std::ofstream values, sizes;
  if (argc == 6) {
    values.open(argv[5], std::ios::binary);
    sizes.open(std::string(argv[5]) + ".index");
  }
  std::uint64_t bytes = 0;
  while (*reader->position(where) < end) {
    auto records = reader->poll(std::chrono::seconds(1));
    if (!records) return std::fprintf(stderr, "%s\n", records.error().message.c_str()), 1;
    for (auto& record : *records) {
      auto size = record.value ? record.value->size() : 0;
      bytes += size;
      if (argc == 6 && find_header(record.headers, "ce_type") == "gopline.segment.v1") {
        values << record.value->text();
        sizes << size << '\n';
      }
      if (us_per_mb > 0) std::this_thread::sleep_for(std::chrono::microseconds(size * us_per_mb / 1'000'000));
      record = {};
    }
  }
  std::fprintf(stderr, "%llu bytes\n", static_cast<unsigned long long>(bytes));
  return 0;
}
