#include "common/record/segment_headers.h"

#include "common/record/event_type.h"
#include "common/record/header_codec.h"
#include "common/record/stream_id.h"

namespace gopline::record {

std::string chunk_id(EpochNumber epoch, SegmentNumber segment, std::int64_t chunk) {
  return fmt::format("{}-{}-{}", epoch, segment, chunk);
}

Headers encode(const SegmentHeaders& h) {
  HeaderWriter out(EventType::kSegment, h.stream, chunk_id(h.epoch, h.segment, h.chunk));
  out.text("ce_writer", h.writer);
  out.number("ce_epoch", h.epoch.value);
  out.number("ce_segment", h.segment.value);
  out.number("ce_chunk", h.chunk);
  out.flag("ce_lastchunk", h.last_chunk);
  out.number("ce_ordinal", h.ordinal.value);
  out.number("ce_discontinuities", h.discontinuities);
  out.time("ce_time", h.time);
  out.text("ce_clock", std::string(to_string(h.clock)));
  out.media_time("ce_start", h.start);
  if (h.duration) out.media_time("ce_duration", *h.duration);
  out.number("ce_sap", std::int64_t{h.sap});
  out.flag("ce_late", h.late);
  out.text("content-type", h.content_type);
  out.text("ce_xxh3", h.xxh3);
  if (h.size) out.number("ce_size", *h.size);
  if (h.sha256) out.text("ce_sha256", *h.sha256);
  if (h.previous_sha256) out.text("ce_prevsha256", *h.previous_sha256);
  if (h.dataref) {
    out.text("ce_dataref", h.dataref->uri);
    out.number("ce_datasize", h.dataref->size);
    out.text("ce_dataxxh3", h.dataref->xxh3);
  }
  if (!h.traceparent.empty()) out.text("traceparent", h.traceparent);
  return out.take();
}

namespace {

void parse_identity(HeaderParser& in, SegmentHeaders& h) {
  in.ignore("ce_specversion");
  in.ignore("ce_type");
  in.ignore("ce_partitionkey");
  h.stream = in.text("ce_stream");
  if (auto valid = check_stream_id(h.stream); !valid && !in.error()) {
    in.complain({ErrorCode::kCorrupt, "header ce_stream: " + valid.error().message});
  }
  if (in.text("ce_source") != source_of_stream(h.stream)) {
    in.complain({ErrorCode::kCorrupt, "header ce_source does not name the stream in ce_stream"});
  }
  h.writer = in.text("ce_writer");
  h.epoch = EpochNumber(in.number("ce_epoch"));
  h.segment = SegmentNumber(in.number("ce_segment"));
  h.chunk = in.number("ce_chunk");
  h.last_chunk = in.flag("ce_lastchunk");
  if (in.text("ce_id") != chunk_id(h.epoch, h.segment, h.chunk)) {
    in.complain({ErrorCode::kCorrupt, "header ce_id is not EPOCH-SEGMENT-CHUNK of this record"});
  }
}

void parse_digests(HeaderParser& in, SegmentHeaders& h) {
  auto need_hex = [&](std::string_view name, std::string_view value, std::size_t digits) {
    if (is_hex_digest(value, digits)) return;
    in.complain({ErrorCode::kCorrupt, fmt::format("header {}: not {} lower-case hex digits", name, digits)});
  };
  h.xxh3 = in.text("ce_xxh3");
  need_hex("ce_xxh3", h.xxh3, 16);
  h.sha256 = in.optional_text("ce_sha256");
  if (h.sha256) need_hex("ce_sha256", *h.sha256, 64);
  h.previous_sha256 = in.optional_text("ce_prevsha256");
  if (h.previous_sha256) need_hex("ce_prevsha256", *h.previous_sha256, 64);
  if (auto uri = in.optional_text("ce_dataref")) {
    h.dataref = DataRef{*uri, static_cast<std::uint64_t>(in.number("ce_datasize")), in.text("ce_dataxxh3")};
    need_hex("ce_dataxxh3", h.dataref->xxh3, 16);
  }
}

void parse_times(HeaderParser& in, SegmentHeaders& h) {
  h.time = in.time("ce_time");
  auto clock = capture_clock_from(in.text("ce_clock"));
  if (!clock) in.complain({ErrorCode::kCorrupt, "header ce_clock: not ntp, arrival, file or given"});
  h.clock = clock.value_or(CaptureClock::kFile);
  h.start = in.media_time("ce_start");
  h.duration = in.optional_media_time("ce_duration");
}

}  // namespace

Result<SegmentHeaders> parse_segment_headers(const Headers& headers) {
  GOPLINE_ASSIGN(auto type, event_type_of(headers));
  if (type != EventType::kSegment) return fail(ErrorCode::kInvalidArgument, "the record is not a segment");
  HeaderParser in(headers);
  SegmentHeaders h;
  parse_identity(in, h);
  h.ordinal = Ordinal(in.number("ce_ordinal"));
  h.discontinuities = in.number("ce_discontinuities");
  parse_times(in, h);
  auto sap = in.number("ce_sap");
  if (sap > 6) in.complain({ErrorCode::kCorrupt, "header ce_sap: not a stream access point type (0 to 6)"});
  h.sap = static_cast<int>(sap);
  h.late = in.flag("ce_late");
  h.content_type = in.text("content-type");
  parse_digests(in, h);
  if (auto size = in.optional_number("ce_size")) h.size = static_cast<std::uint64_t>(*size);
  if (h.last_chunk && (!h.size || !h.duration)) {
    in.complain({ErrorCode::kCorrupt, "a last chunk without ce_size or ce_duration"});
  }
  h.traceparent = in.optional_text("traceparent").value_or("");
  if (in.error()) return tl::unexpected<Error>(*in.error());
  h.unknown_headers = in.unused();
  return h;
}

}  // namespace gopline::record
