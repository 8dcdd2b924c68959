#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/record/detection.h"

namespace gopline::analyzer {

// What became of one reference table.
struct EnrichmentCount {
  std::string table;
  std::int64_t joined = 0;   // records of events to which it had something to add
  std::int64_t unknown = 0;  // and to which it had not, though they had what it is asked by
};

// Adds to events what others know of what they are about, as they are written (Content Enricher). One
// thread.
class Enricher {
 public:
  virtual ~Enricher() = default;
  // Takes in what has changed, if it has not looked for a while. What cannot be read leaves what was.
  virtual void refresh(SteadyTime now) = 0;
  // Never fails: what nobody knows anything about goes on without.
  virtual void enrich(record::Detection& event) = 0;
  virtual std::vector<EnrichmentCount> counts() const = 0;
};

}  // namespace gopline::analyzer
