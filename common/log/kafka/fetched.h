#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/log/kafka/client.h"
#include "common/log/log.h"

namespace gopline::kafka {

// A record as the port gives it: the value is a slice of what was fetched, not a copy, and keeps it (and the
// consumer it came through) alive. `prefix` is taken off the topic's name. `with_value` false: the value is
// empty, or null where it is null.
StoredRecord stored_record(std::shared_ptr<Client> consumer, MessagePtr message, std::string_view prefix,
                           bool with_value);

// Finds out which values lie in one fetched response, since holding one of them keeps all of it: values that
// follow each other in memory do. Counts every record of a response with the whole of it, as far as it has
// been seen. Not thread-safe.
class ResponseSizes {
 public:
  // The value of the next record in the order in which they come. Returns the number of its response.
  std::size_t add(const void* value, std::size_t size);
  // The bytes of a response.
  std::size_t bytes(std::size_t response) const { return sizes_[response - first_]; }
  // Forgets all but the newest, which may go on.
  void keep_newest();

 private:
  std::vector<std::size_t> sizes_;
  std::size_t first_ = 0;
  std::uintptr_t begin_ = 0, end_ = 0;
};

}  // namespace gopline::kafka
