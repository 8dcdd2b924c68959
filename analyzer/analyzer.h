#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/base/strong_int.h"
#include "common/media/frames/picture.h"
#include "common/media/frames/picture_converter.h"
#include "common/record/detection.h"

// What an analyzer is: docs/analyzers.md.
namespace gopline::analyzer {

// Which pictures of a stream an analyzer sees. What need not be decoded for them is not.
struct FrameChoice {
  enum class Kind {
    kAll,
    kKey,   // those that need no other
    kRate,  // so many a second: of every 1/rate seconds of the stream's timeline the first
  };
  Kind kind = Kind::kAll;
  Rational rate{0, 1};
  bool operator==(const FrameChoice&) const = default;
};

// What an analyzer wants to be given.
struct Wishes {
  FrameChoice frames;  // unless the operator says otherwise
  // ... and those of each of these: Frame::choices says of which a picture is. At most 31.
  std::vector<FrameChoice> more_frames;
  media::PictureWish picture;
  // Sound instead of pictures, all of it, as the source has it but for the number of channels (1 or 2).
  std::optional<int> sound_channels;
  // How much of a stream before a picture decides what is found in it. Who takes a stream over in the middle
  // shows the analyzer that much first, and lets nothing out.
  Duration warm_up{};
  // While it looks it waits for another process: who has several analyzers may let others look meanwhile.
  bool waits = false;
};

// A picture, or a piece of sound, and where it is. `picture` is as wished, `decoded` as the decoder gave it;
// both may share memory.
struct Frame {
  std::string stream;
  EpochNumber epoch;
  SegmentNumber segment;
  std::int64_t number = 0;  // in the segment: among the packets of its track, in decode order
  Rational pts;             // ticks/timescale, as the source has them
  Timestamp time;           // capture time
  Duration duration{};
  std::uint32_t choices = ~0U;  // bit 0: it is one of Wishes::frames; bit 1 + i: of more_frames[i]
  media::Picture picture, decoded;
  // Where sound was wished for: what comes out for one packet, interleaved.
  std::vector<float> samples;
  int sample_rate = 0;
};

// What an analyzer says at a frame. `object` is its own name for what it sees: an event starts with an object
// that is new, and ends once.
struct Finding {
  std::int64_t object = 0;
  record::EventPhase phase = record::EventPhase::kStart;
  std::string class_name;
  std::optional<double> score;
  std::optional<record::PictureBox> box;
  std::string zone, track;
  std::optional<Timestamp> started;  // where it began before the frame at which it is told
  std::string details;               // the text of a JSON object; empty: nothing
  // Who found it, where it is a part of the analyzer; outlives the sink.
  const record::AnalyzerIdentity* finder = nullptr;
  std::vector<std::string> incomplete;  // parts that were shown the frame and have not answered in time
};

class FindingSink {
 public:
  virtual ~FindingSink() = default;
  virtual void tell(Finding finding) = 0;
};

// What a part of an analyzer has seen.
struct StageCount {
  std::int64_t shown = 0;        // frames that it was given
  std::int64_t passed_over = 0;  // frames of its choice that another part kept from it
  std::int64_t missed = 0;       // frames at which it was late, or still busy with one before
};
using StageCounts = std::map<std::string, StageCount>;

// Looks at the pictures of one stream, in the order in which they are shown and without a hole: after a gap,
// in another epoch, or after an error a new one is made. Same pictures, same findings: no clock, no chance.
// One thread. Exceptions do not leave it.
class Analyzer {
 public:
  virtual ~Analyzer() = default;

  // An error means that this picture cannot be analyzed; the analyzer is not used any more.
  virtual Result<void> take(const Frame& frame, FindingSink& sink) = 0;
  // Nothing follows, for the stream does not go on here: what is open ends, at the newest frame.
  virtual Result<void> finish(FindingSink& sink) = 0;
  // What its parts have seen since the last call; of one without parts nothing.
  virtual StageCounts take_counts() { return {}; }
};

// Makes analyzers of one kind with one set of options. Thread-safe.
class AnalyzerKind {
 public:
  AnalyzerKind(record::AnalyzerIdentity identity, Wishes wishes)
      : identity_(std::move(identity)), wishes_(std::move(wishes)) {}
  virtual ~AnalyzerKind() = default;
  const record::AnalyzerIdentity& identity() const { return identity_; }
  const Wishes& wishes() const { return wishes_; }
  virtual Result<std::unique_ptr<Analyzer>> make(const std::string& stream) const = 0;
  // One that is shown pictures which have nothing to do with each other: after each it is asked to finish,
  // and then shown the next. kUnsupported: what it looks for takes more than one picture.
  virtual Result<std::unique_ptr<Analyzer>> make_for_stills() const {
    return fail(ErrorCode::kUnsupported,
                "{} looks for what happens from picture to picture: single pictures are for people, objects, "
                "exec and null",
                identity_.name);
  }

 private:
  const record::AnalyzerIdentity identity_;
  const Wishes wishes_;
};

}  // namespace gopline::analyzer
