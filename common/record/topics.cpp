#include "common/record/topics.h"

namespace gopline::record {

Topics topics_of(std::string_view name_space) {
  auto topic = [&](std::string_view name) { return std::string(name_space) + '.' + std::string(name); };
  return {topic("segments"), topic("index"), topic("streams"), topic("events"),
          topic("backlog"),  topic("kept"),  topic("dead")};
}

std::string files_namespace(std::string_view name_space) {
  return std::string(name_space) + ".files";
}

Result<void> check_namespace(std::string_view name_space) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (name_space.empty() || name_space.size() > 200 ||
      name_space.find_first_not_of(kAllowed) != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument,
                "the topic namespace '{}' must be 1 to 200 letters, digits, '.', '_' or '-'", name_space);
  }
  return {};
}

}  // namespace gopline::record
