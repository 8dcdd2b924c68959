#include "server/clip_source.h"

#include <exception>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "aggregator/track_difference.h"
#include "common/base/text.h"
#include "common/bytes/digest.h"

namespace gopline::server {
namespace {

// Epochs with other tracks cannot follow in the same file.
Result<void> check_one_file(const aggregator::ReadPlan& plan, const std::string& stream) {
  const aggregator::PlannedEpoch* first = nullptr;
  for (const auto& epoch : plan.epochs) {
    if (!epoch.started) continue;
    if (!first) first = &epoch;
    auto other = aggregator::track_difference(first->started->marker.tracks, epoch.started->marker.tracks);
    if (other.empty()) continue;
    return fail(ErrorCode::kUnsupported,
                "{}: its tracks change at {}: {}; export what comes before and after apart", stream,
                epoch.segments.empty() ? "an epoch" : format_rfc3339(epoch.segments.begin()->second.time),
                other);
  }
  return {};
}

// Of all that decides the file's bytes.
std::string tag_of(const aggregator::ReadPlan& plan, const ClipRequest& request) {
  std::string text = fmt::format("{} {} {} {}", GOPLINE_VERSION, request.stream, format_rfc3339(request.from),
                                 format_rfc3339(request.to));
  for (const auto& epoch : plan.epochs) {
    for (const auto& [number, segment] : epoch.segments) {
      if (segment.unfinished) return "";
      text += fmt::format(" {}-{}:{}", epoch.number, number, segment.bytes);
      for (const auto& [chunk, offset] : segment.chunks) text += fmt::format(",{}", offset);
    }
  }
  std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return sha256_hex(bytes).substr(0, 32);
}

}  // namespace

Result<std::shared_ptr<ClipSource>> ClipSource::open(Log& log, payload::BlobSource& blobs,
                                                     const ClipRequest& request, Run run, StopToken stop) {
  aggregator::Selection selection;
  selection.topic_namespace = request.topic_namespace;
  selection.stream = request.stream;
  selection.epochs = aggregator::EpochSelection::all();
  selection.from = request.from;
  selection.to = request.to;
  GOPLINE_ASSIGN(auto reader, aggregator::StreamReader::open(log, selection, std::move(stop), &blobs));
  GOPLINE_TRY(check_one_file(reader->plan(), request.stream));
  return std::shared_ptr<ClipSource>(new ClipSource(std::move(reader), request, std::move(run)));
}

ClipSource::ClipSource(std::unique_ptr<aggregator::StreamReader> reader, const ClipRequest& request, Run run)
    : reader_(std::move(reader)), run_(std::move(run)), tag_(tag_of(reader_->plan(), request)) {
  for (const auto& epoch : reader_->plan().epochs) {
    for (const auto& [number, segment] : epoch.segments) expected_bytes_ += segment.bytes;
  }
  aggregator::SinkOptions options;
  options.output = "clip.mp4";
  options.format = "fmp4";
  options.live = true;  // what is made of a segment leaves with it
  options.shown_from = request.from;
  options.shown_to = request.to;
  options.write = [this](std::span<const std::uint8_t> bytes) {
    made_.insert(made_.end(), bytes.begin(), bytes.end());
    return true;
  };
  sink_ = aggregator::make_muxer_sink(std::move(options));
}

// The session asks for one piece at a time, so there is never more than one task.
void ClipSource::next(std::function<void(Piece)> done) {
  run_([self = shared_from_this(), done = std::move(done)] {
    try {
      done(self->make_piece());
    } catch (const std::exception& thrown) {
      done(fail(ErrorCode::kInternal, "{}", thrown.what()));
    }
  });
}

http::BodySource::Piece ClipSource::make_piece() {
  while (made_.empty() && !is_complete_) {
    GOPLINE_ASSIGN(auto item, reader_->next());
    if (item && facts_) note(*item);
    if (!item) {
      GOPLINE_TRY(sink_->finish());
      is_complete_ = true;
    } else if (const auto* epoch = std::get_if<aggregator::EpochBegin>(&*item)) {
      GOPLINE_TRY(sink_->begin_epoch(*epoch));
    } else if (const auto* segment = std::get_if<aggregator::SegmentData>(&*item)) {
      GOPLINE_TRY(sink_->write(*segment));
    } else {
      sink_->note_absence();
    }
  }
  if (made_.empty()) return std::nullopt;
  return BufferChain(Buffer::take(std::exchange(made_, {})));
}

void ClipSource::note(const aggregator::StreamItem& item) {
  if (const auto* epoch = std::get_if<aggregator::EpochBegin>(&item)) {
    facts_->epochs.push_back(epoch->started);
  } else if (const auto* absence = std::get_if<aggregator::Absence>(&item)) {
    facts_->gaps.push_back(*absence);
  } else if (const auto* segment = std::get_if<aggregator::SegmentData>(&item)) {
    facts_->segments.push_back(
        {segment->headers, segment->bytes.size(), sha256_hex(segment->bytes), segment->whole});
  }
}

Result<ClipFacts> ClipSource::survey(const Look& look) {
  facts_.emplace();
  Sha256 digest;
  for (;;) {
    GOPLINE_ASSIGN(auto piece, make_piece());
    if (!piece) break;
    facts_->size += piece->size();
    for (const auto& buffer : piece->buffers()) digest.update(buffer.bytes());
    if (look) GOPLINE_TRY(look(*piece, *facts_));
  }
  facts_->sha256 = digest.finish_hex();
  return std::move(*facts_);
}

std::string to_json(const ClipRequest& request, const ClipFacts& facts) {
  using Json = nlohmann::ordered_json;
  auto time = [](const std::optional<Timestamp>& at) { return at ? Json(format_rfc3339(*at)) : Json(); };
  Json json{{"stream", request.stream},
            {"from", format_rfc3339(request.from)},
            {"to", format_rfc3339(request.to)},
            {"program", "gopline " GOPLINE_VERSION},
            {"size", facts.size},
            {"sha256", facts.sha256},
            {"epochs", Json::array()},
            {"segments", Json::array()},
            {"gaps", Json::array()}};
  for (const auto& epoch : facts.epochs) {
    json["epochs"].push_back({{"epoch", epoch.epoch.value},
                              {"writer", epoch.marker.writer},
                              {"source", epoch.marker.source.name},
                              {"clock", record::to_string(epoch.marker.clock)},
                              {"started", format_rfc3339(epoch.marker.time)}});
  }
  for (const auto& [headers, size, sha256, whole] : facts.segments) {
    json["segments"].push_back({{"epoch", headers.epoch.value},
                                {"segment", headers.segment.value},
                                {"ordinal", headers.ordinal.value},
                                {"time", format_rfc3339(headers.time)},
                                {"clock", record::to_string(headers.clock)},
                                {"whole", whole},
                                {"size", size},
                                {"sha256", sha256}});
    if (headers.previous_sha256) json["segments"].back()["previous_sha256"] = *headers.previous_sha256;
  }
  for (const auto& gap : facts.gaps) {
    json["gaps"].push_back({{"from", time(gap.from)},
                            {"to", time(gap.to)},
                            {"cause", aggregator::to_string(gap.cause)},
                            {"segments", gap.segments}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gopline::server
