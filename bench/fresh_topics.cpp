// Makes topics of one partition anew, so that a run begins with nothing: fresh_topics BROKERS TOPIC...
#include <cstdio>

#include "common/log/kafka/kafka_log.h"

int main(int argc, char** argv) {
  using namespace gopline;
  if (argc < 3) return 2;
  KafkaLogOptions options;
  options.brokers = argv[1];
  options.properties.push_back({"gopline.max.message.bytes", "67108864", "fresh_topics"});
  auto log = open_kafka_log(options);
  if (!log) return std::fprintf(stderr, "%s\n", log.error().message.c_str()), 1;
  for (int i = 2; i < argc; ++i) (void)(*log)->delete_topic(argv[i]);
  for (int i = 2; i < argc; ++i) {
    Result<TopicInfo> made = tl::unexpected<Error>(Error{});
    while (!(made = (*log)->ensure_topic({argv[i], 1, {}}))) {
      if (made.error().code != ErrorCode::kNotFound && made.error().code != ErrorCode::kConflict) {
        return std::fprintf(stderr, "%s\n", made.error().message.c_str()), 1;
      }
    }
  }
  return 0;
}
