#include "analyzer/requests/answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/mark.h"
#include "common/base/text.h"
#include "common/media/frames/jpeg.h"

namespace gopline::analyzer {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostHeaderBytes = 64 << 10;  // of the words beside a picture
constexpr std::uint64_t kLeastPictureBytes = 1 << 10;
constexpr int kQuality = 3;

ordered_json json_of(const Finding& finding) {
  ordered_json json{{"class", finding.class_name}};
  json["score"] = finding.score ? ordered_json(*finding.score) : ordered_json();
  json["box"] = nullptr;
  if (const auto& box = finding.box)
    json["box"] = {{"x", box->x}, {"y", box->y}, {"width", box->width}, {"height", box->height}};
  json["zone"] = finding.zone.empty() ? ordered_json() : ordered_json(finding.zone);
  json["details"] =
      finding.details.empty() ? ordered_json() : ordered_json::parse(finding.details, nullptr, false);
  return json;
}

}  // namespace

DetectionWords words_of(const std::vector<Finding>& findings, std::size_t most_bytes) {
  std::vector<const Finding*> order;
  for (const auto& one : findings) order.push_back(&one);
  std::ranges::stable_sort(
      order, [](const Finding* a, const Finding* b) { return a->score.value_or(1) > b->score.value_or(1); });
  DetectionWords words{"[", 0};
  for (const auto* one : order) {
    auto text = json_of(*one).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    if (words.json.size() + text.size() + 2 > most_bytes) {
      ++words.left_out;
      continue;
    }
    if (words.json.size() > 1) words.json += ",";
    words.json += text;
  }
  words.json += "]";
  return words;
}

Result<std::unique_ptr<AnswerWriter>> AnswerWriter::open(record::AnalyzerIdentity analyzer) {
  GOPLINE_ASSIGN(auto pen, media::MarkerPen::open());
  return std::unique_ptr<AnswerWriter>(new AnswerWriter(std::move(analyzer), std::move(pen)));
}

NewRecord AnswerWriter::beginning(const PictureRequest& request, const RequestPlace& place,
                                  std::string_view status, Timestamp now) const {
  NewRecord record;
  record.key = request.subject;
  record.timestamp = now;
  record.headers = {
      {"ce_specversion", "1.0"},
      {"ce_type", kAnswerType},
      {"ce_source", "/gopline/" + percent_encode(place.where.topic)},
      {"ce_id", fmt::format("answer-{}-{}-{}", place.where.partition, place.offset, analyzer_.configuration)},
      {kStatus, std::string(status)},
      {"analyzer", fmt::format("{} {} {}", analyzer_.name, analyzer_.version, analyzer_.configuration)}};
  record.headers.insert(record.headers.end(), request.correlation.begin(), request.correlation.end());
  return record;
}

Result<NewRecord> AnswerWriter::done(const PictureRequest& request, const RequestPlace& place,
                                     const SeenPicture& seen, std::uint64_t max_record_bytes, Timestamp now) {
  auto record = beginning(request, place, "done", now);
  record.headers.push_back({"width", std::to_string(seen.picture.width())});
  record.headers.push_back({"height", std::to_string(seen.picture.height())});
  auto room = std::min<std::uint64_t>(max_record_bytes / 4, kMostHeaderBytes);
  auto words = words_of(seen.findings, static_cast<std::size_t>(room));
  if (words.left_out > 0) record.headers.push_back({"detections-left-out", std::to_string(words.left_out)});
  if (!request.wants_picture) {
    record.headers.push_back({"content-type", "application/json"});
    record.value = BufferChain(Buffer::copy(words.json));
    return record;
  }
  std::uint64_t taken = record.key.size() + words.json.size() + kLeastPictureBytes;
  for (const auto& header : record.headers) taken += header.name.size() + header.value.size() + 8;
  GOPLINE_ASSIGN(auto picture, draw(seen, max_record_bytes > taken ? max_record_bytes - taken : 0));
  record.headers.push_back({"content-type", "image/jpeg"});
  record.headers.push_back({kDetections, std::move(words.json)});
  record.value = BufferChain(std::move(picture));
  return record;
}

Result<Buffer> AnswerWriter::draw(const SeenPicture& seen, std::uint64_t most_bytes) {
  std::vector<media::Mark> marks;
  for (const auto& finding : seen.findings)
    marks.push_back(mark_of(finding.class_name, finding.zone, finding.score, finding.box));
  GOPLINE_ASSIGN(auto drawn, pen_->draw(seen.picture, marks));
  constexpr int kSmallest = 160;
  for (int width = drawn.width();; width /= 2) {
    GOPLINE_ASSIGN(auto bytes, media::JpegEncoder(kQuality, width).encode(drawn));
    if (bytes.size() <= most_bytes) return bytes;
    if (width / 2 < kSmallest)
      return fail(ErrorCode::kTooLarge,
                  "the picture does not fit into a record of the reply topic ({} bytes)", most_bytes);
  }
}

NewRecord AnswerWriter::failed(const PictureRequest& request, const RequestPlace& place, const Error& error,
                               Timestamp now) const {
  auto record = beginning(request, place, "failed", now);
  record.headers.push_back({kError, error.message});
  record.value = BufferChain();
  return record;
}

}  // namespace gopline::analyzer
