#pragma once
#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/log/kafka/kafka_log.h"

// For tests: real brokers, run by tools/kafka/cluster.py as a child that ends them with itself.
namespace gopline::kafka {

class TestCluster {
 public:
  // `arguments` as `cluster.py run` takes them. Throws std::runtime_error with what it says when it fails.
  explicit TestCluster(const std::vector<std::string>& arguments = {});
  ~TestCluster();

  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  // The cluster that tests share which only write and read: one broker, started when first asked for.
  static TestCluster& shared();

  const nlohmann::json& description() const { return description_; }
  std::string bootstrap() const { return description_.at("bootstrap"); }

  // One line, as `cluster.py run --help` lists them. Fails the test unless the answer is "ok".
  void tell(const std::string& command);

 private:
  std::string read_line();
  pid_t process_ = -1;
  int to_ = -1;
  std::FILE* from_ = nullptr;
  nlohmann::json description_;
};

// Options under which tests do not get in each other's way: with a prefix of their own for topics and groups.
KafkaLogOptions test_options(const std::string& brokers);
std::unique_ptr<Log> open_test_log(const KafkaLogOptions& options);

// Polls `condition` until it holds; false when patience ends first.
bool eventually(const std::function<bool()>& condition);

}  // namespace gopline::kafka
