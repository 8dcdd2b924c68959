#include "analyzer/requests/request.h"

#include <fnmatch.h>

#include <algorithm>
#include <limits>

#include "common/base/text.h"

namespace gopline::analyzer {
namespace {

constexpr const char* kSpringReplyTopic = "kafka_replyTopic";
constexpr const char* kSpringReplyPartition = "kafka_replyPartition";
constexpr const char* kSpringCorrelationId = "kafka_correlationId";

// Spring writes an integer of four bytes, the highest first.
std::optional<std::int32_t> four_bytes(std::string_view value) {
  if (value.size() != 4) return std::nullopt;
  std::uint32_t number = 0;
  for (char one : value) number = number << 8 | static_cast<unsigned char>(one);
  return static_cast<std::int32_t>(number);
}

std::optional<std::int32_t> digits(std::string_view value) {
  auto number = parse_int64(value);
  if (!number || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

}  // namespace

PictureRequest read_request(const StoredRecord& stored) {
  const auto& headers = stored.headers;
  PictureRequest request;
  request.subject = stored.key;
  if (auto topic = find_header(headers, kReplyTo)) {
    request.reply_topic = *topic;
  } else if (auto springs = find_header(headers, kSpringReplyTopic)) {
    request.reply_topic = *springs;
  }
  if (auto partition = find_header(headers, kReplyPartition)) {
    request.reply_partition = digits(*partition);
  } else if (auto springs = find_header(headers, kSpringReplyPartition)) {
    request.reply_partition = four_bytes(*springs);
  }
  for (const auto* name : {kCorrelationId, kSpringCorrelationId}) {
    if (auto value = find_header(headers, name)) request.correlation.push_back({name, std::string(*value)});
  }
  if (auto accept = find_header(headers, kAccept)) request.wants_picture = *accept != "application/json";
  if (auto type = find_header(headers, "ce_type")) request.is_answer = *type == kAnswerType;
  return request;
}

Result<void> check_reply_topic(const std::string& topic, const std::vector<std::string>& patterns,
                               const std::vector<std::string>& never) {
  bool is_allowed = std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), topic.c_str(), 0) == 0;
  });
  if (is_allowed && std::ranges::find(never, topic) == never.end()) return {};
  return fail(ErrorCode::kPermissionDenied,
              "answers may not go to the topic '{}' (--reply-topics says where they may)", topic);
}

}  // namespace gopline::analyzer
