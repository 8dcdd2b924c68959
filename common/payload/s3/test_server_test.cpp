#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "common/payload/s3/test_server.h"

namespace gopline::payload {

bool TestServer::is_there() {
  const char* named = std::getenv("GOPLINE_S3_SERVER");
  return std::filesystem::exists(named ? named : GOPLINE_SOURCE_DIR "/build/deps/versitygw/bin/versitygw");
}

TestServer::TestServer(bool tls) {
  std::vector<std::string> words{"python3", GOPLINE_SOURCE_DIR "/tools/s3/server.py", "run"};
  if (tls) words.push_back("--tls");
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
  if (ready.empty()) throw std::runtime_error("no S3 server to test with: see what server.py says above");
  description_ = nlohmann::json::parse(ready);
}

TestServer::~TestServer() {
  close(to_);  // the end of its input ends it and the server
  waitpid(process_, nullptr, 0);
  std::fclose(from_);
}

TestServer& TestServer::shared() {
  static TestServer server;
  return server;
}

TestServer& TestServer::shared_tls() {
  static TestServer server(true);
  return server;
}

S3Settings TestServer::make_bucket(const std::string& prefix) {
  static std::atomic<int> count = 0;
  S3Settings settings;
  settings.bucket = "test-" + std::to_string(++count);
  std::filesystem::create_directory(description_.at("data").get<std::string>() + "/" + settings.bucket);
  settings.prefix = prefix;
  settings.scheme = ca_file().empty() ? "http" : "https";
  settings.host = "127.0.0.1:" + std::to_string(port());
  settings.ca_file = ca_file();
  settings.credentials = {description_.at("access_key_id"), description_.at("secret_access_key"), ""};
  return settings;
}

std::string TestServer::file_of(const S3Settings& settings, const std::string& key) const {
  return description_.at("data").get<std::string>() + "/" + settings.bucket + "/" + settings.prefix + "/" +
         key;
}

std::string TestServer::read_line() {
  std::string line;
  for (int c = 0; (c = std::fgetc(from_)) != EOF && c != '\n';) line += static_cast<char>(c);
  return line;
}

void TestServer::tell(const std::string& command) {
  auto line = command + "\n";
  ASSERT_EQ(write(to_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  ASSERT_EQ(read_line(), "ok") << command;
}

TEST(TestServer, IsBuilt) {
  if (!TestServer::is_there()) {
    GTEST_SKIP() << "the tests with a real S3 server are left out: versitygw is not in build/deps/versitygw; "
                    "./dev test builds it, or GOPLINE_S3_SERVER names one";
  }
}

}  // namespace gopline::payload
