#include "aggregator/recorder/recording_progress.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/record/stream_id.h"

namespace gopline::aggregator {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kEpochsRemembered = 64;  // as the assembler does
constexpr std::string_view kType = "gopline.recorded.v1";

void raise(EpochProgress& to, const EpochProgress& by) {
  to.segment = std::max(to.segment, by.segment);
  to.gap = std::max(to.gap, by.gap);
}

void forget_the_oldest(StreamProgress& progress) {
  while (progress.size() > kEpochsRemembered) progress.erase(progress.begin());
}

}  // namespace

RecordingProgress::RecordingProgress(Log& log, const Clock& clock, TopicPartition where, std::string group)
    : log_(log), clock_(clock), where_(where), group_(std::move(group)), scanner_(log, where, {}) {}

Result<std::unique_ptr<RecordingProgress>> RecordingProgress::open(Log& log, const Clock& clock,
                                                                   const std::string& topic_namespace,
                                                                   const std::string& group) {
  TopicPartition where{topic_namespace + ".recordings", PartitionId(0)};
  Retention newest_only;
  newest_only.compacted = true;
  GOPLINE_TRY(log.ensure_topic({where.topic, 1, newest_only}));
  std::unique_ptr<RecordingProgress> progress(new RecordingProgress(log, clock, where, group));
  GOPLINE_ASSIGN(progress->writer_, log.make_writer({}));
  GOPLINE_TRY(progress->refresh());
  return progress;
}

std::string RecordingProgress::key_of(const std::string& stream) const {
  return percent_encode(group_) + "/" + stream;
}

Result<void> RecordingProgress::refresh() {
  GOPLINE_ASSIGN(next_, scanner_.scan(next_, std::nullopt, [&](const StoredRecord& stored) {
    take(stored);
    return true;
  }));
  return {};
}

void RecordingProgress::take(const StoredRecord& stored) {
  auto prefix = key_of("");
  if (!stored.key.starts_with(prefix) || !stored.value) return;
  auto& progress = streams_[stored.key.substr(prefix.size())];
  auto bytes = stored.value->bytes();
  auto json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  try {
    for (const auto& epoch : json.at("epochs")) {
      raise(progress[EpochNumber(epoch.at("epoch").get<std::int64_t>())],
            {epoch.at("next_segment").get<std::int64_t>(), epoch.at("next_gap").get<std::int64_t>()});
    }
  } catch (const nlohmann::json::exception& error) {
    log_warning(stored.key, "the record at offset {} of {} cannot be used: {}", stored.offset, where_.topic,
                error.what());
  }
  forget_the_oldest(progress);
}

Result<void> RecordingProgress::advance(const std::string& stream, EpochNumber epoch, EpochProgress done,
                                        const std::string& file) {
  auto progress = of(stream);
  raise(progress[epoch], done);
  forget_the_oldest(progress);
  Json json{{"group", group_}, {"stream", stream}, {"file", file}, {"epochs", Json::array()}};
  for (const auto& [number, one] : progress) {
    json["epochs"].push_back({{"epoch", number.value}, {"next_segment", one.segment}, {"next_gap", one.gap}});
  }
  auto text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  NewRecord record;
  record.key = key_of(stream);
  record.value = BufferChain(Buffer::take(std::vector<std::uint8_t>(text.begin(), text.end())));
  record.headers = {{"ce_specversion", "1.0"},
                    {"ce_type", std::string(kType)},
                    {"ce_source", record::source_of_stream(stream)},
                    {"ce_id", random_uuid()},
                    {"ce_partitionkey", stream},
                    {"content-type", "application/json"}};
  record.timestamp = clock_.now();
  GOPLINE_TRY(writer_->append_and_wait(where_, std::move(record)));
  streams_[stream] = std::move(progress);
  return {};
}

}  // namespace gopline::aggregator
