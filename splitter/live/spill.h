#pragma once
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "splitter/live/outbox_item.h"
#include "splitter/live/outbox_json.h"

namespace gopline::splitter {

// What one stream has for a log that is away, on disk: a file for each item, named by its number, the oldest
// first. A file is there whole or not at all, and stays until done() says that the log has what is in it, so
// that neither an end of the program nor kill -9 loses it; a power cut may, since nothing is synced. What an
// earlier run has left comes first. For one thread at a time.
class Spill {
 public:
  // `folder`: of this stream alone; made where it is missing.
  static Result<std::unique_ptr<Spill>> open(const std::filesystem::path& folder);

  // Nothing is there that has not been popped.
  bool empty() const { return waiting_.empty(); }
  std::uint64_t bytes() const { return bytes_; }  // of the files that have not been popped
  std::optional<Timestamp> oldest() const;        // capture time of the first segment among them
  std::uint64_t newest_number() const {
    return newest_;
  }  // of any item so far, those of earlier runs included

  // Behind the items with lower numbers, before those with higher ones; a number is used once.
  Result<void> push(const OutboxEntry& entry);
  // The oldest. Its file stays. kCorrupt: it cannot be read; it is set aside and the next call goes on behind
  // it.
  Result<OutboxEntry> pop();
  void done(std::uint64_t number);

  // Drops the oldest segment that can be played from, and its continuations. What was dropped, as the gap
  // that takes their place. nullopt: no segment is there.
  std::optional<DroppedGop> drop_oldest_gop();

 private:
  struct File {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    SpilledSummary what;
  };
  explicit Spill(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> list();
  std::filesystem::path path_of(std::uint64_t number) const;
  void insert(const File& file);
  Result<void> put(std::uint64_t number, const OutboxItem& item);

  std::filesystem::path folder_;
  std::deque<File> waiting_;  // by number
  std::uint64_t bytes_ = 0;
  std::uint64_t newest_ = 0;
};

}  // namespace gopline::splitter
