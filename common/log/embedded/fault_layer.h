#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/log/embedded/file_system.h"

// For tests: a layer below the embedded log that remembers what would survive a power cut, and fails when
// told to. Both the log's own files and SQLite's (through a VFS that wraps SQLite's own) pass through it.
namespace gopline::embedded {

// What a disk would hold after a power cut. Files are real, and are written at once; beside that, this keeps
// for each file the content that was synced and the writes since, and which names its directory had when that
// was synced. Names and bytes are independent, as POSIX has it: syncing a file does not make its name
// durable. Thread-safe.
class PowerCutModel {
 public:
  void created(const std::string& path);
  void removed(const std::string& path);
  void written(const std::string& path, std::uint64_t position, std::string_view bytes);
  void truncated(const std::string& path, std::uint64_t size);
  void synced(const std::string& path);
  void directory_synced(const std::string& directory);

  // Writes into `target` what a power cut now would leave of the files under `root`. With `random`, what was
  // not synced survives in part: each sector, size and name by chance, in any order; without, it is all gone.
  void leave_in(const std::string& root, const std::string& target, std::mt19937* random) const;

 private:
  struct Change {
    bool truncate;
    std::uint64_t position;  // or the size
    std::string bytes;
  };
  struct Inode {
    std::string durable;
    std::vector<Change> since;
  };
  static void apply(const Change& change, std::string& content);
  static void apply_in_part(const Change& change, std::string& content, std::mt19937& random);
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  std::shared_ptr<Inode> inode(const std::string& path);

  mutable std::mutex mutex_;
  Names now_, durable_;
};

// The layer itself: passes everything on to the real file system and to the model.
class FaultLayer final : public FileSystem, public std::enable_shared_from_this<FaultLayer> {
 public:
  FaultLayer();
  ~FaultLayer() override;

  Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override;
  Result<void> remove(const std::string& path) override;
  Result<bool> exists(const std::string& path) override { return real_->exists(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    return real_->list(directory);
  }
  Result<void> create_directories(const std::string& path) override {
    return real_->create_directories(path);
  }
  Result<void> sync_directory(const std::string& path) override;
  std::string sqlite_vfs() const override { return vfs_name_; }

  PowerCutModel& model() { return model_; }

  // Called before every operation that changes the disk, one at a time: the instant of a power cut.
  void on_every_change(std::function<void()> callback);
  std::uint64_t changes() const;

  enum class Fault { kNone, kOnce, kFromThenOn };
  // The `nth` change from now (0: the next) fails with `error_number`. A write that fails has written half of
  // its bytes.
  void fail_at(std::uint64_t nth, int error_number, Fault fault);
  void heal();

  // For the files and the VFS: whether this change fails, and with what.
  int before_change();

 private:
  std::shared_ptr<FileSystem> real_ = make_posix_file_system();
  PowerCutModel model_;
  std::string vfs_name_;
  std::shared_ptr<void> vfs_;
  mutable std::recursive_mutex mutex_;
  std::function<void()> on_change_;
  std::uint64_t changes_ = 0, fail_at_ = 0;
  int error_number_ = 0;
  Fault fault_ = Fault::kNone;
};

}  // namespace gopline::embedded
