#include "bench/segments/workspace.h"

#include "common/catalog/topic_specs.h"
#include "common/record/topics.h"

namespace gopline::bench {

Result<std::unique_ptr<Workspace>> Workspace::make(const Places& places, std::string name, Kind kind,
                                                   std::int32_t partitions) {
  std::unique_ptr<Workspace> workspace(new Workspace(places, std::move(name)));
  GOPLINE_TRY(workspace->create(kind, partitions));
  return workspace;
}

std::string Workspace::topic() const {
  return record::topics_of(name_).segments;
}

Result<void> Workspace::create(Kind kind, std::int32_t partitions) {
  auto topics = record::topics_of(name_);
  topics_ = {topics.segments};  // before they are made: half of them may be there when it fails
  Result<TopicInfo> made;
  if (kind == Kind::kNamespace) {
    topics_ = {topics.segments, topics.index, topics.streams};
    made = catalog::ensure_topics(places_.log, topics, {partitions, {}});
  } else {
    made = places_.log.ensure_topic({topics.segments, partitions, {}});
  }
  if (!made) return fail_with_context("the benchmark's topics", std::move(made.error()));
  record_bytes_ = made->max_record_bytes;
  return {};
}

Workspace::~Workspace() {
  for (const auto& topic : topics_) remove_topic(topic);
  if (places_.blobs) remove_blobs();
}

void Workspace::remove_topic(const std::string& topic) {
  auto removed = another_ ? another_->delete_topic(topic) : places_.log.delete_topic(topic);
  if (!removed && removed.error().code == ErrorCode::kCancelled && !another_) {
    if (auto opened = places_.open_another()) {
      another_ = std::move(*opened);
      removed = another_->delete_topic(topic);
    }
  }
  if (!removed && removed.error().code != ErrorCode::kNotFound) {
    places_.tell(fmt::format("topic {} is left behind: {}", topic, removed.error().message));
  }
}

void Workspace::remove_blobs() {
  std::vector<std::string> keys;
  auto listed = places_.blobs->list(name_ + "/",
                                    [&](const payload::BlobInfo& blob) {
                                      keys.push_back(blob.key);
                                      return true;
                                    },
                                    {});
  for (const auto& key : keys) {
    if (!listed) break;
    if (auto removed = places_.blobs->remove(key, {}); !removed) listed = std::move(removed);
  }
  if (!listed) {
    places_.tell(fmt::format("payloads under {}/{} are left behind: {}", places_.blobs->describe(), name_,
                             listed.error().message));
  }
}

}  // namespace gopline::bench
