#include "analyzer/event_book.h"

#include <algorithm>
#include <utility>

#include "common/base/logging.h"

namespace gopline::analyzer {
namespace {

constexpr int kThumbnailQuality = 8, kSmallestThumbnail = 80;
constexpr std::size_t kDigitsOfConfiguration = 8;

}  // namespace

EventBook::EventBook(record::AnalyzerIdentity analyzer, ThumbnailOptions thumbnails)
    : analyzer_(std::move(analyzer)),
      thumbnails_(thumbnails),
      jpeg_(kThumbnailQuality, thumbnails.most_width) {}

void EventBook::turn_to(const Frame& frame) {
  frame_ = frame;
  started_at_frame_.clear();
}

void EventBook::tell(Finding finding) {
  using record::EventPhase;
  auto found = open_.find(finding.object);
  const auto& finder = finding.finder ? *finding.finder : analyzer_;
  bool is_start = finding.phase == EventPhase::kStart;
  if (is_start == (found != open_.end())) return;  // begun twice, or never
  if (is_start) {
    OpenEvent event;
    event.name =
        fmt::format("{}-{}-{}-{}.{}-{}", frame_.epoch, frame_.segment, frame_.number, finder.name,
                    finder.configuration.substr(0, kDigitsOfConfiguration), started_at_frame_[finder.name]++);
    event.started = finding.started.value_or(frame_.time);
    found = open_.emplace(finding.object, std::move(event)).first;
  }
  record::Detection record;
  record.stream = frame_.stream;
  record.event = found->second.name;
  record.number = found->second.records++;
  record.phase = finding.phase;
  record.epoch = frame_.epoch;
  record.segment = frame_.segment;
  record.frame = frame_.number;
  record.pts = frame_.pts;
  record.time = frame_.time;
  record.started = found->second.started;
  record.class_name = std::move(finding.class_name);
  record.score = finding.score;
  record.box = finding.box;
  record.zone = std::move(finding.zone);
  record.track = std::move(finding.track);
  record.analyzer = finder;
  record.incomplete = std::move(finding.incomplete);
  record.details = std::move(finding.details);
  if (is_start) record.thumbnail = thumbnail();
  told_.push_back(std::move(record));
  if (finding.phase == EventPhase::kEnd) open_.erase(found);
}

std::optional<record::Thumbnail> EventBook::thumbnail() {
  if (thumbnails_.most_width == 0 || frame_.decoded.empty()) return std::nullopt;
  auto bytes = jpeg_.encode(frame_.decoded);
  if (!bytes) {
    log_warning(frame_.stream, "an event has no thumbnail: {}", bytes.error().message);
    return std::nullopt;
  }
  if (bytes->size() > thumbnails_.most_bytes && !thumbnails_.by_reference) return smaller_thumbnail();
  return record::Thumbnail{"image/jpeg", std::move(*bytes)};
}

std::optional<record::Thumbnail> EventBook::smaller_thumbnail() {
  for (int width = std::min(thumbnails_.most_width, frame_.decoded.width()) / 2; width >= kSmallestThumbnail;
       width /= 2) {
    auto bytes = media::JpegEncoder(kThumbnailQuality, width).encode(frame_.decoded);
    if (!bytes || bytes->size() > thumbnails_.most_bytes) continue;
    ++thumbnail_stats_.smaller;
    return record::Thumbnail{"image/jpeg", std::move(*bytes)};
  }
  ++thumbnail_stats_.left_out;
  return std::nullopt;
}

}  // namespace gopline::analyzer
