#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/payload/s3/s3_settings.h"

namespace gopline::payload {

struct ScriptedRequest {
  std::string method, target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct ScriptedReply {
  int status = 200;
  std::vector<std::string> headers;  // "Name: value", besides Content-Length
  std::string body;
  std::optional<std::size_t> content_length;  // a wrong one
  std::optional<std::size_t> cut_after;  // of the reply's bytes, head and body; then the connection breaks
  bool stalls = false;                   // instead of breaking, says nothing more
  bool closes = false;                   // instead of breaking, ends the connection in order
};

// For tests: an HTTP server on loopback that answers as it is told, rightly or not. `script` gets each
// request with its number from 0, on the thread of its connection. `cut_request`: after how many bytes of the
// body the connection breaks instead.
class ScriptedServer {
 public:
  using Script = std::function<ScriptedReply(const ScriptedRequest&, int)>;
  using CutRequest = std::function<std::optional<std::size_t>(const ScriptedRequest&, int)>;

  explicit ScriptedServer(Script script, CutRequest cut_request = {});
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  S3Settings settings() const;  // s3://bucket/p there, with little patience
  std::vector<ScriptedRequest> requests() const;
  int connections() const { return connections_; }
  void await_requests(std::size_t count);

 private:
  void accept_all();
  void serve(int connection);
  bool serve_one(int connection, std::string& unread);
  bool send_reply(int connection, const ScriptedRequest& request, const ScriptedReply& reply);

  const Script script_;
  const CutRequest cut_request_;
  int listener_ = -1, port_ = 0;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ScriptedRequest> requests_;
  int begun_ = 0;
  bool ended_ = false;
  std::list<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace gopline::payload
