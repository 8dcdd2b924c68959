#pragma once
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/log/log.h"
#include "common/payload/blob_store.h"

namespace gopline::bench {

// What the benchmark's topics and blobs are made with, and removed with when somebody has asked to stop: by
// then a log that was opened with that stop does nothing more.
struct Places {
  Log& log;
  std::function<Result<std::unique_ptr<Log>>()> open_another;
  payload::BlobStore* blobs = nullptr;
  std::function<void(const std::string&)> tell;  // what could not be removed
};

// Fresh topics in a namespace of their own, and the blobs behind them: gone with this object, whatever
// happened in between.
class Workspace {
 public:
  enum class Kind { kNamespace, kBareTopic };
  static Result<std::unique_ptr<Workspace>> make(const Places& places, std::string name, Kind kind,
                                                 std::int32_t partitions);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::string& name() const { return name_; }
  std::string topic() const;                                    // of payloads
  std::uint64_t record_bytes() const { return record_bytes_; }  // what one record there may hold

 private:
  Workspace(const Places& places, std::string name) : places_(places), name_(std::move(name)) {}
  Result<void> create(Kind kind, std::int32_t partitions);
  void remove_topic(const std::string& topic);
  void remove_blobs();

  const Places& places_;
  std::string name_;
  std::vector<std::string> topics_;
  std::uint64_t record_bytes_ = 0;
  std::unique_ptr<Log> another_;
};

}  // namespace gopline::bench
