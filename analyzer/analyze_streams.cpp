#include "analyzer/analyze_streams.h"

#include <fnmatch.h>

#include <algorithm>

#include "analyzer/stream_analysis.h"
#include "common/base/headers.h"
#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/payload/blob_key.h"
#include "common/reading/group_member.h"

namespace gopline::analyzer {
namespace {

constexpr auto kBetweenCommits = std::chrono::seconds(1);
constexpr std::size_t kUnfinishedBytes = 256 << 20;
// Between two looks at the group: about one segment, since its pictures take their time.
constexpr std::size_t kPollBytes = 1 << 20;

const std::string& stream_of(const record::AssemblerEvent& event) {
  return std::visit(
      [](const auto& one) -> const std::string& {
        if constexpr (requires { one.headers; }) {
          return one.headers.stream;
        } else if constexpr (requires { one.marker; }) {
          return one.marker.stream;
        } else {
          return one.stream;
        }
      },
      event);
}

// The streams of one partition, and what all of them are done with. What was found goes to the log with the
// offset up to which it was looked for.
class PartitionAnalysis final : public reading::PartitionWork {
 public:
  PartitionAnalysis(Workshop& workshop, TopicPartition where, LogReader& group)
      : workshop_(workshop), where_(std::move(where)), group_(group), assembler_(assembler_options()) {}

  Result<void> take(StoredRecord stored, SteadyTime now) override {
    auto offset = stored.offset;
    if (failed_ || (rewound_from_ && offset > *rewound_from_)) return {};
    rewound_from_.reset();
    if (!begun_at_) begun_at_ = offset;
    return or_rewind(take_next(std::move(stored), now), offset);
  }

  Result<void> tick(SteadyTime now) override {
    if (failed_ || rewound_from_ || !next_) return {};
    auto ticked = pass_on(assembler_.expire(now), {*next_, workshop_.clock.now()});
    for (auto& [stream, analysis] : streams_) analysis->settle_what_waits(now);
    if (ticked) ticked = write(now);
    return or_rewind(std::move(ticked), *next_);
  }

  void finish(bool) override {
    if (failed_ || rewound_from_) return;
    for (auto& [stream, analysis] : streams_) analysis->settle();
    if (auto written = write({}, true); !written) {
      log_warning(where_.topic, "partition {}: {}; what it holds is analyzed once more", where_.partition,
                  written.error().message);
    }
  }

  bool is_behind() const override { return rewound_from_ || !told_.empty(); }

 private:
  record::AssemblerOptions assembler_options() const {
    record::AssemblerOptions options;
    options.max_bytes = kUnfinishedBytes;
    options.max_wait = workshop_.options.patience;
    options.joins = true;  // what lies before the group's offset is done
    return options;
  }

  Result<void> take_next(StoredRecord stored, SteadyTime now) {
    auto offset = stored.offset;
    if (is_wanted(stored.key)) {
      announce_claim(stored);
      leave_shared_block(stored);
      record::IncomingRecord incoming{.offset = offset,
                                      .timestamp = stored.timestamp,
                                      .key = stored.key,
                                      .headers = &stored.headers,
                                      .value = stored.value.value_or(Buffer()),
                                      .damage = {},
                                      .pinned_bytes = stored.pinned_bytes};
      if (stored.damage) incoming.damage = stored.damage->message;
      GOPLINE_TRY(pass_on(assembler_.add(incoming, now), {offset, stored.timestamp}));
    }
    next_ = offset.next();
    return write(now);
  }

  // A log that is away is waited for: everything since the last commit comes once more, to new analyzers.
  Result<void> or_rewind(Result<void> result, Offset at) {
    if (result || failed_) return result;
    auto from = committed_ ? committed_ : begun_at_;
    if (result.error().code != ErrorCode::kUnavailable || !from || workshop_.stop.stop_requested()) {
      failed_ = true;
      return result;
    }
    log_warning(where_.topic, "partition {}: {}; goes on from offset {}", where_.partition,
                result.error().message, *from);
    streams_.clear();
    told_.clear();
    letters_.clear();
    assembler_ = record::ChunkAssembler(assembler_options());
    rewound_from_ = at;
    next_.reset();
    return group_.seek(where_, StartPosition::at(*from));
  }

  bool is_wanted(const std::string& stream) {
    auto [found, is_new] = wanted_.try_emplace(stream, false);
    if (is_new) {
      found->second = std::ranges::any_of(workshop_.options.patterns, [&](const std::string& pattern) {
        return ::fnmatch(pattern.c_str(), stream.c_str(), 0) == 0;
      });
    }
    return found->second;
  }

  void announce_claim(const StoredRecord& stored) {
    auto uri = find_header(stored.headers, "ce_dataref");
    auto size = find_header(stored.headers, "ce_datasize");
    if (!workshop_.claims || !uri || !size) return;
    if (auto bytes = parse_int64(*size); bytes && *bytes >= 0)
      workshop_.claims->announce(std::string(*uri), static_cast<std::uint64_t>(*bytes));
  }

  Result<void> pass_on(std::vector<record::AssemblerEvent> events, const RecordPlace& place) {
    for (auto& event : events) {
      auto stream = stream_of(event);
      auto& analysis = streams_[stream];
      if (!analysis) analysis = std::make_unique<StreamAnalysis>(workshop_, stream, where_.partition);
      GOPLINE_TRY(analysis->take(std::move(event), place));
    }
    return {};
  }

  // Everything before it is analyzed, and what was found is told. nullopt: nothing has come.
  std::optional<Offset> prefix() const {
    auto prefix = next_;
    auto note = [&](std::optional<Offset> offset) {
      if (offset && prefix && *offset < *prefix) prefix = offset;
    };
    note(assembler_.oldest_pending());
    for (const auto& [stream, analysis] : streams_) note(analysis->oldest_offset());
    return prefix;
  }

  // What follows from records before `next`: what follows from one behind it would be told once more by who
  // goes on from there.
  template <typename Told, typename Offsets>
  static std::vector<Told> release(std::vector<Told>& told, std::optional<Offset> next, Offsets offset_of) {
    auto waits = std::stable_partition(told.begin(), told.end(),
                                       [&](const Told& one) { return next && offset_of(one) < *next; });
    std::vector<Told> out(std::make_move_iterator(told.begin()), std::make_move_iterator(waits));
    told.erase(told.begin(), waits);
    return out;
  }

  // A thumbnail that is too large for its event is durable before the event refers to it. No event waits for
  // a store that does not take it.
  void place_thumbnail(record::Detection& event) {
    auto* store = workshop_.options.thumbnail_store;
    const auto& limits = workshop_.options.thumbnails;
    if (!store || !event.thumbnail || event.thumbnail->data.size() <= limits.most_bytes) return;
    BufferChain bytes(event.thumbnail->data);
    payload::BlobKey key{workshop_.options.topic_namespace, event.stream, format_hour(event.time),
                         sha256_hex(bytes)};
    auto put = store->put(payload::to_text(key), bytes, workshop_.stop);
    auto& report = workshop_.report.streams[event.stream];
    if (!put) {
      log_warning(event.stream, "an event has no thumbnail: {}", put.error().message);
      ++report.thumbnails_refused;
      event.thumbnail.reset();
      return;
    }
    ++report.thumbnails_elsewhere;
    event.thumbnail->ref = record::DataRef{put->uri, bytes.size(), xxh3_hex(bytes)};
    event.thumbnail->data = Buffer();
  }

  // Findings at once, an offset alone now and then.
  Result<void> write(SteadyTime now, bool is_last = false) {
    for (auto& [stream, analysis] : streams_) {
      std::ranges::move(analysis->take_detections(), std::back_inserter(told_));
      std::ranges::move(analysis->take_dead_letters(), std::back_inserter(letters_));
    }
    auto next = prefix();
    std::vector<record::Detection> events;
    for (auto& one : release(told_, next, [](const ToldDetection& told) { return told.because; }))
      events.push_back(std::move(one.detection));
    for (auto& event : events) place_thumbnail(event);
    auto letters = release(letters_, next, [](const record::DeadLetter& letter) { return letter.offset; });
    if (auto* enricher = workshop_.options.enricher; enricher && !events.empty()) {
      enricher->refresh(now);
      for (auto& event : events) enricher->enrich(event);
    }
    bool anything = !events.empty() || !letters.empty();
    bool is_due = next != committed_ && (is_last || now >= commit_at_);
    if (!anything && !is_due) return {};
    auto written = workshop_.event_log.write(group_, where_, events, letters, next);
    if (!written && written.error().code == ErrorCode::kConflict) {
      // Another worker has the partition and finds the same.
      failed_ = true;
      log_warning(where_.topic, "partition {}: {}", where_.partition, written.error().message);
      streams_.clear();
      told_.clear();
      return {};
    }
    GOPLINE_TRY(written);
    committed_ = next;
    commit_at_ = now + kBetweenCommits;
    for (const auto& event : events) {
      auto& report = workshop_.report.streams[event.stream];
      ++report.records;
      if (event.phase == record::EventPhase::kStart) ++report.events;
      if (workshop_.events.on_detection) workshop_.events.on_detection(event);
    }
    return {};
  }

  Workshop& workshop_;
  const TopicPartition where_;
  LogReader& group_;
  record::ChunkAssembler assembler_;
  std::map<std::string, bool> wanted_;
  std::map<std::string, std::unique_ptr<StreamAnalysis>> streams_;
  std::vector<ToldDetection> told_;  // and not written, for it is not certain to be told but once
  std::vector<record::DeadLetter> letters_;
  std::optional<Offset> begun_at_, next_, committed_;
  std::optional<Offset> rewound_from_;  // what comes behind it has been read ahead of what comes again
  SteadyTime commit_at_{};
  bool failed_ = false;  // nothing of it may be written any more
};

}  // namespace

std::string_view to_string(LagPolicy policy) {
  switch (policy) {
    case LagPolicy::kKeyOnly:
      return "key-only";
    case LagPolicy::kSkipToKey:
      return "skip-to-key";
    case LagPolicy::kBlock:
      break;
  }
  return "block";
}

bool AnalyzeReport::whole() const {
  return std::ranges::all_of(streams, [](const auto& one) {
    const auto& stream = one.second;
    bool all_joined = std::ranges::all_of(stream.analysis.stages,
                                          [](const auto& stage) { return stage.second.missed == 0; });
    return all_joined && stream.lost == 0 && stream.skipped == 0 && stream.keys_only == 0 &&
           stream.dead == 0 && stream.analysis.undecodable == 0;
  });
}

Result<AnalyzeReport> analyze_streams(Log& log, const Clock& clock, const AnalyzerKind& kind,
                                      const AnalyzeOptions& options, const AnalyzeEvents& events,
                                      const StopToken& stop) {
  auto topics = record::topics_of(options.topic_namespace);
  if (auto info = log.describe_topic(topics.segments); !info && info.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, "{} has no streams yet: `gopline split SOURCE` makes one",
                log.describe());
  } else if (!info) {
    return tl::unexpected<Error>(std::move(info.error()));
  }
  GOPLINE_ASSIGN(auto event_log, EventLog::open(log, clock, topics));
  GOPLINE_ASSIGN(auto epochs, reading::EpochFinder::open(log, topics));
  std::optional<reading::ClaimFetcher> claims;
  if (options.blobs) claims.emplace(*options.blobs, stop);
  AnalyzeReport report;
  Workshop workshop{
      log,  clock, kind, options, events, topics, epochs, *event_log, claims ? &*claims : nullptr,
      stop, report};
  reading::GroupMemberOptions membership;
  membership.topic = topics.segments;
  membership.group = options.group;
  membership.member_id = options.member_id;
  membership.first_start = options.first_start;
  membership.until_end = options.until_end;
  membership.poll_bytes = kPollBytes;
  membership.session_timeout = options.session_timeout;
  auto make_work = [&](const TopicPartition& where, LogReader& group) {
    return std::make_unique<PartitionAnalysis>(workshop, where, group);
  };
  GOPLINE_ASSIGN(auto member, reading::GroupMember::join(log, clock, membership, make_work));
  if (events.on_ready) events.on_ready();
  GOPLINE_TRY(member->run(stop));
  report.interrupted = stop.stop_requested();
  report.exactly_once = event_log->is_exactly_once();
  return report;
}

}  // namespace gopline::analyzer
