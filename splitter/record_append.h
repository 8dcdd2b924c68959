#pragma once
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/markers.h"

namespace gopline::splitter {

// A marker as the log takes it, stamped with the writer's clock.
NewRecord new_record(record::Encoded encoded, const Clock& clock);

Result<Offset> append_and_wait(LogWriter& writer, const TopicPartition& where, record::Encoded encoded,
                               const Clock& clock);

// Bytes that the log counts for a record beside its value: key, headers, and what frames them.
std::size_t record_overhead(std::string_view key, const Headers& headers);

}  // namespace gopline::splitter
