#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/bytes/digest.h"

namespace gopline::cli {

// A picture, or a piece of sound, in a fragmented MP4 file.
struct ClipSample {
  std::int64_t dts = 0, pts = 0;  // ticks of its track
  std::uint64_t offset = 0;       // in the file
  std::uint32_t size = 0;
  std::string sha256;
};

struct ClipTrack {
  std::uint32_t id = 0;
  std::uint32_t timescale = 1;
  std::string handler;             // "vide", "soun"
  std::string description;         // digest of what decoders and players go by: sample entries, edit list
  std::deque<ClipSample> samples;  // those not yet taken away
};

// Takes a fragmented MP4 file apart that comes piece by piece: its tracks, and each sample's times and
// digest. Keeps no payload, so the length of the file costs nothing. What comes may have been tampered with.
class ClipSamples {
 public:
  void add(std::span<const std::uint8_t> bytes);  // they follow those before

  std::map<std::uint32_t, ClipTrack>& tracks() { return tracks_; }  // by ID
  std::uint64_t samples() const { return count_; }                  // so far
  // Where it stopped being a fragmented MP4 file; nothing behind that is read.
  std::optional<std::uint64_t> broken_at() const { return broken_at_; }

 private:
  struct Expected {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t track = 0;
    std::int64_t dts = 0, pts = 0;
  };
  bool begin_box();
  void end_box();
  void read_moov(std::span<const std::uint8_t> moov);
  void read_moof(std::span<const std::uint8_t> moof, std::uint64_t at);
  bool read_traf(std::span<const std::uint8_t> traf, std::uint64_t moof_at);
  void take_payload(std::span<const std::uint8_t> bytes);

  std::vector<std::uint8_t> held_;  // a header that is not whole yet; or a moov or moof
  std::string type_;                // of the box in hand; empty: a header comes next
  std::uint64_t box_at_ = 0, box_header_ = 0, left_ = 0;
  std::uint64_t at_ = 0;  // in the file
  std::optional<std::uint64_t> broken_at_;
  std::map<std::uint32_t, ClipTrack> tracks_;
  std::map<std::uint32_t, std::uint32_t> default_durations_, default_sizes_;  // trex
  std::deque<Expected> expected_;   // samples of the newest moof, by where they lie
  std::unique_ptr<Sha256> digest_;  // of the first of these, as far as it has come
  std::uint64_t count_ = 0;
};

}  // namespace gopline::cli
