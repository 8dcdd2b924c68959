#include "common/log/contract_tests.h"
#include "common/log/memory_log.h"
#include "common/log/routed_log.h"

namespace gopline {
namespace {

class MemoryHarness final : public LogHarness {
 public:
  Log& log() override { return log_; }
  void reopen() override {}
  std::unique_ptr<Log> open_another() override { return nullptr; }
  void advance(Duration by) override { clock_->advance(by); }
  Timestamp now() override { return clock_->now(); }

 private:
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  MemoryLog log_{MemoryLogOptions{clock_, 256 << 20}};
};

// The contract holds for what is routed: some of its topics lie in the second log.
class RoutedHarness final : public LogHarness {
 public:
  RoutedHarness() {
    std::map<std::string, std::unique_ptr<Log>> elsewhere;
    elsewhere["b"] = std::make_unique<MemoryLog>(MemoryLogOptions{clock_, 256 << 20});
    elsewhere["stays"] = std::make_unique<MemoryLog>(MemoryLogOptions{clock_, 256 << 20});
    log_ = make_routed_log(std::make_unique<MemoryLog>(MemoryLogOptions{clock_, 256 << 20}),
                           std::move(elsewhere));
  }
  Log& log() override { return *log_; }
  void reopen() override {}
  std::unique_ptr<Log> open_another() override { return nullptr; }
  void advance(Duration by) override { clock_->advance(by); }
  Timestamp now() override { return clock_->now(); }

 private:
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::unique_ptr<Log> log_;
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Memory, LogContract,
                         testing::Values(ContractParam{"Memory",
                                                       [] { return std::make_unique<MemoryHarness>(); }}));

INSTANTIATE_TEST_SUITE_P(Routed, LogContract,
                         testing::Values(ContractParam{"Routed",
                                                       [] { return std::make_unique<RoutedHarness>(); }}));

}  // namespace gopline
