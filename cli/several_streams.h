#pragma once
#include <optional>
#include <string>
#include <vector>

#include "aggregator/mosaic.h"
#include "cli/command.h"
#include "cli/options.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

// What `gopline aggregate` does with several streams: a mosaic, or tracks of one file.
namespace gopline::cli {

struct SeveralOptions {
  bool join = false;
  std::optional<aggregator::Extent> layout;
  aggregator::Extent size{1920, 1080};
  std::optional<Rational> frame_rate;
  bool no_labels = false;
  std::string sound;  // of this stream; empty: none
  std::uint64_t waiting_bytes = 256 << 20;
};

// What the rest of the command line says.
struct SeveralCommand {
  SeveralOptions options;
  std::vector<aggregator::Selection> streams;
  std::string output, format;
  OutputOptions messages;
  std::optional<aggregator::MosaicFollow> follow;
};

void add_several_options(CLI::App& command, SeveralOptions& options);

// Whether these options make several streams of what may be one: a mosaic of one tile.
bool are_several(const CLI::App& command, const std::vector<std::string>& streams);
// Throws CLI::ValidationError for what does not go together. `follows`: --follow is there.
void check_several_options(const CLI::App& command, const SeveralOptions& options,
                           const std::vector<std::string>& streams, bool follows);

Result<int> run_mosaic(const SeveralCommand& command, Log& log, payload::BlobSource& blobs,
                       const Environment& environment);
Result<int> run_join(const SeveralCommand& command, Log& log, payload::BlobSource& blobs,
                     const Environment& environment);

}  // namespace gopline::cli
