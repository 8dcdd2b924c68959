#include "common/log/kafka/client.h"

#include <algorithm>
#include <array>
#include <thread>

namespace gopline::kafka {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kFirstTurn = std::chrono::milliseconds(500);
constexpr auto kLongestTurn = std::chrono::seconds(4);
constexpr auto kBreather = std::chrono::milliseconds(20);
constexpr std::chrono::milliseconds kLearnTime{1000};
constexpr auto kSlice = std::chrono::milliseconds(100);

bool is_ours(std::string_view name) {
  return name.starts_with("gopline.");
}

Result<void> check_ours(const KafkaProperty& property) {
  constexpr std::array<std::string_view, 2> kOurs{"gopline.replication.factor", "gopline.max.message.bytes"};
  if (std::ranges::find(kOurs, property.name) != kOurs.end()) return {};
  return fail(ErrorCode::kInvalidArgument, "{}: there is no property '{}': gopline's own are {} and {}",
              property.origin, property.name, kOurs[0], kOurs[1]);
}

Result<void> set(rd_kafka_conf_t* conf, const KafkaProperty& property) {
  std::array<char, 512> why{};
  auto outcome =
      rd_kafka_conf_set(conf, property.name.c_str(), property.value.c_str(), why.data(), why.size());
  if (outcome == RD_KAFKA_CONF_OK) return {};
  if (outcome == RD_KAFKA_CONF_UNKNOWN) {
    return fail(ErrorCode::kInvalidArgument, "{}: librdkafka has no property '{}'", property.origin,
                property.name);
  }
  // librdkafka's words may repeat the value.
  std::string reason = why.data();
  if (auto at = property.value.empty() ? std::string::npos : reason.find(property.value);
      at != std::string::npos) {
    reason.replace(at, property.value.size(), "***");
  }
  return fail(ErrorCode::kInvalidArgument, "{}: property '{}': {}", property.origin, property.name, reason);
}

Result<void> refuse_other_value(const Setting& setting, const KafkaProperty& given) {
  if (given.value == setting.value) return {};
  return fail(ErrorCode::kInvalidArgument, "{}: '{}' is set by gopline to '{}', on which its promises rest",
              given.origin, setting.name, setting.value);
}

Result<ConfPtr> configure(const KafkaLogOptions& options, const std::vector<Setting>& settings) {
  ConfPtr conf(rd_kafka_conf_new());
  GOPLINE_TRY(set(conf.get(), {"bootstrap.servers", options.brokers, describe_cluster(options)}));
  // Metrics that a cluster asks for (KIP-714) are sent once more at the end, which can take a second.
  GOPLINE_TRY(set(conf.get(), {"enable.metrics.push", "false", "gopline"}));
  for (const auto& setting : settings) {
    GOPLINE_TRY(set(conf.get(), {setting.name, setting.value, "gopline"}));
  }
  for (const auto& property : options.properties) {
    if (is_ours(property.name)) {
      GOPLINE_TRY(check_ours(property));
      continue;
    }
    auto own = std::find_if(settings.begin(), settings.end(), [&](const auto& setting) {
      return setting.rule == Setting::Rule::kFixed && property.name == setting.name;
    });
    if (own != settings.end()) {
      GOPLINE_TRY(refuse_other_value(*own, property));
    } else {
      GOPLINE_TRY(set(conf.get(), property));
    }
  }
  return conf;
}

bool uses_tokens(const KafkaLogOptions& options) {
  return std::ranges::any_of(options.properties, [](const auto& property) {
    return property.name.starts_with("sasl.mechanism") && property.value == "OAUTHBEARER";
  });
}

}  // namespace

bool is_worth_asking_again(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
      return true;
    default:
      return false;
  }
}

const KafkaProperty* find_property(const KafkaLogOptions& options, std::string_view name) {
  auto found = std::find_if(options.properties.rbegin(), options.properties.rend(),
                            [&](const auto& property) { return property.name == name; });
  return found == options.properties.rend() ? nullptr : &*found;
}

std::string describe_cluster(const KafkaLogOptions& options) {
  return "kafka://" + options.brokers;
}

Client::Client(const KafkaLogOptions& options, ClientCallbacks callbacks)
    : options_(options), callbacks_(std::move(callbacks)), connection_(describe_cluster(options)) {}

Result<std::shared_ptr<Client>> Client::create(rd_kafka_type_t type, const KafkaLogOptions& options,
                                               const std::vector<Setting>& settings,
                                               ClientCallbacks callbacks) {
  GOPLINE_ASSIGN(auto conf, configure(options, settings));
  std::shared_ptr<Client> client(new Client(options, std::move(callbacks)));
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(),
                           [](const rd_kafka_t* rk, int level, const char* facility, const char* text) {
                             if (auto* self = static_cast<Client*>(rd_kafka_opaque(rk)))
                               self->connection_.on_log(level, facility, text);
                           });
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int error, const char* reason, void* self) {
    static_cast<Client*>(self)->connection_.on_error(static_cast<rd_kafka_resp_err_t>(error), reason);
  });
  if (client->callbacks_.on_delivery) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
      static_cast<Client*>(self)->callbacks_.on_delivery(*message);
    });
  }
  if (client->callbacks_.on_rebalance) {
    rd_kafka_conf_set_rebalance_cb(conf.get(), [](rd_kafka_t*, rd_kafka_resp_err_t error,
                                                  rd_kafka_topic_partition_list_t* partitions, void* self) {
      static_cast<Client*>(self)->callbacks_.on_rebalance(error, partitions);
    });
  }
  // Tokens are fetched and renewed by a thread of librdkafka's: nobody has to poll for that. Only where there
  // are tokens, since ending that thread takes a second.
  bool has_tokens = uses_tokens(options);
  if (has_tokens) rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
  std::array<char, 512> why{};
  client->handle_ = rd_kafka_new(type, conf.get(), why.data(), why.size());
  if (!client->handle_) {
    return fail(ErrorCode::kInvalidArgument, "{}: {}", describe_cluster(options), why.data());
  }
  (void)conf.release();  // rd_kafka_new has taken it over
  if (has_tokens) ErrorPtr no_background(rd_kafka_sasl_background_callbacks_enable(client->handle_));
  return client;
}

Result<void> Client::check(const KafkaLogOptions& options, const std::vector<Setting>& settings) {
  GOPLINE_TRY(configure(options, settings));
  return {};
}

Client::~Client() {
  // Without leaving a group: a reader that is in one has left before.
  if (handle_) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

Result<void> Client::may_go_on(std::string_view what, SteadyClock::time_point until) const {
  // A producer that nobody polls learns of refusals here; a consumer's poll would take records.
  if (rd_kafka_type(handle_) == RD_KAFKA_PRODUCER) rd_kafka_poll(handle_, 0);
  if (options_.stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", what);
  if (auto refusal = connection_.refusal()) return tl::unexpected<Error>(*refusal);
  if (SteadyClock::now() < until) return {};
  auto trouble = connection_.trouble();
  return fail(ErrorCode::kUnavailable, "{}: {}: no answer within {} s{}", describe_cluster(options_), what,
              std::chrono::duration_cast<std::chrono::seconds>(options_.patience).count(),
              trouble.empty() ? "" : " (" + trouble + ")");
}

Result<void> Client::ask(std::string_view what, const std::function<rd_kafka_resp_err_t(int)>& ask) const {
  auto until = SteadyClock::now() + options_.patience;
  auto turn = std::chrono::duration_cast<std::chrono::milliseconds>(kFirstTurn);
  for (;;) {
    auto error = ask(static_cast<int>(turn.count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (!is_worth_asking_again(error)) {
      return fail_kafka(error, fmt::format("{}: {}", describe_cluster(options_), what));
    }
    GOPLINE_TRY(may_go_on(what, until));
    // What is not ready yet answers at once.
    if (error != RD_KAFKA_RESP_ERR__TIMED_OUT) std::this_thread::sleep_for(kBreather);
    turn = std::min<std::chrono::milliseconds>(turn * 2, kLongestTurn);
  }
}

void Client::learn(const std::string& topic) {
  if (learnt_.contains(topic)) return;
  TopicPtr handle(rd_kafka_topic_new(handle_, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  auto error = rd_kafka_metadata(handle_, 0, handle.get(), &metadata, static_cast<int>(kLearnTime.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;  // then it asks in its own time
  rd_kafka_metadata_destroy(metadata);
  learnt_.insert(topic);
}

Result<EventPtr> Client::request(std::string_view what,
                                 const std::function<void(rd_kafka_queue_t*)>& send) const {
  auto until = SteadyClock::now() + options_.patience;
  for (;;) {
    QueuePtr queue(rd_kafka_queue_new(handle_));
    send(queue.get());
    GOPLINE_ASSIGN(auto event, wait_for(queue.get(), what));
    auto error = rd_kafka_event_error(event.get());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
    if (!is_worth_asking_again(error)) {
      return fail_kafka(error, fmt::format("{}: {}", describe_cluster(options_), what));
    }
    GOPLINE_TRY(may_go_on(what, until));
    std::this_thread::sleep_for(kBreather);
    find_controller();
  }
}

void Client::find_controller() const {
  const rd_kafka_metadata_t* metadata = nullptr;
  auto error = rd_kafka_metadata(handle_, 0, nullptr, &metadata, static_cast<int>(kLearnTime.count()));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(metadata);
}

Result<EventPtr> Client::wait_for(rd_kafka_queue_t* queue, std::string_view what) const {
  auto until = SteadyClock::now() + options_.patience;
  for (;;) {
    EventPtr event(rd_kafka_queue_poll(queue, static_cast<int>(kSlice.count())));
    if (event) return event;
    GOPLINE_TRY(may_go_on(what, until));
  }
}

}  // namespace gopline::kafka
