#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "common/base/clock.h"

namespace gopline::analyzer {

// The Aggregator of what stages say of one picture: complete when all who were shown it have answered, or
// when its time is over. One picture at a time, so what is told leaves in the order of pictures; an answer
// that names an older one is late. Now is an argument. Pure.
class FrameJoin {
 public:
  // nullopt: everybody is waited for.
  explicit FrameJoin(std::optional<Duration> patience) : patience_(patience) {}

  // The next picture: its ticket.
  std::int64_t begin(SteadyTime now);
  // A stage is shown it, or is to be as soon as it has answered what it was asked before.
  void expect(std::size_t stage);
  // A stage answers for the picture with this ticket. false: too late, or for none of ours.
  bool answer(std::size_t stage, std::int64_t ticket);
  // Who was expected and has not answered is not waited for any more.
  void give_up();

  bool is_complete() const { return expected_.empty(); }
  bool is_over(SteadyTime now) const { return until_ && now >= *until_; }
  // How long there is still to wait; nullopt: for ever.
  std::optional<Duration> time_left(SteadyTime now) const;
  // Stages that were given up at this picture, in order.
  const std::set<std::size_t>& missing() const { return missing_; }
  std::int64_t ticket() const { return ticket_; }

 private:
  const std::optional<Duration> patience_;
  std::int64_t ticket_ = 0;
  std::optional<SteadyTime> until_;
  std::set<std::size_t> expected_, missing_;
};

}  // namespace gopline::analyzer
