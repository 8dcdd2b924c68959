#pragma once
#include <map>
#include <memory>
#include <string>

#include "common/log/log.h"

namespace gopline {

// A Content-Based Router: one log to its callers, whose topics lie in several. The topics of `elsewhere` lie
// in the logs beside them, all others in `main`. A reader assigns partitions of any of them; it subscribes
// within one. Delivery callbacks keep their order per partition, as within each log.
std::unique_ptr<Log> make_routed_log(std::unique_ptr<Log> main,
                                     std::map<std::string, std::unique_ptr<Log>> elsewhere);

}  // namespace gopline
