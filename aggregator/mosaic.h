#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/follow/playout.h"
#include "aggregator/mosaic/frame_line.h"
#include "aggregator/mosaic/grid.h"
#include "aggregator/mosaic/wall.h"
#include "aggregator/selection.h"
#include "aggregator/stream_item.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::aggregator {

struct MosaicFollow {
  std::optional<Timestamp> until;  // capture time; nullopt: until somebody asks to stop
  PlayoutOptions playout;          // of every stream; delay.most is how long others wait for one, too
};

struct MosaicOptions {
  std::vector<Selection> streams;  // one for each tile, row by row; points are capture times
  std::string output;              // a path, or "-" for standard output
  std::string format;              // as media::MuxerOptions::format
  Extent canvas{1920, 1080};
  std::optional<Extent> layout;        // nullopt: as square as it gets
  std::optional<Rational> frame_rate;  // nullopt: frame_rate_for() the streams' newest epochs
  bool labels = true;
  std::optional<std::size_t> sound;      // index of the stream that is heard; nullopt: none
  std::size_t max_bytes = 256 << 20;     // of pictures that wait, over all streams
  payload::BlobSource* blobs = nullptr;  // where claim checks are redeemed; nullptr: they are absent
  std::optional<MosaicFollow> follow;    // while they are being made; nullopt: what is there
};

struct MosaicStream {
  std::string stream;
  FrameLineStats frames;
  TileStats tile;
  std::uint64_t undecodable = 0;  // packets and segments that no picture could be made of
  std::uint64_t skipped = 0;      // segments that no access point precedes, after a gap
  std::uint64_t gaps = 0;         // all
  std::vector<Absence> absences;  // the newest kMostMosaicAbsences
  std::optional<Error> error;     // with which it ended, while the others went on
  bool whole() const { return gaps == 0 && undecodable == 0 && tile.late == 0 && !error; }
};
inline constexpr std::size_t kMostMosaicAbsences = 100;

struct MosaicReport {
  std::string format;  // libavformat's name, or "fmp4"
  Grid grid;
  Rational frame_rate;
  std::uint64_t frames = 0;      // of the output
  Timestamp from, to;            // capture time of its beginning and end
  std::uint64_t bytes = 0;       // of the output
  std::uint64_t lost_sound = 0;  // bytes of decoded sound that waited for pictures in vain
  std::vector<MosaicStream> streams;
  bool interrupted = false;  // somebody asked to stop
  bool whole() const;
};

struct MosaicProgress {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  Timestamp time;                  // reached
  std::optional<double> fraction;  // of the whole; nullopt: while following
};

struct MosaicEvents {
  std::function<void()> on_ready;  // following: what is written from now on is seen
  std::function<void(const std::string& stream, const Absence&)> on_absence;  // following: as it is stated
  std::function<void(const MosaicProgress&)> on_progress;                     // once per frame
};

// Lays several streams out in a grid on one time axis, which is capture time: decoded, scaled, labelled and
// encoded again (H.264, AAC). At every instant a tile shows its stream's frame of that time or says since
// when there is no signal. A stream that is damaged, slow or gone has no influence on the others: what comes
// too late is counted. The same records and options make the same frames.
//
// Each stream is read and decoded on a thread of its own; pictures that wait are bounded by `max_bytes`.
// kNotFound: no such stream, or no footage of any; kInvalidArgument: a layout that does not hold the streams,
// or streams so far apart in time that the output would be empty for more than an hour. On any error there is
// no output file. `on_progress` is called on the caller's thread, the other events on any, one at a time.
Result<MosaicReport> make_mosaic(Log& log, const Clock& clock, const MosaicOptions& options,
                                 const MosaicEvents& events, StopToken stop);

}  // namespace gopline::aggregator
