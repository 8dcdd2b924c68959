#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "aggregator/mosaic/axis.h"
#include "aggregator/mosaic/frame_line.h"
#include "common/base/clock.h"

namespace gopline::aggregator {

struct WallOptions {
  std::optional<Duration> give_up;          // nullopt: every stream is waited for
  std::optional<std::int64_t> from, until;  // instants; before and from there on nothing is shown
};

// What a tile shows at an instant.
struct TileView {
  bool has_signal = false;
  media::Picture picture;               // where there is a signal
  Timestamp time;                       // at which it was taken
  std::optional<Timestamp> lost_since;  // where there is none; nullopt: since ever
};

struct WallInstant {
  std::int64_t instant = 0;
  std::vector<TileView> tiles;
};

struct TileStats {
  std::uint64_t shown = 0;    // frames
  std::uint64_t late = 0;     // frames of which nothing was shown: their instants had been put out
  std::uint64_t blank = 0;    // instants without a signal
  std::uint64_t outages = 0;  // times that the signal went away, or was not there from the beginning
};

// Several streams on one axis, instant by instant.
//
// An instant is put out when it is known what every stream shows then: its frame, or that there is none,
// since a later one has come or nothing comes any more. With `give_up`, who is behind is waited for so long
// after the first stream has come as far, then shows no signal, and is not waited for again before it has
// come with something that can still be shown. So one that is silent delays the others once. Which clock the
// cameras go by does not matter: only arrivals are compared with arrivals. Pure: now is an argument. Not
// thread-safe.
class Wall {
 public:
  Wall(std::size_t tiles, Axis axis, WallOptions options);

  // In the order of a stream's instants.
  void push(std::size_t tile, Showing showing, SteadyTime now);
  void finish(std::size_t tile);  // nothing more comes of it

  // The next instant, if it can be put out.
  bool can_pop(SteadyTime now) const;
  std::optional<WallInstant> pop(SteadyTime now);
  // When pop() will have something though nothing comes; nullopt: it needs something to come.
  std::optional<SteadyTime> next_due() const;
  bool is_over() const;  // pop() will never have anything again

  std::size_t waiting_bytes(std::size_t tile) const { return tiles_[tile].bytes; }
  const TileStats& stats(std::size_t tile) const { return tiles_[tile].stats; }
  // The next instant; nullopt: nothing has been put out yet.
  std::optional<std::int64_t> next() const { return next_; }

 private:
  struct Arrival {
    std::int64_t until;  // what the stream shows before this instant is known
    SteadyTime at;
  };
  struct Tile {
    std::deque<Showing> waiting;
    std::deque<Arrival> arrivals;
    std::size_t bytes = 0;
    std::optional<std::int64_t> known_until;
    std::optional<Timestamp> lost_since;
    bool front_was_shown = false;
    bool has_signal =
        true;  // as of the last instant; true at first, so that none from the start is an outage
    bool finished = false;
    bool given_up = false;
    TileStats stats;
  };

  bool is_known(const Tile& tile, std::int64_t instant) const;
  bool is_awaited(const Tile& tile, std::int64_t instant) const {
    return !tile.given_up && !is_known(tile, instant);
  }
  std::optional<std::int64_t> instant_in_hand() const;
  std::optional<SteadyTime> first_arrival(std::int64_t instant) const;
  void pass(Tile& tile, std::int64_t instant);
  void drop_front(Tile& tile);
  TileView view(Tile& tile, std::int64_t instant);

  Axis axis_;
  WallOptions options_;
  std::vector<Tile> tiles_;
  std::optional<std::int64_t> next_;
};

}  // namespace gopline::aggregator
