#include <thread>

#include "common/log/contract_tests.h"
#include "common/log/kafka/test_cluster.h"

namespace gopline {
namespace {

// Kafka's time is the brokers': up to half a minute is waited for, as a member's session really has to time
// out; longer leaps only move the time stamps of records.
class KafkaHarness final : public LogHarness {
 public:
  KafkaHarness() : options_(kafka::test_options(kafka::TestCluster::shared().bootstrap())) {
    log_ = kafka::open_test_log(options_);
  }
  ~KafkaHarness() override {
    auto topics = log_->list_topics();
    if (!topics) return;
    for (const auto& topic : *topics) (void)log_->delete_topic(topic);
  }
  Log& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    log_ = open_another();
  }
  std::unique_ptr<Log> open_another() override { return kafka::open_test_log(options_); }
  void advance(Duration by) override {
    if (by > std::chrono::seconds(30)) {
      leapt_ += by;
    } else {
      std::this_thread::sleep_for(by);
    }
  }
  Timestamp now() override { return SystemClock().now() + leapt_; }
  bool exact_retention() const override { return false; }

 private:
  KafkaLogOptions options_;
  Duration leapt_{0};
  std::unique_ptr<Log> log_;
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Kafka, LogContract,
                         testing::Values(ContractParam{"Kafka",
                                                       [] { return std::make_unique<KafkaHarness>(); }}));

}  // namespace gopline
