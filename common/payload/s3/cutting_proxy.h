#pragma once
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace gopline::payload {

// For tests: a TCP proxy on loopback before a port there, that breaks each connection after as many bytes,
// of both directions together, as `budget` answers for it; 0: never.
class CuttingProxy {
 public:
  CuttingProxy(int port, std::function<std::size_t()> budget);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }
  int cuts() const;

 private:
  void accept_all();
  void relay(int client, int server, std::size_t budget);

  const int target_;
  const std::function<std::size_t()> budget_;
  int listener_ = -1, port_ = 0;
  mutable std::mutex mutex_;
  bool ended_ = false;
  int cuts_ = 0;
  std::list<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace gopline::payload
