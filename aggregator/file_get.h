#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/stream_item.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::aggregator {

struct GetOptions {
  std::string topic_namespace;  // that of files
  std::string stream;
  std::string output;                // a path, or "-" for standard output
  std::optional<EpochNumber> epoch;  // nullopt: the newest file that was put whole
  payload::BlobSource* blobs = nullptr;
};

struct GetReport {
  EpochNumber epoch;
  std::string name, content_type;      // as they were put
  std::uint64_t size = 0;              // of the file
  std::vector<EpochNumber> epochs;     // that it was put in: more than one where a put was resumed
  std::vector<Absence> absences;       // not empty: there is no output file
  std::uint64_t unfinished_newer = 0;  // epochs after this one whose put did not come to its end
};

// Puts a file's pieces together again, those of the epochs that it continues first, each verified; under a
// temporary name, which becomes `output` when everything is there and written. kNotFound: no such stream, no
// such epoch, or no file in it that was put whole. Memory does not depend on the file's size.
Result<GetReport> get_file(Log& log, const GetOptions& options,
                           const std::function<void(std::uint64_t done, std::uint64_t size)>& on_progress,
                           StopToken stop);

}  // namespace gopline::aggregator
