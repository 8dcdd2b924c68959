#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "common/payload/s3/cutting_proxy.h"

namespace gopline::payload {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int connection, const char* bytes, std::size_t count) {
  while (count > 0) {
    auto sent = send(connection, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(int port, std::function<std::size_t()> budget)
    : target_(port), budget_(std::move(budget)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, general, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, general, &size) != 0) {
    throw std::runtime_error("no port to listen on");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

CuttingProxy::~CuttingProxy() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    shutdown(listener_, SHUT_RDWR);
    for (int connection : open_) shutdown(connection, SHUT_RDWR);
  }
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  close(listener_);
}

int CuttingProxy::cuts() const {
  std::lock_guard lock(mutex_);
  return cuts_;
}

void CuttingProxy::accept_all() {
  for (;;) {
    int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::lock_guard lock(mutex_);
    if (ended_ || client < 0) {
      if (client >= 0) close(client);
      return;
    }
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(target_);
    if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      close(client);
      close(server);
      continue;
    }
    open_.insert(open_.end(), {client, server});
    threads_.emplace_back([this, client, server, budget = budget_()] { relay(client, server, budget); });
  }
}

void CuttingProxy::relay(int client, int server, std::size_t budget) {
  pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
  std::size_t passed = 0;
  char bytes[65536];
  bool cut = false, going = true;
  while (going && !cut && poll(ends, 2, -1) > 0) {
    for (int i = 0; i < 2 && going && !cut; ++i) {
      if (ends[i].revents == 0) continue;
      auto count = recv(ends[i].fd, bytes, sizeof bytes, 0);
      if (count <= 0) {
        going = false;
        break;
      }
      auto size = static_cast<std::size_t>(count);
      if (budget > 0) size = std::min(size, budget - passed);
      passed += size;
      going = send_all(ends[1 - i].fd, bytes, size);
      cut = budget > 0 && passed == budget;
    }
  }
  std::lock_guard lock(mutex_);
  linger abruptly{1, 0};
  for (int end : {client, server}) {
    if (cut) setsockopt(end, SOL_SOCKET, SO_LINGER, &abruptly, sizeof abruptly);
    open_.remove(end);
    close(end);
  }
  cuts_ += cut;
}

}  // namespace gopline::payload
