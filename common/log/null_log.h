#pragma once
#include <memory>

#include "common/log/log.h"

namespace gopline {

// A log that takes everything, gives offsets, and keeps nothing but the topics' names: for measuring what is
// in front of a log. Readers are given nothing; lookups find nothing.
std::unique_ptr<Log> make_null_log();

}  // namespace gopline
