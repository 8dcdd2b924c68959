#include "common/base/test_directory.h"
#include "common/log/contract_tests.h"
#include "common/log/embedded/embedded_log.h"

namespace gopline {
namespace {

class EmbeddedHarness final : public LogHarness {
 public:
  explicit EmbeddedHarness(std::uint64_t payload_file_bytes) : payload_file_bytes_(payload_file_bytes) {
    log_ = open_another();
  }
  Log& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    log_ = open_another();
  }
  std::unique_ptr<Log> open_another() override {
    EmbeddedLogOptions options;
    options.directory = directory_.path() + "/log";
    options.clock = clock_;
    options.payload_file_bytes = payload_file_bytes_;
    auto log = open_embedded_log(options);
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }
  void advance(Duration by) override { clock_->advance(by); }
  Timestamp now() override { return clock_->now(); }

 private:
  const std::uint64_t payload_file_bytes_;
  TestDirectory directory_;
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::unique_ptr<Log> log_;
};

ContractParam embedded_log(const char* name, std::uint64_t payload_file_bytes) {
  return {name, [=] { return std::make_unique<EmbeddedHarness>(payload_file_bytes); }};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Embedded, LogContract,
                         testing::Values(embedded_log("Embedded", 256 << 20),
                                         embedded_log("EmbeddedInSmallFiles", 120'000)));

}  // namespace gopline
