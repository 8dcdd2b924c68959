#include "common/catalog/event_feed.h"

#include <fnmatch.h>

#include <algorithm>

#include "common/base/headers.h"
#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/record/event_type.h"

namespace gopline::catalog {
namespace {

constexpr std::size_t kIdsRemembered = 16384;

}  // namespace

Result<EventFeed> EventFeed::open(Log& log, const record::Topics& topics, EventQuery query) {
  EventFeed feed(log, topics.events);
  feed.query_ = std::move(query);
  GOPLINE_ASSIGN(feed.reader_, log.make_reader({}));
  GOPLINE_TRY(feed.attach());
  feed.query_.from_now_on = false;  // a topic that is made later is new from its beginning
  return feed;
}

Result<void> EventFeed::attach() {
  auto info = log_->describe_topic(topic_);
  if (!info && info.error().code == ErrorCode::kNotFound) return {};
  if (!info) return tl::unexpected<Error>(std::move(info.error()));
  std::vector<std::pair<TopicPartition, StartPosition>> partitions;
  for (std::int32_t i = 0; i < info->partitions; ++i) {
    TopicPartition where{topic_, PartitionId(i)};
    GOPLINE_ASSIGN(auto kept, log_->offsets(where));
    ends_[where] = kept.end;
    auto start = query_.from_now_on ? StartPosition::at(kept.end) : StartPosition::beginning();
    partitions.emplace_back(where, start);
  }
  return reader_->assign(partitions);
}

bool EventFeed::is_past_the_start() const {
  return std::ranges::all_of(ends_, [&](const auto& end) {
    auto position = reader_->position(end.first);
    return position && *position >= end.second;
  });
}

void EventFeed::wakeup() {
  reader_->wakeup();
}

// By its headers alone: what is not asked for is not parsed.
bool EventFeed::is_wanted(const StoredRecord& stored) const {
  auto type = record::event_type_of(stored.headers);
  if (type && *type != record::EventType::kDetection) return false;
  bool named = query_.patterns.empty() || std::ranges::any_of(query_.patterns, [&](const auto& pattern) {
                 return ::fnmatch(pattern.c_str(), stored.key.c_str(), 0) == 0;
               });
  if (!named) return false;
  auto header = [&](std::string_view name) { return find_header(stored.headers, name).value_or(""); };
  if (!query_.class_name.empty() && header("ce_class") != query_.class_name) return false;
  if (!query_.analyzer.empty() && header("ce_analyzer") != query_.analyzer) return false;
  auto time = parse_rfc3339(header("ce_time"));
  if (!time) return true;  // the parser will say what is wrong with it
  return (!query_.from || *time >= *query_.from) && (!query_.to || *time < *query_.to);
}

bool EventFeed::is_new(const StoredRecord& stored) {
  auto& seen = seen_[stored.where.partition];
  auto id = stored.key + "\n" + std::string(find_header(stored.headers, "ce_id").value_or(""));
  if (!seen.ids.insert(id).second) {
    ++repeated_;
    return false;
  }
  seen.order.push_back(std::move(id));
  if (seen.order.size() > kIdsRemembered) {
    seen.ids.erase(seen.order.front());
    seen.order.pop_front();
  }
  return true;
}

Result<std::vector<record::Detection>> EventFeed::poll(Duration max_wait) {
  std::vector<record::Detection> events;
  if (ends_.empty()) GOPLINE_TRY(attach());
  GOPLINE_ASSIGN(auto records, reader_->poll(max_wait));
  for (const auto& stored : records) {
    if (!is_wanted(stored) || !is_new(stored)) continue;
    auto event = stored.damage || !stored.value
                     ? Result<record::Detection>(fail(ErrorCode::kCorrupt, "its bytes are damaged"))
                     : record::parse_detection(stored.headers, *stored.value);
    if (event) {
      events.push_back(std::move(*event));
      continue;
    }
    ++unreadable_;
    log_warning(stored.key, "event at offset {}: {}", stored.offset, event.error().message);
  }
  return events;
}

}  // namespace gopline::catalog
