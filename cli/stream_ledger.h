#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/verify_report.h"
#include "common/record/chunk_assembler.h"

namespace gopline::cli {

// What the records of one segment said: what its index entry must repeat.
struct SegmentFacts {
  record::SegmentHeaders headers;
  std::vector<Offset> offsets;
  std::optional<std::string> init_xxh3;  // of the bytes; nullopt: they could not be read
  std::vector<record::IndexPart> parts;
};

// Books what comes out of the assembler, in the log's order, and holds it to the numbering of
// docs/record-format.md, section 4: segments 0, 1, 2 ... without holes within an epoch, ordinals without
// holes over all epochs, time that does not go back, epochs that end with what they counted. Everything it
// objects to goes into the report.
class StreamLedger {
 public:
  explicit StreamLedger(VerifyReport& report, std::string topic)
      : report_(report), topic_(std::move(topic)) {}

  // `at`: the record that brought the event about; nullopt: the end of what is read.
  void take(record::AssemblerEvent event, std::optional<Offset> at);
  void finish();  // after the last event

  struct Epoch {
    std::optional<record::StartedEpoch> started;
    std::optional<record::EpochEnded> ended;
    SegmentNumber next{0};
    std::optional<Rational> end;  // of the newest segment, media time
    std::int64_t segments = 0;    // whole
    std::uint64_t bytes = 0;      // of those
    std::vector<std::pair<SegmentNumber, SegmentNumber>>
        absent;  // first and last: damaged or missing, and reported
    bool late = false;

    bool is_absent(SegmentNumber segment) const;
    std::int64_t absent_count() const;
  };

  const std::map<EpochNumber, Epoch>& epochs() const { return epochs_; }
  const std::map<std::pair<EpochNumber, SegmentNumber>, SegmentFacts>& segments() const { return segments_; }
  std::optional<Ordinal> last_ordinal() const { return last_ordinal_; }
  std::optional<Offset> last_offset() const { return last_offset_; }  // of a whole segment's chunk

 private:
  void book(record::AssembledSegment segment);
  void book(const record::OpenChunk&) {}  // what becomes of its segment is told
  void book(const record::LostSegment& segment, std::optional<Offset> at);
  void book(record::StartedEpoch epoch);
  void book(const record::EndedEpoch& epoch);
  void book(const record::WrittenGap& gap);
  void book(const record::BadRecord& bad);

  std::string playable(const record::LostSegment& segment) const;
  void check_numbers(const record::SegmentHeaders& headers, std::optional<Offset> offset, bool late);
  void check_content(const record::AssembledSegment& segment, SegmentFacts& facts);
  void object(std::string kind, const record::SegmentHeaders& headers, std::optional<Offset> offset,
              std::string message);

  VerifyReport& report_;
  const std::string topic_;
  std::map<EpochNumber, Epoch> epochs_;
  std::map<std::pair<EpochNumber, SegmentNumber>, SegmentFacts> segments_;
  std::optional<Ordinal> last_ordinal_;
  std::optional<Offset> last_offset_;
  std::int64_t last_discontinuities_ = 0;
};

}  // namespace gopline::cli
