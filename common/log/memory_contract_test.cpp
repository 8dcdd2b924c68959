#include "common/log/contract_tests.h"
#include "common/log/memory_log.h"

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

}  // namespace

INSTANTIATE_TEST_SUITE_P(Memory, LogContract,
                         testing::Values(ContractParam{"Memory",
                                                       [] { return std::make_unique<MemoryHarness>(); }}));

}  // namespace gopline
