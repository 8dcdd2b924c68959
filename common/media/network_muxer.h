#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/media/types.h"

namespace gopline::media {

// A packet of an output's timeline: pts, dts and duration are microseconds since its zero.
struct LivePacket {
  Packet packet;
  bool discontinuity = false;  // something is missing before it, or it comes from another run
};

// A receiver in the network, and how it is to be spoken to.
struct NetworkTarget {
  std::string url;
  std::string name;                                          // for messages, without secrets
  std::string format;                                        // "mpegts", "flv" or "rtsp"
  std::vector<std::pair<std::string, std::string>> options;  // of the protocol or the container
  Duration patience = std::chrono::seconds(10);              // silent for so long is gone
};

// Which tracks the format has a word for that receivers know. MPEG-TS and FLV would take more, as private
// data that nobody can read.
std::vector<bool> tracks_for_network(const std::string& format, const std::vector<Track>& tracks);

// Whether this libavformat speaks the protocol: "srt", "rtmps"; "rtsp" is one here.
bool knows_protocol(const std::string& scheme);

// One connection to a receiver: packets -> container -> protocol, each packet on its way when write()
// returns. Blocking calls end when `stop` is asked for, and after the target's patience. After any error the
// connection is of no use. Not thread-safe.
//   MPEG-TS: parameter sets before every key frame; datagrams hold whole TS packets; at a discontinuity
//   discontinuity_indicator (ISO/IEC 13818-1, 2.4.3.5) is set where the next PCR is.
//   FLV: times begin at zero with every connection.
//   RTSP: ANNOUNCE, RECORD; `zero` is libavformat's start_time_realtime, by which it makes sender reports.
class NetworkMuxer {
 public:
  virtual ~NetworkMuxer() = default;  // closes without a farewell

  // Of `tracks`, those that tracks_for_network() says; packets of others must not be written. `zero`: capture
  // time of the timeline's zero. kUnavailable, kPermissionDenied, kNotFound: what the receiver says.
  // kInvalidArgument: an option that nobody knows. kCancelled: stopped.
  static Result<std::unique_ptr<NetworkMuxer>> connect(const NetworkTarget& target,
                                                       const std::vector<Track>& tracks, Timestamp zero,
                                                       StopToken stop);

  virtual Result<void> write(const LivePacket& packet) = 0;

  // Other tracks follow. False: this format can say so only in a new connection.
  virtual Result<bool> change_tracks(const std::vector<Track>& tracks) = 0;

  virtual void finish() = 0;  // says farewell, as far as the receiver listens
  virtual std::uint64_t bytes_written() const = 0;
};

}  // namespace gopline::media
