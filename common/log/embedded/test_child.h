#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes/buffer.h"
#include "common/log/log.h"

// For tests of several processes: the test program started again as a child that writes or reads a log and
// reports through a pipe.
namespace gopline::embedded {

// What a child reports for every acknowledged record.
struct Acknowledged {
  std::int64_t partition;
  std::int64_t offset;
  std::uint64_t seed;  // gives the value
};

// A value of a size and content that follow from the seed: small ones, and ones of hundreds of kilobytes.
Buffer value_of_seed(std::uint64_t seed);
// What is wrong with a record that a child wrote; empty: nothing.
std::string fault_of(const StoredRecord& record);

// A child of this test program; killed and waited for at the latest when this ends.
class TestChild {
 public:
  // Mode "write": writes to the log in `directory` until it has written `count` records. Mode "read": joins
  // group "g".
  TestChild(const std::string& mode, const std::string& directory, std::uint64_t first_seed,
            std::uint64_t count);
  ~TestChild();
  TestChild(const TestChild&) = delete;
  TestChild& operator=(const TestChild&) = delete;

  // The next report, waiting for it; false when the child has ended.
  bool next(Acknowledged& out);
  void kill();
  // Waits for the child's end; its exit code, or -1.
  int wait();

 private:
  pid_t process_ = -1;
  int reports_ = -1;
};

// What the child runs, from main(); -1 when this process is not a child.
int run_as_child(int argc, char** argv);

// Opens the log and holds it against what was acknowledged: every such record is there, byte for byte;
// offsets have no holes; no record at all is damaged; SQLite finds no fault in the catalogue; the payload
// folder holds nothing that is not needed.
void expect_whole(const std::string& directory, const std::vector<Acknowledged>& acknowledged);

}  // namespace gopline::embedded
