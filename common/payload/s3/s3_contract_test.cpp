#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/payload/blob_store_contract.h"
#include "common/payload/s3/s3_store.h"
#include "common/payload/s3/test_server.h"

// The contract against a real server, which checks signatures and the hashes of bodies.
namespace gopline::payload {
namespace {

namespace fs = std::filesystem;

class S3UnderTest : public StoreUnderTest {
 public:
  explicit S3UnderTest(TestServer& server) : server_(server), settings_(server.make_bucket()) {}
  std::unique_ptr<BlobStore> open() override { return open_s3_store(settings_); }
  void set_modified(const std::string& key, Timestamp time) override {
    auto in_seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    timespec times[2] = {{in_seconds, 0}, {in_seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, server_.file_of(settings_, key).c_str(), times, 0), 0);
  }
  void damage(const std::string& key) override {
    auto file = server_.file_of(settings_, key);
    fs::resize_file(file, fs::file_size(file) - 1);
  }
  bool has_urls() const override { return true; }

 protected:
  TestServer& server_;
  S3Settings settings_;
};

std::unique_ptr<StoreUnderTest> whole() {
  return std::make_unique<S3UnderTest>(TestServer::shared());
}

// Multipart uploads and parallel ranges wherever they can be.
std::unique_ptr<StoreUnderTest> in_parts() {
  struct InParts : S3UnderTest {
    InParts() : S3UnderTest(TestServer::shared()) {
      settings_.multipart_threshold = 1;
      settings_.part_size = 5 << 20;
      settings_.range_size = 64 << 10;
      settings_.parallel = 3;
      settings_.prefix = "";
    }
  };
  return std::make_unique<InParts>();
}

// Over TLS with an authority of the server's own, and with the bucket in the host's name.
std::unique_ptr<StoreUnderTest> encrypted() {
  struct Encrypted : S3UnderTest {
    Encrypted() : S3UnderTest(TestServer::shared_tls()) {
      settings_.host = "s3.localhost:" + std::to_string(server_.port());
      settings_.addressing = S3Addressing::kVirtualHost;
      settings_.sse = "AES256";
    }
  };
  return std::make_unique<Encrypted>();
}

std::vector<StoreFactory> factories() {
  if (!TestServer::is_there()) return {};
  return {&whole, &in_parts, &encrypted};
}

std::string name_of(const testing::TestParamInfo<StoreFactory>& about) {
  return std::vector<std::string>{"Whole", "InParts", "Encrypted"}.at(about.index);
}

INSTANTIATE_TEST_SUITE_P(S3, BlobStoreContract, testing::ValuesIn(factories()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BlobStoreContract);

}  // namespace
}  // namespace gopline::payload
