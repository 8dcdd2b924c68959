#pragma once
#include <sys/types.h>

#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "common/payload/s3/s3_settings.h"

namespace gopline::payload {

// For tests: a real S3 server, run by tools/s3/server.py as a child that ends it with itself.
class TestServer {
 public:
  // Whether there is one to run; ./dev test builds it.
  static bool is_there();

  explicit TestServer(bool tls = false);  // throws std::runtime_error when it does not start
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Those that tests share which only read and write, started when first asked for.
  static TestServer& shared();
  static TestServer& shared_tls();

  int port() const { return description_.at("port"); }
  std::string ca_file() const { return description_.value("ca_file", ""); }

  // A bucket of its own for a test, with a prefix, and what leads there.
  S3Settings make_bucket(const std::string& prefix = "pre/fix");
  // The file that holds an object of such a bucket.
  std::string file_of(const S3Settings& settings, const std::string& key) const;

  void tell(const std::string& command);  // as server.py says; fails the test unless the answer is "ok"

 private:
  std::string read_line();
  pid_t process_ = -1;
  int to_ = -1;
  std::FILE* from_ = nullptr;
  nlohmann::json description_;
};

}  // namespace gopline::payload
