#include <cstdlib>
#include <string_view>

#include "common/log/kafka/kafka_log.h"

// URLs of Kafka logs: whatever they say, what is shown of them holds no property's value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto url = gopline::parse_kafka_url(text);
  auto shown = gopline::kafka_url_without_secrets(text);
  // Taken apart again, it has the same brokers and property names and no values but "***".
  if (url) {
    auto again = gopline::parse_kafka_url(shown);
    if (!again || again->brokers != url->brokers || again->properties.size() != url->properties.size())
      std::abort();
    for (const auto& property : again->properties) {
      if (property.value != "***") std::abort();
    }
  }
  return 0;
}
