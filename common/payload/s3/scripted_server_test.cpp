#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include <fmt/format.h>

#include "common/payload/s3/scripted_server.h"

namespace gopline::payload {
namespace {

// The connection breaks: a reset, no orderly end.
void break_off(int connection) {
  linger abruptly{1, 0};
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &abruptly, sizeof abruptly);
}

bool send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    auto sent = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_more(int connection, std::string& into) {
  char bytes[65536];
  auto count = recv(connection, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  into.append(bytes, static_cast<std::size_t>(count));
  return true;
}

ScriptedRequest parse_head(const std::string& head) {
  ScriptedRequest request;
  auto line_end = head.find("\r\n");
  auto line = head.substr(0, line_end);
  auto first = line.find(' '), second = line.find(' ', first + 1);
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  while (line_end != std::string::npos && line_end + 2 < head.size()) {
    auto begin = line_end + 2;
    line_end = head.find("\r\n", begin);
    line = head.substr(begin, line_end - begin);
    auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    auto name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    auto value = line.substr(colon + 1);
    value.erase(0, std::min(value.find_first_not_of(' '), value.size()));
    request.headers[name] = value;
  }
  return request;
}

}  // namespace

ScriptedServer::ScriptedServer(Script script, CutRequest cut_request)
    : script_(std::move(script)), cut_request_(std::move(cut_request)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, general, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, general, &size) != 0) {
    throw std::runtime_error("no port to listen on");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    shutdown(listener_, SHUT_RDWR);
    for (int connection : open_) shutdown(connection, SHUT_RDWR);
    changed_.notify_all();
  }
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  close(listener_);
}

S3Settings ScriptedServer::settings() const {
  S3Settings settings;
  settings.bucket = "bucket";
  settings.prefix = "p";
  settings.scheme = "http";
  settings.host = "127.0.0.1:" + std::to_string(port_);
  settings.credentials = {"the-key", "the-secret-sesame", "the-token-sesame"};
  settings.patience = std::chrono::seconds(20);
  return settings;
}

std::vector<ScriptedRequest> ScriptedServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedServer::await_requests(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return requests_.size() >= count; });
}

void ScriptedServer::accept_all() {
  for (;;) {
    int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::lock_guard lock(mutex_);
    if (ended_ || connection < 0) {
      if (connection >= 0) close(connection);
      return;
    }
    ++connections_;
    open_.push_back(connection);
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void ScriptedServer::serve(int connection) {
  std::string unread;
  while (serve_one(connection, unread)) {
  }
  std::lock_guard lock(mutex_);
  open_.remove(connection);
  close(connection);
}

bool ScriptedServer::serve_one(int connection, std::string& unread) {
  while (unread.find("\r\n\r\n") == std::string::npos) {
    if (!receive_more(connection, unread)) return false;
  }
  auto end = unread.find("\r\n\r\n");
  auto request = parse_head(unread.substr(0, end + 2));
  unread.erase(0, end + 4);
  int number = 0;
  {
    std::lock_guard lock(mutex_);
    number = begun_++;
  }
  auto length = request.header("content-length");
  std::size_t size = length.empty() ? 0 : std::stoull(length);
  auto cut = cut_request_ ? cut_request_(request, number) : std::nullopt;
  while (unread.size() < std::min(size, cut.value_or(size))) {
    if (!receive_more(connection, unread)) return false;
  }
  if (cut) {
    break_off(connection);
    return false;
  }
  request.body = unread.substr(0, size);
  unread.erase(0, size);
  auto reply = script_(request, number);
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
    changed_.notify_all();
  }
  return send_reply(connection, request, reply);
}

bool ScriptedServer::send_reply(int connection, const ScriptedRequest& request, const ScriptedReply& reply) {
  auto text = fmt::format("HTTP/1.1 {} Scripted\r\n", reply.status);
  for (const auto& header : reply.headers) text += header + "\r\n";
  bool has_length = std::any_of(reply.headers.begin(), reply.headers.end(),
                                [](const auto& line) { return line.starts_with("Content-Length:"); });
  if (!has_length && reply.status != 204) {
    text += fmt::format("Content-Length: {}\r\n", reply.content_length.value_or(reply.body.size()));
  }
  text += "\r\n";
  if (request.method != "HEAD") text += reply.body;
  if (!reply.cut_after && !reply.stalls) return send_all(connection, text);
  text.resize(std::min(text.size(), reply.cut_after.value_or(0)));
  send_all(connection, text);
  if (reply.stalls) {  // until the other side gives up
    std::string ignored;
    while (receive_more(connection, ignored)) {
    }
    return false;
  }
  if (!reply.closes) break_off(connection);
  return false;
}

}  // namespace gopline::payload
