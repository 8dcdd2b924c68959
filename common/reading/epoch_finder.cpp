#include "common/reading/epoch_finder.h"

#include "common/catalog/history.h"

namespace gopline::reading {
namespace {

constexpr std::size_t kEpochsAtOnce = 16;  // of a stream

}  // namespace

Result<EpochFinder> EpochFinder::open(Log& log, const record::Topics& topics) {
  GOPLINE_ASSIGN(auto directory, catalog::StreamDirectory::read(log, topics));
  return EpochFinder(log, topics, std::move(directory));
}

void EpochFinder::know(const std::string& stream, record::StartedEpoch started) {
  auto& epochs = known_[stream];
  epochs.insert_or_assign(started.epoch, std::move(started));
  while (epochs.size() > kEpochsAtOnce) epochs.erase(epochs.begin());
}

Result<std::optional<record::StreamState>> EpochFinder::state_of(const std::string& stream) {
  GOPLINE_TRY(directory_.refresh());
  auto state = directory_.find(stream);
  if (!state) return std::nullopt;
  return std::move(*state);
}

Result<std::optional<record::StartedEpoch>> EpochFinder::find(const std::string& stream, EpochNumber number) {
  auto& epochs = known_[stream];
  if (auto known = epochs.find(number); known != epochs.end()) return known->second;
  GOPLINE_ASSIGN(auto state, state_of(stream));
  if (!state) return std::nullopt;
  if (state->epoch == number && state->started) {
    know(stream, {number, state->epoch_offset, *state->started});
    return epochs.at(number);
  }
  auto offset = Offset(number.value - state->epoch_base);
  auto found = catalog::find_epoch(*log_, topics_, *state, number, offset);
  if (!found && found.error().code == ErrorCode::kNotFound) return std::nullopt;
  if (!found) return tl::unexpected<Error>(std::move(found.error()));
  know(stream, *found);
  return std::move(*found);
}

}  // namespace gopline::reading
