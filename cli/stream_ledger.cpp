#include "cli/stream_ledger.h"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "cli/segment_content.h"
#include "common/media/segment_reader.h"

namespace gopline::cli {

bool StreamLedger::Epoch::is_absent(SegmentNumber segment) const {
  return std::ranges::any_of(
      absent, [&](const auto& range) { return range.first <= segment && segment <= range.second; });
}

std::int64_t StreamLedger::Epoch::absent_count() const {
  std::int64_t count = 0;
  for (const auto& [first, last] : absent) count += last.value - first.value + 1;
  return count;
}

void StreamLedger::take(record::AssemblerEvent event, std::optional<Offset> at) {
  std::visit(
      [&](auto&& what) {
        if constexpr (std::is_same_v<std::decay_t<decltype(what)>, record::LostSegment>) {
          book(what, at);
        } else {
          book(std::move(what));
        }
      },
      std::move(event));
}

void StreamLedger::object(std::string kind, const record::SegmentHeaders& headers,
                          std::optional<Offset> offset, std::string message) {
  report_.problems.push_back(
      {std::move(kind), std::move(message), topic_, offset, headers.epoch, headers.segment});
}

void StreamLedger::book(record::StartedEpoch epoch) {
  ++report_.counts.epochs;
  auto& entry = epochs_[epoch.epoch];
  if (entry.started) {
    report_.problems.push_back(
        {"epoch", "the epoch is started twice", topic_, epoch.offset, epoch.epoch, std::nullopt});
  }
  entry.late = epoch.marker.late;
  entry.started = std::move(epoch);
}

void StreamLedger::book(const record::EndedEpoch& epoch) {
  auto& entry = epochs_[epoch.marker.epoch];
  entry.ended = epoch.marker;
}

void StreamLedger::book(const record::WrittenGap& gap) {
  report_.gaps.push_back({gap.marker.epoch, epochs_[gap.marker.epoch].next, gap.marker.facts});
}

void StreamLedger::book(const record::BadRecord& bad) {
  report_.problems.push_back({"corrupt", bad.error.message, topic_, bad.offset, std::nullopt, std::nullopt});
}

void StreamLedger::book(const record::LostSegment& segment, std::optional<Offset> at) {
  bool is_corrupt = segment.cause == record::GapCause::kCorrupt;
  check_numbers(segment.headers, is_corrupt ? at : std::nullopt, segment.late);
  auto number = segment.headers.segment;
  auto& epoch = epochs_[segment.headers.epoch];
  epoch.absent.emplace_back(number, number);
  auto there = playable(segment);
  bool may_go_on = !epoch.ended && segment.headers.epoch == epochs_.rbegin()->first;
  if (!at && may_go_on && !segment.has_hole) {
    report_.notes.push_back(fmt::format("epoch {}: segment {} is not whole yet: {} chunks{}",
                                        segment.headers.epoch, number, segment.prefix_chunks, there));
    return;
  }
  object(is_corrupt ? "corrupt" : "lost", segment.headers, is_corrupt ? at : std::nullopt,
         fmt::format("the segment is not whole: {}{}", segment.reason, there));
}

// What can be played of a segment that is not whole, in words.
std::string StreamLedger::playable(const record::LostSegment& segment) const {
  auto epoch = epochs_.find(segment.headers.epoch);
  if (epoch == epochs_.end() || !epoch->second.started) return {};
  auto prefix = media::playable_prefix(segment.prefix.flatten(), segment.headers.content_type,
                                       epoch->second.started->marker.tracks);
  if (!prefix) return {};
  return fmt::format("; of its beginning {:.2f} s in {} fragments can be played",
                     static_cast<double>(prefix->duration) / static_cast<double>(prefix->timescale),
                     prefix->fragments);
}

void StreamLedger::book(record::AssembledSegment segment) {
  auto& counts = report_.counts;
  ++counts.segments;
  counts.chunks += static_cast<std::int64_t>(segment.offsets.size());
  auto size = segment.headers.size.value_or(segment.bytes.size());  // a payload that is gone counts as stored
  counts.bytes += size;
  if (segment.headers.sha256) ++counts.sha256;
  auto first_offset = segment.offsets.empty() ? std::nullopt : std::optional(segment.offsets.front());
  check_numbers(segment.headers, first_offset, segment.late);
  if (segment.chain_broken) {
    object("chain", segment.headers, first_offset, "ce_prevsha256 is not the SHA-256 of the segment before");
  }
  if (!segment.offsets.empty())
    last_offset_ = std::max(last_offset_.value_or(Offset(0)), segment.offsets.back());
  auto& epoch = epochs_[segment.headers.epoch];
  ++epoch.segments;
  epoch.bytes += size;
  if (epoch.end && segment.headers.start < *epoch.end) {
    object("order", segment.headers, first_offset,
           fmt::format("it starts at {} before the segment in front of it ends at {}",
                       to_string(segment.headers.start), to_string(*epoch.end)));
  }
  if (segment.headers.duration) epoch.end = segment.headers.start + *segment.headers.duration;
  SegmentFacts facts{segment.headers, segment.offsets, std::nullopt, {}};
  check_content(segment, facts);
  segments_[{segment.headers.epoch, segment.headers.segment}] = std::move(facts);
}

void StreamLedger::check_numbers(const record::SegmentHeaders& headers, std::optional<Offset> offset,
                                 bool late) {
  auto [found, is_new] = epochs_.try_emplace(headers.epoch);
  auto& epoch = found->second;
  bool expired_before = report_.kept.begin.value > 0 && !epoch.started;
  if (!epoch.started && is_new && !expired_before) {
    object("epoch", headers, offset, "no epoch.started precedes it");
  }
  if (headers.segment > epoch.next && !(is_new && expired_before)) {
    object(
        "lost", headers, offset,
        fmt::format("segments {} to {} before it are missing", epoch.next.value, headers.segment.value - 1));
  }
  if (headers.segment > epoch.next && !(is_new && expired_before)) {
    epoch.absent.emplace_back(epoch.next, SegmentNumber(headers.segment.value - 1));
  }
  if (headers.segment < epoch.next) object("order", headers, offset, "it comes after a later one");
  epoch.next = std::max(epoch.next, headers.segment.next());
  if (late) return;  // ordinals of late records are ignored

  bool first_of_stream = !last_ordinal_ && report_.kept.begin.value == 0;
  if ((last_ordinal_ && headers.ordinal != last_ordinal_->next()) ||
      (first_of_stream && headers.ordinal.value != 0)) {
    object("order", headers, offset,
           fmt::format("its ordinal is {} where {} follows", headers.ordinal.value,
                       last_ordinal_ ? last_ordinal_->next().value : 0));
  }
  if (headers.discontinuities < last_discontinuities_) {
    object("order", headers, offset,
           fmt::format("its discontinuities go back from {} to {}", last_discontinuities_,
                       headers.discontinuities));
  }
  last_ordinal_ = last_ordinal_ ? std::max(*last_ordinal_, headers.ordinal) : headers.ordinal;
  last_discontinuities_ = std::max(last_discontinuities_, headers.discontinuities);
}

void StreamLedger::check_content(const record::AssembledSegment& segment, SegmentFacts& facts) {
  const auto& headers = segment.headers;
  auto offset = segment.offsets.empty() ? std::nullopt : std::optional(segment.offsets.front());
  if (segment.bytes.size() != headers.size)
    return;  // a claim check that was not redeemed: objected to already
  const auto& started = epochs_[headers.epoch].started;
  if (!started) return;  // expired with its epoch.started: no tracks to read it by
  auto content = read_content(segment, started->marker.tracks);
  if (!content) {
    object("content", headers, offset, content.error().message);
    return;
  }
  for (auto& problem : content->problems) object("content", headers, offset, std::move(problem));
  report_.counts.fragments += static_cast<std::int64_t>(content->parts.size());
  report_.counts.packets += content->packets;
  facts.init_xxh3 = content->init_xxh3;
  facts.parts = std::move(content->parts);
}

void StreamLedger::finish() {
  for (auto& [number, epoch] : epochs_) {
    auto object_to_epoch = [&, where = number](std::string message) {
      report_.problems.push_back({"epoch", std::move(message), topic_, std::nullopt, where, std::nullopt});
    };
    if (!epoch.started) {
      report_.notes.push_back(fmt::format("epoch {}: its beginning is no longer kept", number.value));
      continue;
    }
    if (!epoch.ended) {
      bool newest = number == epochs_.rbegin()->first;
      report_.notes.push_back(
          fmt::format("epoch {}: {}", number.value,
                      newest ? "open: a writer is at work, or it died" : "its writer died"));
      continue;
    }
    // What is damaged or missing has been objected to already; the rest must add up.
    auto counted = epoch.segments + epoch.absent_count();
    if (epoch.ended->segments > counted && epoch.next.value < epoch.ended->segments) {
      SegmentNumber last(epoch.ended->segments - 1);
      report_.problems.push_back({"lost",
                                  fmt::format("segments {} to {} at its end are missing", epoch.next, last),
                                  topic_, std::nullopt, number, epoch.next});
      epoch.absent.emplace_back(epoch.next, last);
      counted = epoch.segments + epoch.absent_count();
    }
    // Of those that are not whole the writer may have counted some: it did not hear what became of them.
    if (epoch.ended->segments < epoch.segments || epoch.ended->segments > counted) {
      object_to_epoch(
          fmt::format("epoch.ended counts {} segments; there are {}", epoch.ended->segments, counted));
    }
    if (epoch.absent.empty() && epoch.ended->bytes != epoch.bytes) {
      object_to_epoch(
          fmt::format("epoch.ended counts {} bytes; its segments have {}", epoch.ended->bytes, epoch.bytes));
    }
  }
}

}  // namespace gopline::cli
