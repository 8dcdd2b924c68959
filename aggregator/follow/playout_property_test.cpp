#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "aggregator/follow/arrival_trace.h"
#include "aggregator/follow/playout.h"

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;
using namespace gopline::aggregator::testing;

struct Played {
  SteadyTime at;
  PlayoutItem item;
};

// A trace played as a program would: it sleeps until something arrives or is due.
class Player {
 public:
  Player(const PlayoutOptions& options, const ArrivalTrace& trace)
      : options_(options), playout_(options), trace_(trace) {}

  void start_at(const Position& start) { playout_.start_at(start); }

  // The consumer takes nothing in [from, to).
  void pause(SteadyTime from, SteadyTime to) { pause_from_ = from, pause_to_ = to; }

  void run() {
    if (!trace_.events.empty()) now_ = trace_.events.front().at;
    for (const auto& event : trace_.events) {
      play_until(event.at);
      now_ = std::max(now_, event.at);
      std::visit([&](const auto& what) { take(what); }, event.what);
      check_bounds();
    }
    playout_.finish();
    play_until(SteadyTime::max());
    EXPECT_FALSE(playout_.next_due(now_)) << "it ends";
    EXPECT_EQ(playout_.stats(now_).waiting_bytes, 0U);
  }

  std::vector<Played> out;
  std::map<Position, SteadyTime> arrived;  // what the playout kept
  std::uint64_t pushed = 0;
  ResequencerStats stats() const { return playout_.stats(now_).order; }
  SteadyTime now() const { return now_; }

 private:
  void take(const Piece& piece) {
    ++pushed;
    if (playout_.push(piece, now_) == Resequencer::Taken::kWaits) arrived.emplace(piece.at, now_);
  }
  void take(const EpochStart& start) { playout_.begin_epoch(start.epoch); }
  void take(const EpochStop& stop) { playout_.end_epoch(stop.epoch, stop.segments); }
  void take(const Unwritten& gap) { playout_.note_unwritten(gap.epoch, gap.before, gap.footage); }
  void take(const ToldLost& lost) { playout_.lose(lost.begin, lost.end, AbsenceCause::kCorrupt); }

  void check_bounds() {
    auto stats = playout_.stats(now_);
    EXPECT_LE(stats.waiting_bytes, options_.order.max_bytes);
    EXPECT_GE(stats.delay, options_.delay.least);
    EXPECT_LE(stats.delay, options_.delay.most);
  }

  void play_until(SteadyTime until) {
    for (auto due = playout_.next_due(now_); due && *due <= until; due = playout_.next_due(now_)) {
      auto at = std::max(now_, *due);
      if (pause_from_ <= at && at < pause_to_) at = pause_to_;
      if (at > until) return;
      now_ = at;
      auto item = playout_.pop(now_);
      ASSERT_TRUE(item) << "what is due is there";
      out.push_back({now_, std::move(*item)});
      ASSERT_LE(out.size(), 10 * trace_.events.size() + 100) << "it ends";
    }
  }

  PlayoutOptions options_;
  Playout playout_;
  const ArrivalTrace& trace_;
  SteadyTime now_{}, pause_from_ = SteadyTime::max(), pause_to_ = SteadyTime::max();
};

// Walks the output and holds it to being a line without holes, on which every piece that was written lies
// once.
class Auditor {
 public:
  explicit Auditor(const Player& player) : player_(player) {}

  void audit(const ArrivalTrace& trace) {
    for (const auto& out : player_.out) {
      std::visit([&](const auto& item) { take(item); }, out.item);
    }
    for (const auto& event : trace.events) {
      std::visit([&](const auto& what) { heard_.insert(epoch_of(what)); }, event.what);
    }
    for (const auto& piece : trace.written) EXPECT_EQ(fates(piece.at), 1) << show(piece.at);
    check_counts();
  }

  // No access point that was here is held longer than the delay may be.
  void audit_pace(Duration most) {
    SteadyTime newest_arrival{};
    for (const auto& out : player_.out) {
      const auto* item = std::get_if<PlayoutPiece>(&out.item);
      if (!item) continue;
      auto arrived = player_.arrived.at(item->piece.at);
      newest_arrival = std::max(newest_arrival, arrived);
      EXPECT_GE(out.at, arrived);
      if (item->piece.is_access_point()) {
        EXPECT_LE(out.at, newest_arrival + most + 20ms) << show(item->piece.at);
      }
    }
  }

 private:
  static std::string show(const Position& at) {
    return fmt::format("{}:{}.{}", at.epoch, at.segment, at.part);
  }

  void take(const EpochJoin& join) {
    EXPECT_EQ(join.from, joined_);
    if (joined_) {
      EXPECT_LT(*joined_, join.to);
      Position end{joined_->next(), 0, 0};
      if (!join.from_ended) unknown_.emplace_back(expected_.value_or(Position{*joined_, 0, 0}), end);
      if (join.passed_over > 0) unknown_.emplace_back(end, Position{join.to, 0, 0});
    } else if (join.from_its_start) {
      first_ = Position{join.to, 0, 0};
    }
    expected_.reset();
    joined_ = join.to;
    inside_ = !join.from_its_start;
    after_gap_ = inside_;
    open_ = false;
  }

  // The first position of an epoch is known by its first item, where the output begins inside.
  void expect(const Position& at) {
    ASSERT_TRUE(joined_);
    if (!expected_) {
      EXPECT_EQ(at.epoch, *joined_);
      EXPECT_TRUE(inside_ || at == (Position{*joined_, 0, 0})) << show(at);
      if (!first_) first_ = at;
    } else {
      EXPECT_EQ(at, *expected_) << show(at) << " instead of " << show(*expected_);
    }
  }

  void take(const PlayoutGap& gap) {
    expect(gap.begin);
    EXPECT_LE(gap.begin, gap.end);
    EXPECT_EQ(gap.begin.epoch, gap.end.epoch);
    EXPECT_EQ(gap.continues, was_gap_ && expected_.has_value());
    if (gap.begin < gap.end) gaps_.emplace_back(gap.begin, gap.end);
    expected_ = gap.end;
    after_gap_ = was_gap_ = true;
  }

  void take(const PlayoutPiece& out) {
    const auto& piece = out.piece;
    expect(piece.at);
    EXPECT_TRUE(played_.insert(piece.at).second) << show(piece.at) << " twice";
    EXPECT_EQ(out.resumes, after_gap_);
    EXPECT_TRUE(!after_gap_ || piece.is_access_point()) << show(piece.at);
    if (piece.is_access_point()) open_ = after_gap_ && piece.sap == 3;
    EXPECT_EQ(out.drop_leading, open_);
    expected_ = piece.next();
    after_gap_ = was_gap_ = false;
  }

  static EpochNumber epoch_of(const Piece& piece) { return piece.at.epoch; }
  static EpochNumber epoch_of(const ToldLost& lost) { return lost.begin.epoch; }
  static EpochNumber epoch_of(const auto& marker) { return marker.epoch; }

  // How many of the ways to end a piece's story apply to it.
  int fates(const Position& at) const {
    auto in = [&](const auto& range) { return range.first <= at && at < range.second; };
    int fates = static_cast<int>(played_.count(at));
    fates += static_cast<int>(std::ranges::count_if(gaps_, in));
    fates += static_cast<int>(std::ranges::count_if(unknown_, in));
    if (!first_ || at < *first_) return fates + 1;  // before the output began
    // What the reader was never told of, at the very end.
    bool unseen = !player_.arrived.contains(at) && expected_ && at >= *expected_;
    bool never_reached = at.epoch > *joined_ || (at.epoch == *joined_ && !expected_);
    // An epoch between two that were joined, of which nothing reached anybody.
    bool unheard_of = fates == 0 && at.epoch < *joined_ && !heard_.contains(at.epoch);
    return fates + (unseen || never_reached || unheard_of ? 1 : 0);
  }

  void check_counts() {
    auto stats = player_.stats();
    EXPECT_EQ(stats.played, played_.size());
    // Where a single piece exceeds the budget it was pushed and never waited.
    EXPECT_EQ(player_.pushed, stats.played + stats.duplicates + stats.late + stats.before_start +
                                  stats.unplayable + stats.over_budget);
  }

  const Player& player_;
  std::optional<Position> first_, expected_;
  std::optional<EpochNumber> joined_;
  bool inside_ = false, after_gap_ = false, was_gap_ = false, open_ = false;
  std::set<Position> played_;
  std::set<EpochNumber> heard_;
  std::vector<std::pair<Position, Position>> gaps_, unknown_;
};

constexpr std::uint64_t kSeeds = 4000;

std::vector<Position> pieces_of(const Player& player) {
  std::vector<Position> pieces;
  for (const auto& out : player.out) {
    if (const auto* item = std::get_if<PlayoutPiece>(&out.item)) pieces.push_back(item->piece.at);
  }
  return pieces;
}

// Any network.
TraceSettings any_settings(std::mt19937_64& random) {
  auto fraction = [&](double most) { return std::uniform_real_distribution<double>(0, most)(random); };
  auto some = [&](double most) { return fraction(1) < 0.5 ? 0 : fraction(most); };
  TraceSettings settings;
  settings.epochs = static_cast<int>(1 + random() % 4);
  settings.segments = static_cast<int>(1 + random() % 30);
  settings.jitter = Duration(static_cast<Duration::rep>(some(500e3)));
  settings.stalls = some(0.2);
  settings.very_late = some(0.1);
  settings.lost = some(0.2);
  settings.duplicated = some(0.4);
  settings.told_lost = some(0.1);
  settings.markers_lost = some(0.5);
  settings.unwritten = some(0.1);
  settings.continued = some(0.3);
  settings.unfinished = some(0.2);
  settings.drift_ppm = some(1000) - some(1000);
  settings.in_log_order = fraction(1) < 0.3;
  settings.begins_inside = fraction(1) < 0.3;
  return settings;
}

PlayoutOptions any_options(std::mt19937_64& random) {
  PlayoutOptions options;
  options.delay.least = std::chrono::milliseconds(random() % 3 == 0 ? random() % 3000 : 0);
  options.delay.most = options.delay.least + std::chrono::milliseconds(random() % 6000);
  options.paced = random() % 3 != 0;
  return options;
}

TEST(PlayoutProperties, AnyNetwork) {
  ResequencerStats sum;
  for (std::uint64_t seed = 0; seed < kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    auto settings = any_settings(random);
    auto options = any_options(random);
    auto trace = TraceMaker(settings, seed).make();
    Player player(options, trace);
    player.run();
    Auditor auditor(player);
    auditor.audit(trace);
    auditor.audit_pace(options.delay.most);
    auto stats = player.stats();
    sum.played += stats.played, sum.duplicates += stats.duplicates, sum.late += stats.late;
    sum.gaps += stats.gaps, sum.unplayable += stats.unplayable, sum.joins += stats.joins;
    sum.before_start += stats.before_start;
  }
  // What the networks were to bring about came about.
  for (auto count :
       {sum.played, sum.duplicates, sum.late, sum.gaps, sum.unplayable, sum.joins, sum.before_start})
    EXPECT_GT(count, kSeeds / 10);
}

TEST(PlayoutProperties, AConsumerThatStopsTakingCostsMemoryUpToTheBudget) {
  std::uint64_t over_budget = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    auto settings = any_settings(random);
    auto options = any_options(random);
    options.order.max_bytes = 1000 + random() % 200'000;
    auto trace = TraceMaker(settings, seed).make();
    Player player(options, trace);
    if (!trace.events.empty()) {
      auto from = trace.events.front().at + std::chrono::milliseconds(random() % 20'000);
      player.pause(from, from + std::chrono::milliseconds(random() % 60'000));
    }
    player.run();
    Auditor(player).audit(trace);
    over_budget += player.stats().over_budget;
  }
  EXPECT_GT(over_budget, kSeeds);
}

// With a delay that covers the worst of the network, and nothing lost, all is played: nothing is given up
// without need.
TEST(PlayoutProperties, NothingIsGivenUpThatComesWithinTheDelay) {
  for (std::uint64_t seed = 0; seed < kSeeds / 2 && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    TraceSettings settings;
    settings.segments = static_cast<int>(1 + random() % 40);
    settings.very_late = 0.3;
    settings.duplicated = 0.2;
    settings.continued = 0.1;
    settings.drift_ppm = std::uniform_real_distribution<double>(-500, 500)(random);
    PlayoutOptions options;
    options.delay.least = 21s;
    options.delay.most = 30s;
    auto trace = TraceMaker(settings, seed).make();
    // An end that overtakes what it ends is believed at once.
    std::erase_if(trace.events,
                  [](const TraceEvent& event) { return std::holds_alternative<EpochStop>(event.what); });
    std::stable_partition(trace.events.begin(), trace.events.end(), [](const TraceEvent& event) {
      return std::holds_alternative<EpochStart>(event.what);
    });
    trace.events.front().at = trace.events[std::min<std::size_t>(1, trace.events.size() - 1)].at;
    Player player(options, trace);
    player.run();
    Auditor(player).audit(trace);
    EXPECT_EQ(player.stats().played, trace.written.size());
    EXPECT_EQ(player.stats().gaps, 0U);
  }
}

TraceSettings nothing_is_lost(std::mt19937_64& random) {
  auto settings = any_settings(random);
  settings.in_log_order = true;
  settings.begins_inside = false;
  settings.lost = settings.told_lost = settings.continued = settings.markers_lost = settings.unfinished = 0;
  return settings;
}

// A log keeps order: whatever the network does, nothing is lost that arrives, epochs and all.
TEST(PlayoutProperties, InLogOrderEverythingThatArrivesIsPlayed) {
  for (std::uint64_t seed = 0; seed < kSeeds / 2 && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    auto settings = nothing_is_lost(random);
    auto trace = TraceMaker(settings, seed).make();
    Player player(any_options(random), trace);
    player.run();
    Auditor(player).audit(trace);
    EXPECT_EQ(player.stats().played, trace.written.size());
    EXPECT_EQ(player.stats().late, 0U);
  }
}

// Who ended in the middle of it all, and begins again at the newest access point of what it had put out, has
// all once more from there on, and nothing else: what was put out before that, and this, are the stream.
TEST(PlayoutProperties, AReaderThatBeginsAgainGoesOnWhereItWas) {
  std::uint64_t restarts = 0;
  for (std::uint64_t seed = 0; seed < kSeeds / 4 && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    auto settings = nothing_is_lost(random);
    auto trace = TraceMaker(settings, seed).make();
    auto options = any_options(random);
    ArrivalTrace beginning = trace;
    beginning.events.resize(1 + random() % trace.events.size());
    Player first(options, beginning);
    first.run();
    std::vector<Position> out;
    for (const auto& piece : pieces_of(first)) out.push_back(piece);
    auto access = [&](const Position& at) {
      return std::ranges::find(trace.written, at, &Piece::at)->is_access_point();
    };
    while (!out.empty() && !access(out.back())) out.pop_back();
    if (out.empty()) continue;
    auto start = out.back();
    out.pop_back();
    ++restarts;
    ArrivalTrace rest = trace;
    std::erase_if(rest.events, [&](const TraceEvent& event) {
      const auto* piece = std::get_if<Piece>(&event.what);
      return piece && piece->at < start;
    });
    Player second(options, rest);
    second.start_at(start);
    second.run();
    for (const auto& piece : pieces_of(second)) out.push_back(piece);
    std::vector<Position> written;
    for (const auto& piece : trace.written) written.push_back(piece.at);
    EXPECT_EQ(out, written);
  }
  EXPECT_GT(restarts, kSeeds / 10);
}

// Parts are due by their own length: behind a writer of parts, on a quick way, each is put out when it comes,
// however long the segments are.
TEST(PlayoutProperties, PartsLeaveAsTheyCome) {
  for (bool paced : {true, false}) {
    TraceSettings settings;
    settings.segments = 300;
    settings.in_log_order = true;
    settings.part_length = 300ms;
    auto trace = TraceMaker(settings, 1).make();
    PlayoutOptions options;
    options.paced = paced;
    Player player(options, trace);
    player.run();
    EXPECT_EQ(player.stats().played, trace.written.size());
    for (const auto& out : player.out) {
      const auto* item = std::get_if<PlayoutPiece>(&out.item);
      if (!item) continue;
      EXPECT_LE(out.at - player.arrived.at(item->piece.at), 1us);
    }
  }
}

class LongRun : public ::testing::TestWithParam<double> {};

// Three hours beside a clock that runs off by up to five seconds: the output stays as far behind the
// pictures as it was, at an even pace, and nothing is lost.
TEST_P(LongRun, DriftIsAbsorbed) {
  TraceSettings settings;
  settings.segments = 9000;
  settings.jitter = 20ms;
  settings.drift_ppm = GetParam();
  settings.in_log_order = true;
  auto trace = TraceMaker(settings, 1).make();
  PlayoutOptions options;
  options.delay.least = 1s;
  Player player(options, trace);
  player.run();
  EXPECT_EQ(player.stats().gaps, 0U);
  std::optional<std::pair<Duration, Duration>> range;
  for (const auto& out : player.out) {
    const auto* item = std::get_if<PlayoutPiece>(&out.item);
    if (!item || item->piece.start < 10min) continue;
    auto writer = static_cast<double>(item->piece.start.count()) * (1 + GetParam() * 1e-6);
    auto behind = std::chrono::duration_cast<Duration>(out.at - SteadyTime(10h)) -
                  Duration(static_cast<Duration::rep>(writer));
    if (!range) range = {behind, behind};
    range->first = std::min(range->first, behind);
    range->second = std::max(range->second, behind);
  }
  ASSERT_TRUE(range);
  EXPECT_LE(range->second - range->first, 100ms) << range->first.count() << " to " << range->second.count();
}

INSTANTIATE_TEST_SUITE_P(Ppm, LongRun, ::testing::Values(-500, -100, 0, 100, 500));

}  // namespace
}  // namespace gopline::aggregator
