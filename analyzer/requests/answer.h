#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "analyzer/requests/request.h"
#include "analyzer/requests/still_look.h"
#include "common/media/frames/marker_pen.h"

namespace gopline::analyzer {

// A request's place in its topic: an answer has its name from it, whoever gives it.
struct RequestPlace {
  TopicPartition where;
  Offset offset;
};

// Makes the records that go back. Not thread-safe.
class AnswerWriter {
 public:
  // kNotFound: there is no font.
  static Result<std::unique_ptr<AnswerWriter>> open(record::AnalyzerIdentity analyzer);

  // A JPEG with what was seen drawn into it (smaller, where the topic does not take it as it is), and the
  // words in the header `detections`; or these alone, as the value.
  Result<NewRecord> done(const PictureRequest& request, const RequestPlace& place, const SeenPicture& seen,
                         std::uint64_t max_record_bytes, Timestamp now);
  NewRecord failed(const PictureRequest& request, const RequestPlace& place, const Error& error,
                   Timestamp now) const;

 private:
  AnswerWriter(record::AnalyzerIdentity analyzer, std::unique_ptr<media::MarkerPen> pen)
      : analyzer_(std::move(analyzer)), pen_(std::move(pen)) {}
  NewRecord beginning(const PictureRequest& request, const RequestPlace& place, std::string_view status,
                      Timestamp now) const;
  Result<Buffer> draw(const SeenPicture& seen, std::uint64_t most_bytes);

  const record::AnalyzerIdentity analyzer_;
  std::unique_ptr<media::MarkerPen> pen_;
};

// A JSON array of what was seen, in the words of events (docs/record-format.md, "Events"); no more of it than
// fits: the best first, and how many were left out.
struct DetectionWords {
  std::string json;
  std::int64_t left_out = 0;
};
DetectionWords words_of(const std::vector<Finding>& findings, std::size_t most_bytes);

}  // namespace gopline::analyzer
