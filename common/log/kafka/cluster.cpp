#include "common/log/kafka/cluster.h"

#include <algorithm>
#include <array>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/log/kafka/topic_settings.h"

namespace gopline::kafka {
namespace {

constexpr std::uint64_t kDefaultMaxMessageBytes = 16 << 20;
constexpr std::uint64_t kBrokerDefaultMaxMessageBytes = 1'048'588;
constexpr int kMostReplicas = 3;
constexpr int kLookMs = 1000;
constexpr std::chrono::seconds kPropagation{10};  // of a new topic, to every broker of a busy cluster

std::string printable_settings(const TopicSettings& settings) {
  std::string out;
  for (const auto& [name, value] : settings) out += fmt::format(" --config {}={}", name, value);
  return out;
}

// The one topic result of a request about one topic.
Result<void> outcome_of(const rd_kafka_topic_result_t** topics, std::size_t count, std::string_view what) {
  for (std::size_t i = 0; i < count; ++i) {
    auto error = rd_kafka_topic_result_error(topics[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    auto failed = error_of(error, what);
    if (const char* text = rd_kafka_topic_result_error_string(topics[i])) {
      failed.message += fmt::format(": {}", text);
    }
    return tl::unexpected<Error>(std::move(failed));
  }
  return {};
}

// Asked again after that, of whoever is there then: librdkafka waits for the broker that it has chosen, even
// if that one is dead. Whatever is asked may be asked twice.
constexpr std::chrono::milliseconds kTurn = std::chrono::seconds(4);

AdminOptionsPtr admin_options(const Client& client, rd_kafka_admin_op_t operation) {
  AdminOptionsPtr options(rd_kafka_AdminOptions_new(client.handle(), operation));
  auto milliseconds =
      std::min(std::chrono::duration_cast<std::chrono::milliseconds>(client.options().patience), kTurn);
  std::array<char, 128> why{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(milliseconds.count()), why.data(),
                                            why.size());
  return options;
}

}  // namespace

Result<std::shared_ptr<Cluster>> Cluster::connect(const KafkaLogOptions& options) {
  // Asks without idempotence, for which a user who may only read has no right.
  GOPLINE_ASSIGN(auto client, Client::create(RD_KAFKA_PRODUCER, options,
                                             {{"client.id", "gopline"},
                                              {"enable.idempotence", "false"},
                                              {"reconnect.backoff.max.ms", "2000"},
                                              {"socket.keepalive.enable", "true"}}));
  std::shared_ptr<Cluster> cluster(new Cluster(std::move(client)));
  GOPLINE_TRY(cluster->broker_count());
  return cluster;
}

Result<int> Cluster::broker_count() const {
  int count = 0;
  GOPLINE_TRY(client_->ask("asking for its brokers", [&](int timeout_ms) {
    const rd_kafka_metadata_t* metadata = nullptr;
    auto error = rd_kafka_metadata(client_->handle(), 0, nullptr, &metadata, timeout_ms);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      count = metadata->broker_cnt;
      rd_kafka_metadata_destroy(metadata);
    }
    return error;
  }));
  return count;
}

Result<std::vector<std::string>> Cluster::list() {
  std::vector<std::string> names;
  GOPLINE_TRY(client_->ask("listing topics", [&](int timeout_ms) {
    const rd_kafka_metadata_t* metadata = nullptr;
    auto error = rd_kafka_metadata(client_->handle(), 1, nullptr, &metadata, timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const auto& topic = metadata->topics[i];
      std::string_view name = topic.topic;
      bool is_internal = name.starts_with("__");
      if (is_internal || is_unknown_topic(topic.err) || !name.starts_with(options().prefix)) continue;
      names.emplace_back(name.substr(options().prefix.size()));
    }
    rd_kafka_metadata_destroy(metadata);
    return error;
  }));
  return names;
}

// DescribeTopics, not Metadata: that would make the topic on a cluster that makes what it is asked for, and
// give the client a handle of the topic before its configuration is known.
Result<Cluster::Layout> Cluster::layout(const std::string& stored) const {
  const char* name = stored.c_str();
  TopicCollectionPtr topics(rd_kafka_TopicCollection_of_topic_names(&name, 1));
  auto options = admin_options(*client_, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
  auto what = fmt::format("describing topic {}", stored);
  GOPLINE_ASSIGN(auto event, client_->request(what, [&](rd_kafka_queue_t* queue) {
    rd_kafka_DescribeTopics(client_->handle(), topics.get(), options.get(), queue);
  }));
  std::size_t count = 0;
  const auto** described =
      rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event.get()), &count);
  if (count != 1) return fail(ErrorCode::kInternal, "{}: {} answers", what, count);
  if (const auto* error = rd_kafka_TopicDescription_error(described[0]);
      error && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (is_unknown_topic(rd_kafka_error_code(error))) {
      return fail(ErrorCode::kNotFound, "there is no topic {} on {}", stored,
                  describe_cluster(client_->options()));
    }
    return fail_kafka(rd_kafka_error_code(error), what);
  }
  const auto** partitions = rd_kafka_TopicDescription_partitions(described[0], &count);
  Layout out{static_cast<std::int32_t>(count), true};
  for (std::size_t i = 0; i < count; ++i) {
    out.has_leaders = out.has_leaders && rd_kafka_TopicPartitionInfo_leader(partitions[i]) != nullptr;
  }
  return out;
}

Result<TopicSettings> Cluster::configuration(const std::string& stored) const {
  ConfigResourcePtr resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, stored.c_str()));
  auto* raw = resource.get();
  auto options = admin_options(*client_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  auto what = fmt::format("reading the configuration of topic {}", stored);
  GOPLINE_ASSIGN(auto event, client_->request(what, [&](rd_kafka_queue_t* queue) {
    rd_kafka_DescribeConfigs(client_->handle(), &raw, 1, options.get(), queue);
  }));
  std::size_t count = 0;
  const auto** resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  TopicSettings settings;
  for (std::size_t i = 0; i < count; ++i) {
    if (auto error = rd_kafka_ConfigResource_error(resources[i]); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail_kafka(error, what);
    }
    std::size_t entries = 0;
    const auto** configs = rd_kafka_ConfigResource_configs(resources[i], &entries);
    for (std::size_t j = 0; j < entries; ++j) {
      const char* value = rd_kafka_ConfigEntry_value(configs[j]);
      if (value) settings[rd_kafka_ConfigEntry_name(configs[j])] = value;
    }
  }
  return settings;
}

Result<TopicFacts> Cluster::describe(const std::string& topic) {
  auto stored = stored_name(topic);
  Result<Layout> found;
  GOPLINE_TRY(client_->ask(fmt::format("describing topic {}", stored), [&](int) {
    found = layout(stored);
    bool is_new = !found && found.error().code == ErrorCode::kNotFound && was_there_lately(topic);
    return is_new ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : RD_KAFKA_RESP_ERR_NO_ERROR;
  }));
  if (!found) {
    forget(topic);
    return tl::unexpected<Error>(std::move(found.error()));
  }
  TopicFacts facts;
  facts.info.name = topic;
  facts.info.partitions = found->partitions;
  auto limit = kBrokerDefaultMaxMessageBytes;
  Result<TopicSettings> settings;
  // The broker that is asked may not have heard of a topic that another has just described, nor may the next.
  auto heard_by_all = std::chrono::steady_clock::now() + kPropagation;
  GOPLINE_TRY(client_->ask(fmt::format("reading the configuration of topic {}", stored), [&](int) {
    settings = configuration(stored);
    bool is_new = !settings && settings.error().code == ErrorCode::kNotFound &&
                  std::chrono::steady_clock::now() < heard_by_all;
    return is_new ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : RD_KAFKA_RESP_ERR_NO_ERROR;
  }));
  if (settings) {
    facts.info.retention = retention_of(*settings);
    facts.compression = (*settings)["compression.type"];
    if (auto bytes = parse_int64((*settings)["max.message.bytes"]))
      limit = static_cast<std::uint64_t>(*bytes);
  } else if (settings.error().code == ErrorCode::kPermissionDenied) {
    log_debug(topic, "{}: taking Kafka's default limit of a record, {} bytes", settings.error().message,
              limit);
  } else {
    return tl::unexpected<Error>(std::move(settings.error()));
  }
  facts.info.max_record_bytes = record_limit(limit);
  std::lock_guard lock(mutex_);
  known_[topic] = facts;
  first_seen_.try_emplace(topic, std::chrono::steady_clock::now());
  return facts;
}

// Whether a broker knew the topic, for the first time and a moment ago: another may not have heard of it yet.
bool Cluster::was_there_lately(const std::string& topic) {
  std::lock_guard lock(mutex_);
  auto found = first_seen_.find(topic);
  if (found == first_seen_.end()) return false;
  if (std::chrono::steady_clock::now() < found->second + kPropagation) return true;
  first_seen_.erase(found);  // then it is gone, and may be made anew
  return false;
}

Result<TopicFacts> Cluster::known_topic(const std::string& topic) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = known_.find(topic); found != known_.end()) return found->second;
  }
  return describe(topic);
}

void Cluster::forget(const std::string& topic) {
  std::lock_guard lock(mutex_);
  known_.erase(topic);
}

Result<TopicSettings> Cluster::settings_for(const TopicSpec& spec) const {
  TopicLimits limits;
  GOPLINE_ASSIGN(auto brokers, broker_count());
  limits.replicas = std::min(brokers, kMostReplicas);
  limits.max_message_bytes = kDefaultMaxMessageBytes;
  auto number = [&](std::string_view name, auto& value) -> Result<void> {
    const auto* property = find_property(options(), name);
    if (!property) return {};
    auto parsed = parse_int64(property->value);
    if (!parsed || *parsed <= 0) {
      return fail(ErrorCode::kInvalidArgument, "{}: {} is a whole number above 0", property->origin, name);
    }
    value = static_cast<std::decay_t<decltype(value)>>(*parsed);
    return {};
  };
  GOPLINE_TRY(number("gopline.replication.factor", limits.replicas));
  GOPLINE_TRY(number("gopline.max.message.bytes", limits.max_message_bytes));
  auto settings = settings_of(spec, limits);
  settings["replication.factor"] = std::to_string(limits.replicas);
  return settings;
}

Result<void> Cluster::create(const TopicSpec& spec) {
  auto stored = stored_name(spec.name);
  GOPLINE_ASSIGN(auto settings, settings_for(spec));
  auto replicas = static_cast<int>(parse_int64(settings.extract("replication.factor").mapped()).value_or(1));
  std::array<char, 256> why{};
  NewTopicPtr topic(rd_kafka_NewTopic_new(stored.c_str(), spec.partitions, replicas, why.data(), why.size()));
  if (!topic) return fail(ErrorCode::kInvalidArgument, "topic '{}': {}", stored, why.data());
  for (const auto& [name, value] : settings) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  auto* raw = topic.get();
  auto options = admin_options(*client_, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  auto what = fmt::format("making topic {}", stored);
  GOPLINE_ASSIGN(auto event, client_->request(what, [&](rd_kafka_queue_t* queue) {
    rd_kafka_CreateTopics(client_->handle(), &raw, 1, options.get(), queue);
  }));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  auto made = outcome_of(results, count, what);
  if (!made && made.error().code == ErrorCode::kPermissionDenied) {
    return fail(
        ErrorCode::kPermissionDenied,
        "topic {} is missing and this user may not make it; somebody who may: kafka-topics.sh --create "
        "--topic {} --partitions {} --replication-factor {}{}",
        stored, stored, spec.partitions, replicas, printable_settings(settings));
  }
  // Somebody else was quicker.
  if (!made && made.error().code != ErrorCode::kConflict) return made;
  return wait_for_leaders(spec.name, 1);
}

Result<void> Cluster::wait_for_leaders(const std::string& topic, std::int32_t partitions) const {
  auto stored = stored_name(topic);
  return client_->ask(fmt::format("waiting for leaders of topic {}", stored), [&](int) {
    auto found = layout(stored);
    bool is_ready = found && found->has_leaders && found->partitions >= partitions;
    return is_ready ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  });
}

Result<TopicFacts> Cluster::describe_new(const std::string& topic) {
  Result<TopicFacts> facts = describe(topic);
  // Each broker hears of it in its own time.
  GOPLINE_TRY(client_->ask(fmt::format("describing the new topic {}", stored_name(topic)), [&](int) {
    if (!facts && facts.error().code == ErrorCode::kNotFound) facts = describe(topic);
    bool is_missing = !facts && facts.error().code == ErrorCode::kNotFound;
    return is_missing ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : RD_KAFKA_RESP_ERR_NO_ERROR;
  }));
  return facts;
}

Result<void> Cluster::add_partitions(const std::string& topic, std::int32_t partitions) {
  auto stored = stored_name(topic);
  std::array<char, 256> why{};
  NewPartitionsPtr request(rd_kafka_NewPartitions_new(stored.c_str(), static_cast<std::size_t>(partitions),
                                                      why.data(), why.size()));
  if (!request) return fail(ErrorCode::kInvalidArgument, "topic '{}': {}", stored, why.data());
  auto* raw = request.get();
  auto options = admin_options(*client_, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
  auto what = fmt::format("adding partitions to topic {}", stored);
  GOPLINE_ASSIGN(auto event, client_->request(what, [&](rd_kafka_queue_t* queue) {
    rd_kafka_CreatePartitions(client_->handle(), &raw, 1, options.get(), queue);
  }));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event.get()), &count);
  GOPLINE_TRY(outcome_of(results, count, what));
  forget(topic);
  return wait_for_leaders(topic, partitions);
}

Result<void> Cluster::remove(const std::string& topic) {
  auto stored = stored_name(topic);
  DeleteTopicPtr request(rd_kafka_DeleteTopic_new(stored.c_str()));
  auto* raw = request.get();
  auto options = admin_options(*client_, RD_KAFKA_ADMIN_OP_DELETETOPICS);
  auto what = fmt::format("deleting topic {}", stored);
  GOPLINE_ASSIGN(auto event, client_->request(what, [&](rd_kafka_queue_t* queue) {
    rd_kafka_DeleteTopics(client_->handle(), &raw, 1, options.get(), queue);
  }));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  {
    std::lock_guard lock(mutex_);
    known_.erase(topic);
    first_seen_.erase(topic);
  }
  GOPLINE_TRY(outcome_of(results, count, what));
  return wait_until_gone(topic);
}

// Each broker hears of it in its own time.
Result<void> Cluster::wait_until_gone(const std::string& topic) {
  Result<std::vector<std::string>> names;
  GOPLINE_TRY(client_->ask(fmt::format("waiting for the end of topic {}", stored_name(topic)), [&](int) {
    names = list();
    bool is_there = names && std::ranges::find(*names, topic) != names->end();
    return is_there ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : RD_KAFKA_RESP_ERR_NO_ERROR;
  }));
  if (!names) return tl::unexpected<Error>(std::move(names.error()));
  return {};
}

// A leader that has died is asked for ever unless somebody looks who leads now; and a topic that is new or
// gone is one that not every broker has heard of.
Result<bool> Cluster::look_again(const std::vector<Question>& questions, rd_kafka_resp_err_t error) {
  for (const auto& question : questions) {
    auto stored = stored_name(question.where.topic);
    if (is_unknown_topic(error)) {
      auto described = describe(question.where.topic);
      if (!described && described.error().code == ErrorCode::kNotFound) {
        return tl::unexpected<Error>(std::move(described.error()));
      }
    }
    TopicPtr handle(rd_kafka_topic_new(client_->handle(), stored.c_str(), nullptr));
    const rd_kafka_metadata_t* metadata = nullptr;
    auto looked = rd_kafka_metadata(client_->handle(), 0, handle.get(), &metadata, kLookMs);
    if (looked == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(metadata);
  }
  return is_unknown_topic(error);
}

Result<std::vector<Offset>> Cluster::offsets_at(const std::vector<Question>& questions) {
  PartitionListPtr list;
  std::optional<Error> gone;
  auto ask = [&](int timeout_ms) {
    list.reset(rd_kafka_topic_partition_list_new(static_cast<int>(questions.size())));
    for (const auto& question : questions) {
      auto* item = rd_kafka_topic_partition_list_add(list.get(), stored_name(question.where.topic).c_str(),
                                                     question.where.partition.value);
      item->offset = question.time_ms;
    }
    auto error = rd_kafka_offsets_for_times(client_->handle(), list.get(), timeout_ms);
    for (int i = 0; error == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; ++i) error = list->elems[i].err;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    auto again = look_again(questions, error);
    if (!again) gone = std::move(again.error());
    return again && *again ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : error;
  };
  auto asked = client_->ask(fmt::format("asking for offsets of {}", questions.front().where.topic), ask);
  if (gone) return tl::unexpected<Error>(std::move(*gone));
  GOPLINE_TRY(asked);
  std::vector<Offset> out;
  std::vector<Question> missing;
  for (int i = 0; i < list->cnt; ++i) {
    out.emplace_back(list->elems[i].offset);
    if (list->elems[i].offset < 0) missing.push_back({questions[static_cast<std::size_t>(i)].where, kLatest});
  }
  if (missing.empty()) return out;
  // No record is that young: the end.
  if (std::ranges::all_of(questions, [](const auto& q) { return q.time_ms == kLatest; })) {
    return fail(ErrorCode::kInternal, "{}: no end of {}", describe_cluster(options()),
                missing[0].where.topic);
  }
  GOPLINE_ASSIGN(auto ends, offsets_at(missing));
  auto next = ends.begin();
  for (auto& offset : out) {
    if (offset.value < 0) offset = *next++;
  }
  return out;
}

}  // namespace gopline::kafka
