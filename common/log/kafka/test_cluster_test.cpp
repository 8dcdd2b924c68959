#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "common/base/uuid.h"
#include "common/log/contract_test_suite.h"
#include "common/log/kafka/test_cluster.h"

namespace gopline::kafka {

TestCluster::TestCluster(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"python3", GOPLINE_SOURCE_DIR "/tools/kafka/cluster.py", "run"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  process_ = fork();
  if (process_ == 0) {
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  to_ = to_child[1];
  from_ = fdopen(from_child[0], "r");
  auto ready = read_line();
  if (ready.empty()) throw std::runtime_error("no Kafka to test with: see what cluster.py says above");
  description_ = nlohmann::json::parse(ready);
}

TestCluster::~TestCluster() {
  close(to_);  // the end of its input ends it and its brokers
  waitpid(process_, nullptr, 0);
  std::fclose(from_);
}

TestCluster& TestCluster::shared() {
  static TestCluster cluster({"--set", "log.message.timestamp.after.max.ms=9223372036854775807"});
  return cluster;
}

std::string TestCluster::read_line() {
  std::string line;
  for (int c = 0; (c = std::fgetc(from_)) != EOF && c != '\n';) line += static_cast<char>(c);
  return line;
}

void TestCluster::tell(const std::string& command) {
  auto line = command + "\n";
  ASSERT_EQ(write(to_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  ASSERT_EQ(read_line(), "ok") << command;
}

KafkaLogOptions test_options(const std::string& brokers) {
  KafkaLogOptions options;
  options.brokers = brokers;
  options.prefix = "test-" + random_uuid() + ".";
  options.properties.push_back({"gopline.max.message.bytes", "70254592", "the test"});
  options.properties.push_back({"heartbeat.interval.ms", "100", "the test"});
  options.properties.push_back({"topic.metadata.refresh.interval.ms", "500", "the test"});
  options.properties.push_back({"topic.metadata.propagation.max.ms", "500", "the test"});
  return options;
}

std::unique_ptr<Log> open_test_log(const KafkaLogOptions& options) {
  auto log = open_kafka_log(options);
  EXPECT_TRUE(log) << log.error().message;
  return log ? std::move(*log) : nullptr;
}

bool eventually(const std::function<bool()>& condition) {
  auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace gopline::kafka
