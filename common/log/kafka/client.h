#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/log/kafka/connection_state.h"
#include "common/log/kafka/handles.h"
#include "common/log/kafka/kafka_log.h"

namespace gopline::kafka {

// A property with the value we give it, and whether the user's may stand in its place.
struct Setting {
  const char* name;
  std::string value;
  enum class Rule {
    kDefault,  // the user's own wins
    kFixed     // what gopline promises rests on it: another value is refused
  } rule = Rule::kDefault;
};

// What librdkafka calls back; from the thread that polls the client.
struct ClientCallbacks {
  std::function<void(const rd_kafka_message_t&)> on_delivery;
  std::function<void(rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*)> on_rebalance;
};

// A producer or consumer of librdkafka with its configuration. Thread-safe as librdkafka is.
class Client {
 public:
  // kInvalidArgument names the property and where it was set.
  static Result<std::shared_ptr<Client>> create(rd_kafka_type_t type, const KafkaLogOptions& options,
                                                const std::vector<Setting>& settings,
                                                ClientCallbacks callbacks = {});
  // The same checks, without a client.
  static Result<void> check(const KafkaLogOptions& options, const std::vector<Setting>& settings);
  ~Client();

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  const ConnectionState& connection() const { return connection_; }
  const KafkaLogOptions& options() const { return options_; }

  // Asks the cluster with `ask(time-out in ms)` until it answers anything but a time-out or a lost
  // connection: in turns that grow, so that stopping is prompt and a slow broker is still heard out.
  // kUnavailable after the options' patience, kCancelled when they say stop, kPermissionDenied when the login
  // is refused.
  Result<void> ask(std::string_view what, const std::function<rd_kafka_resp_err_t(int)>& ask) const;

  // Has the client learn where the partitions of a topic are: left to itself it asks for a topic that is new
  // to it once a second. Not thread-safe.
  void learn(const std::string& topic);

  // Waits for the answer to a request on its queue, with the same ends.
  Result<EventPtr> wait_for(rd_kafka_queue_t* queue, std::string_view what) const;

  // Sends a request, which answers on the queue it is given, until it is answered by anything but a lost
  // connection or a broker that is only just coming up; with the same ends. fail_kafka() of what is answered
  // instead. Sending twice must do no harm.
  Result<EventPtr> request(std::string_view what, const std::function<void(rd_kafka_queue_t*)>& send) const;

 private:
  Client(const KafkaLogOptions& options, ClientCallbacks callbacks);
  // What ends a wait besides the answer.
  Result<void> may_go_on(std::string_view what, std::chrono::steady_clock::time_point until) const;
  // librdkafka sends requests to the controller that its newest metadata names, be it dead since, and a
  // client without topics asks for no metadata by itself.
  void find_controller() const;

  KafkaLogOptions options_;
  ClientCallbacks callbacks_;
  ConnectionState connection_;
  rd_kafka_t* handle_ = nullptr;
  std::set<std::string> learnt_;
};

// An answer that time alone may change.
bool is_worth_asking_again(rd_kafka_resp_err_t error);

// The value the user gave to a property; the last one wins.
const KafkaProperty* find_property(const KafkaLogOptions& options, std::string_view name);

// How the log is named in messages: kafka://BROKERS.
std::string describe_cluster(const KafkaLogOptions& options);

}  // namespace gopline::kafka
