#include "splitter/live/spill.h"

#include <algorithm>
#include <fstream>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "splitter/live/outbox_json.h"

namespace gopline::splitter {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".item";

struct Loaded {
  std::string line;
  Buffer bytes;
};

Result<Loaded> load(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Loaded loaded;
  if (!std::getline(file, loaded.line)) return fail(ErrorCode::kCorrupt, "{}: cannot be read", path.string());
  std::string rest((std::istreambuf_iterator<char>(file)), {});
  loaded.bytes = Buffer::copy(rest);
  return loaded;
}

Result<OutboxItem> item_in(const fs::path& path) {
  GOPLINE_ASSIGN(auto loaded, load(path));
  auto item = from_spilled(loaded.line, std::move(loaded.bytes));
  if (!item) return fail_with_context(path.string(), std::move(item.error()));
  return item;
}

// Whole under its own name, or not there.
Result<void> write_whole(const fs::path& path, const SpilledItem& item) {
  auto part = path;
  part += ".part";
  {
    std::ofstream file(part, std::ios::binary);
    file << item.line << '\n';
    for (const auto& buffer : item.bytes.buffers())
      file.write(reinterpret_cast<const char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
    file.close();
    if (!file) {
      std::error_code ignored;
      fs::remove(part, ignored);
      return fail(ErrorCode::kOutOfSpace, "{}: cannot be written; is the disk full?", path.string());
    }
  }
  std::error_code error;
  fs::rename(part, path, error);
  if (error) return fail_errno(error.value(), path.string());
  return {};
}

}  // namespace

Result<std::unique_ptr<Spill>> Spill::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail_errno(error.value(), folder.string());
  std::unique_ptr<Spill> spill(new Spill(folder));
  GOPLINE_TRY(spill->list());
  return spill;
}

Result<void> Spill::list() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    auto name = entry.path().filename().string();
    if (name.ends_with(".part")) {  // its writer died
      fs::remove(entry.path(), error);
      continue;
    }
    if (!name.ends_with(kSuffix)) continue;
    auto number = parse_int64(name.substr(0, name.size() - kSuffix.size()));
    if (!number) continue;
    File file{static_cast<std::uint64_t>(*number), entry.file_size(), {}};
    std::ifstream stream(entry.path());
    std::string line;
    std::getline(stream, line);
    if (auto summary = summary_of(line)) file.what = *summary;  // else pop() says what is wrong with it
    insert(file);
  }
  if (error) return fail_errno(error.value(), folder_.string());
  return {};
}

fs::path Spill::path_of(std::uint64_t number) const {
  return folder_ / fmt::format("{:016}{}", number, kSuffix);
}

void Spill::insert(const File& file) {
  waiting_.insert(std::ranges::upper_bound(waiting_, file.number, {}, &File::number), file);
  bytes_ += file.bytes;
  newest_ = std::max(newest_, file.number);
}

std::optional<Timestamp> Spill::oldest() const {
  auto first = std::ranges::find_if(waiting_, [](const File& file) { return file.what.is_segment; });
  return first == waiting_.end() ? std::nullopt : std::optional(first->what.time);
}

Result<void> Spill::push(const OutboxEntry& entry) {
  return put(entry.number, entry.item);
}

Result<void> Spill::put(std::uint64_t number, const OutboxItem& item) {
  auto spilled = to_spilled(item);
  GOPLINE_TRY(write_whole(path_of(number), spilled));
  GOPLINE_ASSIGN(auto what, summary_of(spilled.line));
  insert({number, spilled.line.size() + 1 + spilled.bytes.size(), what});
  return {};
}

Result<OutboxEntry> Spill::pop() {
  auto file = waiting_.front();
  waiting_.pop_front();
  bytes_ -= file.bytes;
  auto item = item_in(path_of(file.number));
  if (item) return OutboxEntry{file.number, std::move(*item)};
  std::error_code ignored;
  auto aside = path_of(file.number);
  aside += ".bad";
  fs::rename(path_of(file.number), aside, ignored);
  return tl::unexpected<Error>(std::move(item.error()));
}

void Spill::done(std::uint64_t number) {
  std::error_code ignored;
  fs::remove(path_of(number), ignored);
}

std::optional<DroppedGop> Spill::drop_oldest_gop() {
  auto first = std::ranges::find_if(waiting_, [](const File& file) { return file.what.is_segment; });
  if (first == waiting_.end()) return std::nullopt;
  auto number = first->number;
  DroppedGop dropped;
  std::optional<record::GapFacts> gap;
  // The gap that the GOP before has left, and this one, are one.
  if (first != waiting_.begin() && std::prev(first)->what.is_gap) {
    --first;
    if (auto item = item_in(path_of(first->number))) gap = std::get<record::GapFacts>(*item);
    bytes_ -= first->bytes;
    done(first->number);
    first = waiting_.erase(first);
  }
  auto last = first;
  do {
    record::GapFacts facts{record::GapCause::kOverBudget, last->what.time, last->what.end, last->what.size};
    dropped.gap = record::joined(dropped.segments > 0 ? std::optional(dropped.gap) : std::nullopt, facts);
    dropped.bytes += last->what.size;
    ++dropped.segments;
    bytes_ -= last->bytes;
    done(last->number);
    ++last;
  } while (last != waiting_.end() && last->what.is_segment && last->what.sap == 0);
  waiting_.erase(first, last);
  if (auto told = put(number, record::joined(gap, dropped.gap)); !told)
    log_warning("spill", "{}", told.error().message);
  return dropped;
}

}  // namespace gopline::splitter
