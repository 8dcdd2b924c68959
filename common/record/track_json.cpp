#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/record/json_fields.h"

// Tracks and sources as epoch.started and NS.streams describe them: docs/record-format.md, "Tracks". Members
// whose value is unknown or zero are left out.
namespace gopline::record {
namespace {

constexpr Rational kMicrosecond{1, 1'000'000};

// AV_DISPOSITION_* by name, because names outlive enumerations; the bits are FFmpeg's public constants.
constexpr std::array<std::pair<int, std::string_view>, 18> kDispositions{{{0x0001, "default"},
                                                                          {0x0002, "dub"},
                                                                          {0x0004, "original"},
                                                                          {0x0008, "comment"},
                                                                          {0x0010, "lyrics"},
                                                                          {0x0020, "karaoke"},
                                                                          {0x0040, "forced"},
                                                                          {0x0080, "hearing_impaired"},
                                                                          {0x0100, "visual_impaired"},
                                                                          {0x0200, "clean_effects"},
                                                                          {0x0400, "attached_pic"},
                                                                          {0x0800, "timed_thumbnails"},
                                                                          {0x1000, "non_diegetic"},
                                                                          {0x10000, "captions"},
                                                                          {0x20000, "descriptions"},
                                                                          {0x40000, "metadata"},
                                                                          {0x80000, "dependent"},
                                                                          {0x100000, "still_image"}}};

Json json_of_disposition(int bits) {
  Json out = Json::array();
  for (auto [bit, name] : kDispositions) {
    if (bits & bit) out.push_back(name);
    bits &= ~bit;
  }
  if (bits != 0) out.push_back(bits);  // bits without a name, as their sum
  return out;
}

int disposition_from(const JsonObject& in) {
  int bits = 0;
  for (const auto& element : in.array("disposition")) {
    if (element.is_number_integer()) bits |= element.get<int>();
    for (auto [bit, name] : kDispositions) {
      if (element == name) bits |= bit;
    }
  }
  return bits;
}

// Four printable characters as a string, anything else as the number.
Json json_of_tag(std::uint32_t tag) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(tag >> shift & 0xFF);
  for (char c : text) {
    if (c < 0x20 || c > 0x7E) return tag;
  }
  return text;
}

std::uint32_t tag_from(const JsonObject& in, const Json& object) {
  auto found = object.find("codec_tag");
  if (found == object.end()) return 0;
  if (!found->is_string()) return static_cast<std::uint32_t>(in.number("codec_tag", 0));
  auto text = found->get<std::string>();
  if (text.size() != 4) return in.complain("codec_tag", "not four characters"), 0;
  std::uint32_t tag = 0;
  for (int i = 3; i >= 0; --i) tag = tag << 8 | static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
  return tag;
}

Json json_of_side_data(const std::vector<media::SideData>& side_data) {
  Json out = Json::array();
  for (const auto& side : side_data)
    out.push_back({{"id", side.id}, {"bytes", base64_encode(side.bytes.bytes())}});
  return out;
}

std::vector<media::SideData> side_data_from(const JsonObject& in) {
  std::vector<media::SideData> out;
  for (const auto& element : in.array("side_data")) {
    auto side = in.element(element, "side_data");
    auto id = side.number("id", 1);
    if (id > 255) side.complain("id", "above 255");
    out.push_back({static_cast<std::uint8_t>(id), side.bytes("bytes")});
  }
  return out;
}

std::string fraction(const Rational& value) {
  return value.den > 0 ? gopline::to_string(value) : "0/1";
}

void put(Json& out, const char* name, std::string_view text) {
  if (!text.empty()) out[name] = text;
}
void put(Json& out, const char* name, std::int64_t value, std::int64_t unknown = 0) {
  if (value != unknown) out[name] = value;
}

Json json_of(const media::CodecParameters& codec) {
  Json out;
  out["type"] = media::to_string(codec.type);
  out["codec"] = codec.codec;
  out["codec_tag"] = json_of_tag(codec.codec_tag);
  if (!codec.extradata.empty()) out["extradata"] = base64_encode(codec.extradata.bytes());
  put(out, "format", codec.format);
  put(out, "bit_rate", codec.bit_rate);
  put(out, "bits_per_coded_sample", codec.bits_per_coded_sample);
  put(out, "bits_per_raw_sample", codec.bits_per_raw_sample);
  put(out, "profile", codec.profile, -99);
  put(out, "level", codec.level, -99);
  put(out, "width", codec.width);
  put(out, "height", codec.height);
  if (codec.sample_aspect_ratio.num != 0) out["sample_aspect_ratio"] = fraction(codec.sample_aspect_ratio);
  put(out, "field_order", codec.field_order);
  put(out, "color_range", codec.color_range);
  put(out, "color_primaries", codec.color_primaries);
  put(out, "color_transfer", codec.color_transfer);
  put(out, "color_space", codec.color_space);
  put(out, "chroma_location", codec.chroma_location);
  put(out, "video_delay", codec.video_delay);
  put(out, "channel_layout", codec.channel_layout);
  put(out, "sample_rate", codec.sample_rate);
  put(out, "block_align", codec.block_align);
  put(out, "frame_size", codec.frame_size);
  put(out, "initial_padding", codec.initial_padding);
  put(out, "trailing_padding", codec.trailing_padding);
  put(out, "seek_preroll", codec.seek_preroll);
  return out;
}

int small(const JsonObject& in, std::string_view name, int fallback = 0) {
  auto value = in.number_or(name, fallback);
  if (value < INT32_MIN || value > INT32_MAX) in.complain(name, "beyond 32 bits");
  return static_cast<int>(value);
}

void read_video(const JsonObject& in, media::CodecParameters& codec) {
  codec.width = small(in, "width");
  codec.height = small(in, "height");
  codec.sample_aspect_ratio = in.optional_media_time("sample_aspect_ratio").value_or(Rational{0, 1});
  codec.field_order = in.text_or("field_order", "");
  codec.color_range = in.text_or("color_range", "");
  codec.color_primaries = in.text_or("color_primaries", "");
  codec.color_transfer = in.text_or("color_transfer", "");
  codec.color_space = in.text_or("color_space", "");
  codec.chroma_location = in.text_or("chroma_location", "");
  codec.video_delay = small(in, "video_delay");
}

void read_audio(const JsonObject& in, media::CodecParameters& codec) {
  codec.channel_layout = in.text_or("channel_layout", "");
  codec.sample_rate = small(in, "sample_rate");
  codec.block_align = small(in, "block_align");
  codec.frame_size = small(in, "frame_size");
  codec.initial_padding = small(in, "initial_padding");
  codec.trailing_padding = small(in, "trailing_padding");
  codec.seek_preroll = small(in, "seek_preroll");
}

media::CodecParameters codec_from(const JsonObject& in, const Json& object) {
  media::CodecParameters codec;
  auto type = media::media_type_from(in.text("type"));
  if (!type) in.complain("type", "not video, audio, subtitle or data");
  codec.type = type.value_or(media::MediaType::kData);
  codec.codec = in.text("codec");
  if (object.is_object()) codec.codec_tag = tag_from(in, object);
  if (in.has("extradata")) codec.extradata = in.bytes("extradata");
  codec.format = in.text_or("format", "");
  codec.bit_rate = in.number_or("bit_rate", 0);
  codec.bits_per_coded_sample = small(in, "bits_per_coded_sample");
  codec.bits_per_raw_sample = small(in, "bits_per_raw_sample");
  codec.profile = small(in, "profile", -99);
  codec.level = small(in, "level", -99);
  read_video(in, codec);
  read_audio(in, codec);
  return codec;
}

// Source ticks as media time, ticks x num / den, and back: exact, because num is known on both sides.
void put_time(Json& out, const char* name, const std::optional<std::int64_t>& ticks,
              const Rational& time_base) {
  std::int64_t scaled = 0;
  if (!ticks || __builtin_mul_overflow(*ticks, time_base.num, &scaled))
    return;  // no container means such a time
  out[name] = fmt::format("{}/{}", scaled, time_base.den);
}

std::optional<std::int64_t> track_ticks(const JsonObject& in, std::string_view name,
                                        const Rational& time_base) {
  auto value = in.optional_media_time(name);
  if (!value) return std::nullopt;
  if (value->den != time_base.den || time_base.num <= 0 || value->num % time_base.num != 0) {
    return in.complain(name, "not a whole number of ticks"), std::nullopt;
  }
  return value->num / time_base.num;
}

}  // namespace

Json json_of(const media::Track& track) {
  Json out;
  out["track_id"] = track.id;
  out["source_index"] = track.source_index;
  out["time_base"] = fraction(track.time_base);
  out["source_form"] = media::to_string(track.source_form);
  out["codec_parameters"] = json_of(track.codec);
  if (track.avg_frame_rate.num != 0) out["avg_frame_rate"] = fraction(track.avg_frame_rate);
  if (track.r_frame_rate.num != 0) out["r_frame_rate"] = fraction(track.r_frame_rate);
  put_time(out, "start_time", track.start_time, track.time_base);
  put_time(out, "duration", track.duration, track.time_base);
  if (track.disposition != 0) out["disposition"] = json_of_disposition(track.disposition);
  if (!track.side_data.empty()) out["side_data"] = json_of_side_data(track.side_data);
  if (!track.metadata.empty()) out["metadata"] = json_of(track.metadata);
  return out;
}

media::Track track_from(const JsonObject& in) {
  media::Track track;
  track.id = static_cast<int>(in.number("track_id", 1));
  track.source_index = small(in, "source_index");
  track.time_base = in.media_time("time_base");
  if (track.time_base.num <= 0) in.complain("time_base", "not positive");
  auto form = media::source_form_from(in.text("source_form"));
  if (!form) in.complain("source_form", "not mp4, annexb or adts");
  track.source_form = form.value_or(media::SourceForm::kMp4);
  auto codec = in.object("codec_parameters");
  track.codec = codec_from(codec, codec.value());
  track.avg_frame_rate = in.optional_media_time("avg_frame_rate").value_or(Rational{0, 1});
  track.r_frame_rate = in.optional_media_time("r_frame_rate").value_or(Rational{0, 1});
  track.start_time = track_ticks(in, "start_time", track.time_base);
  track.duration = track_ticks(in, "duration", track.time_base);
  track.disposition = disposition_from(in);
  track.side_data = side_data_from(in);
  track.metadata = in.string_map("metadata");
  return track;
}

Json json_of(const media::SourceInfo& source) {
  Json out;
  out["name"] = without_secrets(source.name);
  out["format"] = source.format;
  put_time(out, "start_time", source.start_time_us, kMicrosecond);
  put_time(out, "duration", source.duration_us, kMicrosecond);
  if (source.size_bytes) out["size"] = *source.size_bytes;
  out["timestamps_may_jump"] = source.timestamps_may_jump;
  if (!source.metadata.empty()) out["metadata"] = json_of(source.metadata);
  return out;
}

media::SourceInfo source_from(const JsonObject& in) {
  media::SourceInfo source;
  source.name = in.text("name");
  source.format = in.text("format");
  source.start_time_us = track_ticks(in, "start_time", kMicrosecond);
  source.duration_us = track_ticks(in, "duration", kMicrosecond);
  if (in.has("size")) source.size_bytes = static_cast<std::uint64_t>(in.number("size", 0));
  source.timestamps_may_jump = in.flag("timestamps_may_jump");
  source.metadata = in.string_map("metadata");
  return source;
}

}  // namespace gopline::record
