#include "cli/index_check.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/text.h"
#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::cli {
namespace {

using SegmentKey = std::pair<EpochNumber, SegmentNumber>;

// In what two entries of one segment disagree. Writer and healer may both write one; each says `late` as it
// knew at that time (docs/record-format.md, 6.3), and only the writer is sure to know the parts.
std::vector<std::string_view> contradictions(const record::IndexEntry& a, const record::IndexEntry& b) {
  std::vector<std::string_view> found;
  auto expect = [&](bool equal, std::string_view member) {
    if (!equal) found.push_back(member);
  };
  expect(a.writer == b.writer, "writer");
  expect(a.epoch_offset == b.epoch_offset, "epoch offset");
  expect(a.ordinal == b.ordinal, "ordinal");
  expect(a.discontinuities == b.discontinuities, "number of discontinuities");
  expect(a.partition == b.partition, "partition");
  expect(a.offsets == b.offsets, "list of chunk offsets");
  expect(a.dataref == b.dataref, "dataref");
  expect(a.time == b.time, "time");
  expect(a.clock == b.clock, "clock");
  expect(a.start == b.start, "start");
  expect(a.duration == b.duration, "duration");
  expect(a.size == b.size, "size");
  expect(a.sap == b.sap, "sap");
  expect(a.gap == b.gap, "gap");
  if (!a.parts.empty() && !b.parts.empty()) {
    expect(a.init_xxh3 == b.init_xxh3, "init digest");
    expect(a.parts == b.parts, "list of parts");
  }
  return found;
}

class IndexChecker {
 public:
  IndexChecker(const StreamLedger& ledger, PartitionId partition, std::string topic, bool has_expired,
               VerifyReport& report)
      : ledger_(ledger),
        partition_(partition),
        topic_(std::move(topic)),
        has_expired_(has_expired),
        report_(report) {}

  void take(const StoredRecord& stored) {
    if (stored.damage) return object(stored.offset, stored.damage->message);
    auto type = record::event_type_of(stored.headers);
    if (!type) return object(stored.offset, type.error().message);
    auto value = stored.value.value_or(Buffer());
    if (*type == record::EventType::kIndex) {
      auto entry = record::parse_index_entry(stored.headers, value);
      if (!entry) return object(stored.offset, entry.error().message);
      take_entry(stored.offset, *entry);
    } else if (*type == record::EventType::kIndexHour) {
      auto hour = record::parse_index_hour(stored.headers, value);
      if (!hour) return object(stored.offset, hour.error().message);
      ++report_.counts.index_hours;
      hours_.emplace_back(stored.offset, std::move(*hour));
    } else {
      ++report_.counts.foreign;
    }
  }

  void finish() {
    for (const auto& [key, facts] : ledger_.segments()) {
      if (entries_.contains(key)) continue;
      // A writer that died leaves the entries of its last segments to the next writer.
      bool open = !ledger_.epochs().at(key.first).ended && key.first == ledger_.epochs().rbegin()->first;
      if (open) {
        ++unindexed_in_open_epoch_;
      } else {
        object(std::nullopt, "the segment has no index entry", key);
      }
    }
    if (unindexed_in_open_epoch_ > 0) {
      report_.notes.push_back(
          fmt::format("{} segments of the open epoch are not indexed yet: the next writer does it",
                      unindexed_in_open_epoch_));
    }
    book_hours();
    for (const auto& [offset, hour] : hours_) check_hour(offset, hour);
  }

 private:
  void object(std::optional<Offset> offset, std::string message,
              std::optional<SegmentKey> key = std::nullopt) {
    Problem problem{"index", std::move(message), topic_, offset, std::nullopt, std::nullopt};
    if (key) {
      problem.epoch = key->first;
      problem.segment = key->second;
    }
    report_.problems.push_back(std::move(problem));
  }

  void take_entry(Offset offset, const record::IndexEntry& entry) {
    ++report_.counts.index_entries;
    SegmentKey key{entry.epoch, entry.segment};
    if (auto [known, is_new] = entries_.emplace(key, entry); !is_new) {
      auto other = contradictions(known->second, entry);
      if (other.empty()) {
        ++report_.counts.duplicates;
      } else {
        object(offset, fmt::format("a second index entry has another {}", fmt::join(other, ", ")), key);
      }
      return;
    }
    auto segment = ledger_.segments().find(key);
    if (segment == ledger_.segments().end()) {
      auto epoch = ledger_.epochs().find(entry.epoch);
      if (epoch != ledger_.epochs().end() && epoch->second.is_absent(entry.segment))
        return;  // reported already
      bool expired = !entry.offsets.empty() && entry.offsets.front() < report_.kept.begin;
      if (!expired) object(offset, "the index names a segment that is not whole in the log", key);
      return;
    }
    compare(offset, entry, segment->second);
  }

  void compare(Offset offset, const record::IndexEntry& entry, const SegmentFacts& facts) {
    const auto& headers = facts.headers;
    auto expect = [&](bool equal, std::string_view member) {
      if (!equal) {
        object(offset, fmt::format("its index entry has another {}", member),
               SegmentKey{entry.epoch, entry.segment});
      }
    };
    expect(entry.ordinal == headers.ordinal, "ordinal");
    expect(entry.discontinuities == headers.discontinuities, "number of discontinuities");
    expect(entry.partition == partition_, "partition");
    expect(entry.offsets == facts.offsets, "list of chunk offsets");
    expect(entry.time == headers.time, "time");
    expect(entry.clock == headers.clock, "clock");
    expect(entry.start == headers.start, "start");
    expect(!headers.duration || entry.duration == *headers.duration, "duration");
    expect(!headers.size || entry.size == *headers.size, "size");
    expect(entry.sap == headers.sap, "sap");
    expect(!facts.init_xxh3 || entry.init_xxh3 == *facts.init_xxh3, "init digest");
    if (!entry.parts.empty() && facts.init_xxh3) {
      expect(std::equal(entry.parts.begin(), entry.parts.end(), facts.parts.begin(), facts.parts.end(),
                        [](const auto& a, const auto& b) {
                          return a.track == b.track && a.offset == b.offset && a.size == b.size &&
                                 a.duration == b.duration;
                        }),
             "list of parts");
    }
  }

  // The hour that each entry counts to: one whose time lies before the open hour, to that.
  void book_hours() {
    std::optional<EpochNumber> epoch;
    std::string open;
    for (const auto& [key, entry] : entries_) {
      auto hour = format_hour(entry.time);
      if (epoch != key.first || hour > open) open = hour;
      epoch = key.first;
      counts_to_.emplace(key, open);
    }
  }

  // Retention has taken the first entries of the epoch, and those that are left begin in this hour.
  bool has_lost_its_beginning(const record::IndexHour& hour) const {
    auto first = entries_.lower_bound(SegmentKey{hour.epoch, SegmentNumber(0)});
    return has_expired_ && first != entries_.end() && first->first.second != SegmentNumber(0) &&
           first->second.epoch == hour.epoch && counts_to_.at(first->first) == hour.hour;
  }

  // An hour's sums must be those of its entries that the index still keeps.
  void check_hour(Offset offset, const record::IndexHour& hour) {
    std::int64_t segments = 0;
    std::uint64_t bytes = 0;
    for (const auto& [key, entry] : entries_) {
      if (entry.epoch != hour.epoch || counts_to_.at(key) != hour.hour) continue;
      ++segments;
      bytes += entry.size;
    }
    if (segments == 0 && hour.segments > 0) return;  // the entries have expired; the roll-up outlives them
    if (segments < hour.segments && bytes < hour.bytes && has_lost_its_beginning(hour)) return;
    if (segments != hour.segments || bytes != hour.bytes) {
      Problem problem{
          "index",
          fmt::format(
              "the index of the hour {} sums up {} segments with {} bytes; its entries are {} with {}",
              hour.hour, hour.segments, hour.bytes, segments, bytes),
          topic_,
          offset,
          hour.epoch,
          std::nullopt};
      report_.problems.push_back(std::move(problem));
    }
  }

  const StreamLedger& ledger_;
  const PartitionId partition_;
  const std::string topic_;
  const bool has_expired_;  // the oldest of the index
  VerifyReport& report_;
  std::map<SegmentKey, record::IndexEntry> entries_;
  std::map<SegmentKey, std::string> counts_to_;  // an hour, in the end
  std::vector<std::pair<Offset, record::IndexHour>> hours_;
  std::int64_t unindexed_in_open_epoch_ = 0;
};

}  // namespace

Result<void> check_index(Log& log, const record::Topics& topics, const record::StreamState& state,
                         const StreamLedger& ledger, StopToken stop, VerifyReport& report) {
  GOPLINE_ASSIGN(auto kept, log.offsets({topics.index, state.partition}));
  IndexChecker checker(ledger, state.partition, topics.index, kept.begin > Offset(0), report);
  catalog::ScanOptions scan;
  scan.stop = std::move(stop);
  GOPLINE_TRY(
      catalog::scan_partition(log, {topics.index, state.partition}, scan, [&](const StoredRecord& stored) {
        if (stored.key == state.stream) checker.take(stored);
        return true;
      }));
  checker.finish();
  return {};
}

void check_state(const record::StreamState& state, const StreamLedger& ledger, const std::string& topic,
                 VerifyReport& report) {
  auto object = [&](std::string message) {
    report.problems.push_back({"state", std::move(message), topic, std::nullopt, state.epoch, std::nullopt});
  };
  if (!state.epoch) return;
  auto epoch = ledger.epochs().find(*state.epoch);
  if (epoch == ledger.epochs().end()) {
    // An epoch without any record can only have expired.
    if (report.kept.begin.value == 0) object("the stream's newest epoch is not in the log");
    return;
  }
  // A writer that died leaves its last words for the next one to make good.
  auto note_lag = [&](std::string_view what) {
    report.notes.push_back(
        fmt::format("the stream's state is behind the log ({}): the next writer catches up", what));
  };
  for (auto newer = std::next(epoch); newer != ledger.epochs().end(); ++newer) {
    if (newer->second.late) continue;
    if (newer->second.next.value == 0) {
      note_lag("a newer epoch has begun");
    } else {
      object(fmt::format("epoch {} is newer than the stream's state knows", newer->first.value));
    }
  }
  if (state.ended && !epoch->second.ended) object("the state says that the epoch ended; the log does not");
  if (!state.ended && epoch->second.ended) note_lag("its epoch has ended");
  if (ledger.last_offset() && state.position <= *ledger.last_offset()) {
    note_lag(fmt::format("it accounts for what lies before offset {}", state.position));
    return;
  }
  if (!state.ended || !epoch->second.ended) return;  // while it is open the state may lag behind
  if (state.ordinal && ledger.last_ordinal() && *state.ordinal != *ledger.last_ordinal()) {
    object(fmt::format("the state's last ordinal is {}, the log's {}", state.ordinal->value,
                       ledger.last_ordinal()->value));
  }
  if (state.segments != epoch->second.ended->segments || state.bytes != epoch->second.ended->bytes) {
    object(fmt::format("the state counts {} segments with {} bytes, epoch.ended {} with {}", state.segments,
                       state.bytes, epoch->second.ended->segments, epoch->second.ended->bytes));
  }
}

}  // namespace gopline::cli
