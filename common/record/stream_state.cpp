#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/record/marker_codec.h"

// The state of a stream in NS.streams: docs/record-format.md, "Streams".
namespace gopline::record {
namespace {

template <typename T, typename Spell>
Json or_null(const std::optional<T>& value, Spell spell) {
  return value ? Json(spell(*value)) : Json();
}

Json json_of(const StreamState& state) {
  auto number = [](auto strong) { return strong.value; };
  Json out;
  out["stream"] = state.stream;
  out["partition"] = state.partition.value;
  out["epoch_base"] = state.epoch_base;
  out["epoch"] = or_null(state.epoch, number);
  out["epoch_offset"] = state.epoch_offset.value;
  out["ended"] = or_null(state.ended, [](EndCause cause) { return to_string(cause); });
  out["ordinal"] = or_null(state.ordinal, number);
  out["discontinuities"] = state.discontinuities;
  out["segments"] = state.segments;
  out["bytes"] = state.bytes;
  out["first_time"] = or_null(state.first_time, format_rfc3339);
  out["last_time"] = or_null(state.last_time, format_rfc3339);
  out["position"] = state.position.value;
  out["index_position"] = state.index_position.value;
  out["updated"] = format_rfc3339(state.updated);
  out["started"] = state.started ? json_of(*state.started) : Json();
  return out;
}

}  // namespace

Encoded encode(const StreamState& state) {
  // The newest state replaces the one before: its id names the moment, not the stream alone.
  auto moment = state.updated.time_since_epoch().count();
  auto epoch = state.epoch ? std::to_string(state.epoch->value) : std::string("claim");
  HeaderWriter headers(
      EventType::kStream, state.stream,
      fmt::format("stream-{}-{}-{}-{}", epoch, state.segments, state.ended ? "ended" : "open", moment));
  if (state.started) headers.text("ce_writer", state.started->writer);
  if (state.epoch) headers.number("ce_epoch", state.epoch->value);
  headers.time("ce_time", state.updated);
  return finish_marker(std::move(headers), state.stream, json_of(state));
}

Result<StreamState> parse_stream_state(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kStream, headers, value));
  auto in = document.root();
  StreamState state;
  state.stream = stream_from(in);
  auto partition = in.number("partition", 0);
  if (partition > INT32_MAX) in.complain("partition", "beyond 31 bits");
  state.partition = PartitionId(static_cast<std::int32_t>(partition));
  state.epoch_base = in.number("epoch_base", 0);
  if (in.has("epoch")) state.epoch = EpochNumber(in.number("epoch", 0));
  state.epoch_offset = Offset(in.number("epoch_offset", 0));
  if (in.has("ended")) {
    state.ended = end_cause_from(in.text("ended"));
    if (!state.ended) in.complain("ended", "not a cause");
  }
  if (in.has("ordinal")) state.ordinal = Ordinal(in.number("ordinal", 0));
  state.discontinuities = in.number("discontinuities", 0);
  state.segments = in.number("segments", 0);
  state.bytes = static_cast<std::uint64_t>(in.number("bytes", 0));
  state.first_time = in.optional_time("first_time");
  state.last_time = in.optional_time("last_time");
  state.position = Offset(in.number("position", 0));
  state.index_position = Offset(in.number("index_position", 0));
  state.updated = in.time("updated");
  if (in.has("started")) state.started = epoch_started_from(in.object("started"));
  return document.finish(std::move(state));
}

}  // namespace gopline::record
