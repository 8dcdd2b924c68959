#pragma once
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/base/strong_int.h"
#include "common/bytes/buffer_chain.h"
#include "server/server_metrics.h"

namespace gopline::server {

// What takes processors for as long as a client waits: made on threads of its own, so many at once, one piece
// of work for all who ask for the same meanwhile, and cut off when the last of them has gone. Nobody blocks.
// What was made and used last is kept within a bound in bytes. Thread-safe.
class Transcodings {
 public:
  using Key = std::tuple<std::string, EpochNumber, SegmentNumber>;
  using Made = Result<std::shared_ptr<const BufferChain>>;
  using IsWanted = std::function<bool()>;
  // On a thread of ours. kCancelled: it has looked, and is wanted no more.
  using Make = std::function<Made(const IsWanted& is_wanted)>;
  using Then = std::function<void(Made)>;

  Transcodings(std::size_t at_once, std::size_t most_bytes, const ServerMetrics& metrics)
      : most_bytes_(most_bytes), metrics_(metrics), threads_(at_once) {}
  ~Transcodings() { stop(); }

  // Calls `then` once, at once or from a thread of ours. `gone`: who asks waits no more. kUnavailable: too
  // much waits; kCancelled: it is stopped; else what `make` says, which is tried again for who asks next.
  void get(const Key& key, Make make, StopToken gone, Then then);

  // Cuts off what is under way, and joins the threads.
  void stop();

 private:
  struct Waiting {
    StopToken gone;
    Then then;
  };
  struct Job {
    Make make;
    std::vector<Waiting> waiting;
  };
  using Kept = std::pair<Key, std::shared_ptr<const BufferChain>>;

  void run(const Key& key, Job& job);
  bool is_wanted(const Job& job);
  bool is_wanted_now(const Job& job) const;
  void keep(const Key& key, std::shared_ptr<const BufferChain> made);

  const std::size_t most_bytes_;
  const ServerMetrics metrics_;
  std::mutex mutex_;
  bool is_stopped_ = false;
  std::map<Key, std::shared_ptr<Job>> jobs_;
  std::list<Kept> used_;  // the one used last comes first
  std::map<Key, std::list<Kept>::iterator> by_key_;
  std::size_t bytes_ = 0;
  boost::asio::thread_pool threads_;
};

}  // namespace gopline::server
