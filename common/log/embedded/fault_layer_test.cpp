#include "common/log/embedded/fault_layer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "common/base/test_directory.h"
#include "common/base/uuid.h"
#include "common/log/embedded/fault_vfs.h"

namespace gopline::embedded {

std::shared_ptr<PowerCutModel::Inode> PowerCutModel::inode(const std::string& path) {
  auto& inode = now_[path];
  if (!inode) inode = std::make_shared<Inode>();
  return inode;
}

void PowerCutModel::created(const std::string& path) {
  std::lock_guard lock(mutex_);
  inode(path);
}

void PowerCutModel::removed(const std::string& path) {
  std::lock_guard lock(mutex_);
  now_.erase(path);
}

void PowerCutModel::written(const std::string& path, std::uint64_t position, std::string_view bytes) {
  std::lock_guard lock(mutex_);
  inode(path)->since.push_back({false, position, std::string(bytes)});
}

void PowerCutModel::truncated(const std::string& path, std::uint64_t size) {
  std::lock_guard lock(mutex_);
  inode(path)->since.push_back({true, size, {}});
}

void PowerCutModel::synced(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto file = inode(path);
  for (const auto& change : file->since) apply(change, file->durable);
  file->since.clear();
}

void PowerCutModel::directory_synced(const std::string& directory) {
  std::lock_guard lock(mutex_);
  auto inside = [&](const std::string& path) {
    return std::filesystem::path(path).parent_path() == directory;
  };
  std::erase_if(durable_,
                [&](const auto& entry) { return inside(entry.first) && !now_.contains(entry.first); });
  for (const auto& [path, file] : now_) {
    if (inside(path)) durable_[path] = file;
  }
}

void PowerCutModel::apply(const Change& change, std::string& content) {
  if (change.truncate) return content.resize(change.position);
  if (content.size() < change.position + change.bytes.size())
    content.resize(change.position + change.bytes.size());
  content.replace(change.position, change.bytes.size(), change.bytes);
}

void PowerCutModel::apply_in_part(const Change& change, std::string& content, std::mt19937& random) {
  constexpr std::uint64_t kSector = 512;
  if (change.truncate) {
    if (random() % 2 == 0) content.resize(change.position);
    return;
  }
  for (std::uint64_t at = 0; at < change.bytes.size();) {
    auto position = change.position + at;
    auto length = std::min<std::uint64_t>(kSector - position % kSector, change.bytes.size() - at);
    if (random() % 2 == 0) apply({false, position, change.bytes.substr(at, length)}, content);
    at += length;
  }
}

void PowerCutModel::leave_in(const std::string& root, const std::string& target, std::mt19937* random) const {
  std::lock_guard lock(mutex_);
  auto names = durable_;
  if (random) {
    for (const auto& [path, file] : now_) {
      if (!names.contains(path) && (*random)() % 2 == 0) names[path] = file;
    }
    std::erase_if(names,
                  [&](const auto& entry) { return !now_.contains(entry.first) && (*random)() % 2 == 0; });
  }
  for (const auto* directory : {"", "/payload", "/sessions"})
    std::filesystem::create_directories(target + directory);
  for (const auto& [path, file] : names) {
    if (path.rfind(root + "/", 0) != 0) continue;
    auto content = file->durable;
    if (random) {
      for (const auto& change : file->since) apply_in_part(change, content, *random);
    }
    std::ofstream out(target + path.substr(root.size()), std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
  }
}

namespace {

std::string joined(const BufferChain& chain) {
  std::string all;
  for (const auto& buffer : chain.buffers()) all += buffer.text();
  return all;
}

class FaultFile final : public File {
 public:
  FaultFile(std::shared_ptr<FaultLayer> layer, std::string path, std::unique_ptr<File> real)
      : layer_(std::move(layer)), path_(std::move(path)), real_(std::move(real)) {}

  Result<void> write_at(const BufferChain& bytes, std::uint64_t position) override {
    if (int error = layer_->before_change()) {
      auto half = bytes.share(0, bytes.size() / 2);
      GOPLINE_TRY(real_->write_at(half, position));
      layer_->model().written(path_, position, joined(half));
      return fail_errno(error, path_ + ": cannot write");
    }
    GOPLINE_TRY(real_->write_at(bytes, position));
    layer_->model().written(path_, position, joined(bytes));
    return {};
  }
  Result<std::size_t> read_at(std::span<std::uint8_t> bytes, std::uint64_t position) override {
    return real_->read_at(bytes, position);
  }
  Result<void> sync() override {
    if (int error = layer_->before_change()) return fail_errno(error, path_ + ": cannot sync");
    layer_->model().synced(path_);
    return {};
  }
  void start_writeback(std::uint64_t, std::uint64_t) override {}
  Result<std::uint64_t> size() override { return real_->size(); }
  Result<void> truncate(std::uint64_t size) override {
    GOPLINE_TRY(real_->truncate(size));
    layer_->model().truncated(path_, size);
    return {};
  }
  void punch_hole(std::uint64_t position, std::uint64_t count) override {
    real_->punch_hole(position, count);
    layer_->model().written(path_, position, std::string(count, '\0'));
  }
  Result<bool> try_lock() override { return real_->try_lock(); }

 private:
  const std::shared_ptr<FaultLayer> layer_;
  const std::string path_;
  const std::unique_ptr<File> real_;
};

}  // namespace

FaultLayer::FaultLayer()
    : vfs_name_("gopline-test-" + random_uuid()), vfs_(register_fault_vfs(vfs_name_, *this)) {}
FaultLayer::~FaultLayer() = default;

Result<std::unique_ptr<File>> FaultLayer::open(const std::string& path, Open mode) {
  bool creates = mode == Open::kCreateNew || mode == Open::kCreate;
  GOPLINE_ASSIGN(bool present, real_->exists(path));
  if (creates && !present) {
    if (int error = before_change()) return fail_errno(error, path + ": cannot open");
  }
  GOPLINE_ASSIGN(auto real, real_->open(path, mode));
  if (creates && !present) model_.created(path);
  return std::make_unique<FaultFile>(shared_from_this(), path, std::move(real));
}

Result<void> FaultLayer::remove(const std::string& path) {
  if (int error = before_change()) return fail_errno(error, path + ": cannot remove");
  GOPLINE_TRY(real_->remove(path));
  model_.removed(path);
  return {};
}

Result<void> FaultLayer::sync_directory(const std::string& path) {
  if (int error = before_change()) return fail_errno(error, path + ": cannot sync the directory");
  model_.directory_synced(path);
  return {};
}

void FaultLayer::on_every_change(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  on_change_ = std::move(callback);
}

std::uint64_t FaultLayer::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

void FaultLayer::fail_at(std::uint64_t nth, int error_number, Fault fault) {
  std::lock_guard lock(mutex_);
  fail_at_ = changes_ + nth;
  error_number_ = error_number;
  fault_ = fault;
}

void FaultLayer::heal() {
  std::lock_guard lock(mutex_);
  fault_ = Fault::kNone;
}

int FaultLayer::before_change() {
  std::lock_guard lock(mutex_);
  if (on_change_) on_change_();
  auto now = changes_++;
  bool fails =
      (fault_ == Fault::kOnce && now == fail_at_) || (fault_ == Fault::kFromThenOn && now >= fail_at_);
  return fails ? error_number_ : 0;
}

namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(PowerCutModel, KeepsWhatWasSyncedAndNothingElse) {
  TestDirectory left;
  PowerCutModel model;
  model.created("/d/synced");
  model.written("/d/synced", 0, "abcdef");
  model.synced("/d/synced");
  model.written("/d/synced", 0, "XYZ");
  model.created("/d/nameless");
  model.directory_synced("/d");
  model.removed("/d/nameless");
  model.created("/d/unsynced name");
  model.written("/d/unsynced name", 0, "abc");
  model.synced("/d/unsynced name");
  model.leave_in("/d", left.path(), nullptr);
  EXPECT_EQ(content_of(left.path() + "/synced"), "abcdef");
  EXPECT_TRUE(std::filesystem::exists(left.path() + "/nameless"));  // its removal was not synced
  EXPECT_FALSE(std::filesystem::exists(left.path() + "/unsynced name"));
}

TEST(FaultLayer, FailsTheNthChangeAndTearsIt) {
  TestDirectory directory;
  auto layer = std::make_shared<FaultLayer>();
  auto path = directory.path() + "/f";
  auto file = *layer->open(path, FileSystem::Open::kCreateNew);
  layer->fail_at(1, ENOSPC, FaultLayer::Fault::kOnce);
  EXPECT_TRUE(file->write_at(BufferChain(Buffer::copy("aaaa")), 0));
  EXPECT_EQ(file->write_at(BufferChain(Buffer::copy("bbbb")), 4).error().code, ErrorCode::kOutOfSpace);
  EXPECT_EQ(content_of(path), "aaaabb");
  EXPECT_TRUE(file->sync());
}

}  // namespace
}  // namespace gopline::embedded
