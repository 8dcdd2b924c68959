// append_record LOG TOPIC PARTITION KEY [NAME=VALUE]...: appends one record to a log, its value from standard
// input. For tests that need records which the program itself would never write.
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/log_factory.h"

namespace {

using namespace gopline;

std::vector<std::uint8_t> read_standard_input() {
  std::vector<std::uint8_t> bytes;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) bytes.push_back(static_cast<std::uint8_t>(c));
  return bytes;
}

Result<Offset> append(const std::vector<std::string>& arguments) {
  cli::LogOptions options;
  options.url = arguments[0];
  GOPLINE_ASSIGN(auto log, cli::open_log(options, cli::LogUse::kWrite));
  GOPLINE_TRY(log->ensure_topic({arguments[1], 8, {}}));
  GOPLINE_ASSIGN(auto writer, log->make_writer({}));
  NewRecord record;
  record.key = arguments[3];
  record.value = BufferChain(Buffer::take(read_standard_input()));
  record.timestamp = SystemClock().now();
  for (std::size_t i = 4; i < arguments.size(); ++i) {
    auto equals = arguments[i].find('=');
    if (equals == std::string::npos)
      return fail(ErrorCode::kInvalidArgument, "'{}' is not NAME=VALUE", arguments[i]);
    record.headers.push_back({arguments[i].substr(0, equals), arguments[i].substr(equals + 1)});
  }
  return writer->append_and_wait({arguments[1], PartitionId(std::atoi(arguments[2].c_str()))},
                                 std::move(record));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: append_record LOG TOPIC PARTITION KEY [NAME=VALUE]... < value\n");
    return 2;
  }
  auto offset = append({argv + 1, argv + argc});
  if (!offset) {
    fmt::print(stderr, "append_record: {}\n", offset.error().message);
    return 1;
  }
  fmt::print("{}\n", *offset);
  return 0;
}
