#include "common/record/hour_columns.h"

#include <string>

#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/record/event_type.h"

namespace gopline::record {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool ends_plain(char c) {
  return c == ',' || c == ']' || c == '}' || c == ':' || is_space(c);
}

// Goes over JSON text and says where values lie. Once something is not as it should be, ok() is false for
// good.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) {}
  bool ok() const { return ok_; }

  // The text of one value, with its quotes or brackets.
  std::string_view value() {
    skip_space();
    auto begin = at_;
    if (at_ < text_.size() && text_[at_] == '"')
      skip_string();
    else if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '{'))
      skip_nested();
    else
      skip_plain();
    ok_ = ok_ && at_ > begin;
    return text_.substr(begin, at_ - begin);
  }

  // Calls visit(name) where the value of each member begins; it has to go over that.
  template <typename Visit>
  void members(Visit&& visit) {
    list('{', '}', [&] {
      auto name = value();
      expect(':');
      ok_ = ok_ && name.size() >= 2 && name.front() == '"';
      if (ok_) visit(name.substr(1, name.size() - 2));
    });
  }

  // Calls visit() where each element begins.
  template <typename Visit>
  void elements(Visit&& visit) {
    list('[', ']', visit);
  }

  bool is_at(char c) {
    skip_space();
    return at_ < text_.size() && text_[at_] == c;
  }

 private:
  template <typename Visit>
  void list(char open, char close, Visit&& visit) {
    expect(open);
    if (take(close)) return;
    while (ok_) {
      visit();
      if (!ok_ || take(close)) return;
      expect(',');
    }
  }

  bool take(char c) {
    if (!is_at(c)) return false;
    ++at_;
    return true;
  }
  void expect(char c) { ok_ = take(c) && ok_; }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ok_ = ok_ && at_ < text_.size();
    at_ = std::min(at_ + 1, text_.size());
  }
  void skip_nested() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      ++at_;
      if (c == '[' || c == '{') ++depth;
      if ((c == ']' || c == '}') && --depth == 0) return;
    }
    ok_ = false;
  }
  void skip_plain() {
    while (at_ < text_.size() && !ends_plain(text_[at_])) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

tl::unexpected<Error> not_a(std::string_view column, std::string_view what) {
  return fail(ErrorCode::kCorrupt, "gopline.index.hour.v1: columns.{}: not {}", column, what);
}

}  // namespace

Result<HourColumns> HourColumns::parse(const Headers& headers, Buffer value) {
  GOPLINE_ASSIGN(auto type, event_type_of(headers));
  if (type != EventType::kIndexHour) return fail(ErrorCode::kInvalidArgument, "the record is no roll-up");
  if (find_header(headers, "ce_xxh3") != xxh3_hex(value.bytes()))
    return fail(ErrorCode::kCorrupt, "gopline.index.hour.v1: the value does not have the hash in ce_xxh3");
  HourColumns hour;
  hour.value_ = std::move(value);
  JsonWalk walk(hour.value_.text());
  walk.members([&](std::string_view name) {
    if (name == "columns" && walk.is_at('{')) {
      walk.members([&](std::string_view column) {
        hour.columns_.emplace_back(column, Column());
        auto& cells = hour.columns_.back().second;
        cells.reserve(hour.columns_.front().second.size());
        walk.elements([&] { cells.push_back(walk.value()); });
      });
      return;
    }
    auto text = walk.value();
    if (name == "stream") hour.stream_ = text;
    if (name == "writer") hour.writer_ = text;
    if (name == "epoch") hour.epoch_text_ = text;
  });
  if (!walk.ok()) return fail(ErrorCode::kCorrupt, "gopline.index.hour.v1: the value is not JSON");
  auto epoch = parse_int64(hour.epoch_text_);
  if (!epoch || *epoch < 0) return fail(ErrorCode::kCorrupt, "gopline.index.hour.v1: epoch: not a number");
  hour.epoch_ = EpochNumber(*epoch);
  for (const auto& [name, cells] : hour.columns_) {
    if (cells.size() != hour.size()) return not_a(name, "as long as the others");
  }
  return hour;
}

const HourColumns::Column* HourColumns::find(std::string_view name) const {
  for (const auto& [column, cells] : columns_) {
    if (column == name) return &cells;
  }
  return nullptr;
}

Result<std::string_view> HourColumns::cell(std::string_view column, std::size_t i) const {
  const auto* cells = find(column);
  if (!cells) return not_a(column, "there");
  return (*cells)[i];
}

// Times are spelled without escapes.
Result<std::string_view> HourColumns::text_cell(std::string_view column, std::size_t i) const {
  GOPLINE_ASSIGN(auto text, cell(column, i));
  if (text.size() < 2 || text.front() != '"') return not_a(column, "text");
  return text.substr(1, text.size() - 2);
}

Result<std::int64_t> HourColumns::number_cell(std::string_view column, std::size_t i) const {
  GOPLINE_ASSIGN(auto text, cell(column, i));
  auto number = parse_int64(text);
  if (!number || *number < 0) return not_a(column, "numbers from 0 on");
  return *number;
}

Result<HourRow> HourColumns::row(std::size_t i) const {
  GOPLINE_ASSIGN(auto segment, number_cell("segment", i));
  GOPLINE_ASSIGN(auto ordinal, number_cell("ordinal", i));
  GOPLINE_ASSIGN(auto time_text, text_cell("time", i));
  GOPLINE_ASSIGN(auto duration_text, text_cell("duration", i));
  auto time = parse_rfc3339(time_text);
  if (!time) return not_a("time", "RFC 3339");
  auto duration = parse_rational(duration_text);
  if (!duration) return not_a("duration", "ticks/timescale");
  const auto* late = find("late");
  return HourRow{SegmentNumber(segment), Ordinal(ordinal), *time, *duration, late && (*late)[i] == "true"};
}

Result<IndexEntry> HourColumns::entry(std::size_t i) const {
  std::string text = fmt::format(R"({{"stream":{},"writer":{},"epoch":{})", stream_, writer_, epoch_text_);
  for (const auto& [name, cells] : columns_) text += fmt::format(R"(,"{}":{})", name, cells[i]);
  return parse_index_entry_value(text += '}');
}

}  // namespace gopline::record
