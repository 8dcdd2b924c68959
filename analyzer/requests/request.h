#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/headers.h"
#include "common/base/result.h"
#include "common/log/log.h"

// A picture that is sent to be looked at (EIP: Request-Reply, Return Address, Correlation Identifier). The
// names of headers are part of the program's interface: docs/analyzers.md.
namespace gopline::analyzer {

inline constexpr const char* kReplyTo = "reply-to";  // the topic of the answer
inline constexpr const char* kReplyPartition = "reply-partition";
inline constexpr const char* kCorrelationId = "correlation-id";  // comes back as it is
inline constexpr const char* kAccept = "accept";                 // "application/json": no picture is wanted
inline constexpr const char* kStatus = "status";                 // of an answer: "done", "failed"
inline constexpr const char* kError = "error";
inline constexpr const char* kDetections = "detections";
inline constexpr const char* kAnswerType = "gopline.answer.v1";

// What a record asks for, by our headers or by those of Spring for Apache Kafka.
struct PictureRequest {
  std::string reply_topic;  // empty: it does not say
  std::optional<std::int32_t> reply_partition;
  Headers correlation;  // goes into the answer
  std::string subject;  // the record's key: whose picture it is
  bool wants_picture = true;
  bool is_answer = false;  // somebody's answer has come back to where requests go
};
PictureRequest read_request(const StoredRecord& stored);

// Where answers may go: topics that the operator has named, as a shell's patterns, and none of those that
// `never` names, whatever the patterns say. kPermissionDenied says which topic was asked for.
Result<void> check_reply_topic(const std::string& topic, const std::vector<std::string>& patterns,
                               const std::vector<std::string>& never);

}  // namespace gopline::analyzer
