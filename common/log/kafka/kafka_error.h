#pragma once
#include <string_view>

#include "common/base/result.h"
#include "common/log/kafka/handles.h"

namespace gopline::kafka {

// What a Kafka error means to a caller of the log.
ErrorCode code_of(rd_kafka_resp_err_t error);

// "CONTEXT: what Kafka says (its name of the error)", with what to do where that is known.
Error error_of(rd_kafka_resp_err_t error, std::string_view context);

inline tl::unexpected<Error> fail_kafka(rd_kafka_resp_err_t error, std::string_view context) {
  return tl::unexpected<Error>(error_of(error, context));
}

// Whether the topic or partition is not there (any more).
bool is_unknown_topic(rd_kafka_resp_err_t error);

}  // namespace gopline::kafka
