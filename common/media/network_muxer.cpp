#include "common/media/network_muxer.h"

#include <algorithm>
#include <limits>
#include <thread>

#include "common/base/text.h"
#include "common/media/annexb.h"
#include "common/media/av_convert.h"
#include "common/media/network_io.h"
#include "common/media/output_context.h"

namespace gopline::media {
namespace {

constexpr AVRational kAvMicroseconds{1, 1'000'000};
// How long a receiver keeps MPEG-TS before it shows it: PCR lies so far before pts.
constexpr int kDelayUs = 200'000;
// Pictures that are reordered have a dts before the timeline's zero, which not every format can say.
constexpr std::int64_t kLeadUs = 1'000'000;
constexpr int kFirstPid = 0x100, kPidsOfAVersion = 0x10;  // ISO/IEC 13818-1, 2.4.3.3
constexpr auto kFarewell = std::chrono::seconds(2);

bool is_for_mpegts(const CodecParameters& codec) {
  return is_one_of(codec.codec, {"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "aac", "mp2", "mp3",
                                 "ac3", "eac3", "dts", "opus"});
}

bool is_for_flv(const CodecParameters& codec) {
  if (is_one_of(codec.codec, {"h264", "aac"})) return true;
  if (codec.codec == "mp3") return is_one_of(std::to_string(codec.sample_rate), {"44100", "22050", "11025"});
  if (is_one_of(codec.codec, {"pcm_alaw", "pcm_mulaw"}))
    return codec.sample_rate == 8000 && is_one_of(codec.channel_layout, {"mono", "1 channels"});
  // Enhanced RTMP: from FFmpeg 6.1 on.
  const auto* descriptor = avcodec_descriptor_get_by_name(codec.codec.c_str());
  return descriptor && is_one_of(codec.codec, {"hevc", "av1"}) &&
         avformat_query_codec(av_guess_format("flv", nullptr, nullptr), descriptor->id,
                              FF_COMPLIANCE_NORMAL) == 1;
}

// RTP payload formats that libavformat writes.
constexpr Duration kSrtLatency = std::chrono::milliseconds(120);  // of libsrt, where nobody says another
constexpr Duration kMostSrtLatency = std::chrono::seconds(2);
constexpr Duration kSrtMargin = std::chrono::milliseconds(100);

// The largest that the address asks for, FFmpeg's microseconds.
Duration srt_latency(std::string_view url) {
  auto latency = kSrtLatency;
  for (std::string_view key : {"latency=", "rcvlatency=", "peerlatency="}) {
    auto found = url.find(key);
    if (found == std::string_view::npos) continue;
    auto text = url.substr(found + key.size());
    if (auto value = parse_int64(text.substr(0, text.find('&'))))
      latency = std::max(latency, Duration(*value));
  }
  return latency;
}

bool is_for_rtp(const CodecParameters& codec) {
  return is_one_of(codec.codec, {"h264", "hevc", "mpeg2video", "mpeg4", "mjpeg", "vp8", "aac", "mp2", "mp3",
                                 "opus", "pcm_alaw", "pcm_mulaw", "adpcm_g722"});
}

class AvNetworkMuxer final : public NetworkMuxer {
 public:
  AvNetworkMuxer(const NetworkTarget& target, Timestamp zero, StopToken stop)
      : target_(target),
        zero_(zero),
        patience_(target.patience, stop),
        farewell_(kFarewell, std::move(stop)) {}
  ~AvNetworkMuxer() override { close(); }

  Result<void> open(const std::vector<Track>& tracks) {
    AvDictionary options;
    for (const auto& [key, value] : target_.options)
      av_dict_set(&options.entries, key.c_str(), value.c_str(), 0);
    // Else what is on its way when the connection is closed is lost.
    if (target_.url.starts_with("srt:")) av_dict_set(&options.entries, "linger", "2", AV_DICT_DONT_OVERWRITE);
    if (target_.format != "rtsp") {
      auto& io = io_.emplace(patience_);
      GOPLINE_TRY(io.open(target_.url, target_.name, target_.format == "mpegts", options));
    }
    return begin(tracks, options);
  }

  Result<void> write(const LivePacket& timed) override {
    auto stream = stream_of_[static_cast<std::size_t>(timed.packet.track)];
    if (stream < 0)
      return fail(ErrorCode::kInvalidArgument, "{}: a packet of a track that it has not", target_.name);
    auto index = static_cast<std::size_t>(stream);
    if (timed.discontinuity && io_) io_->mark_discontinuity();
    GOPLINE_ASSIGN(auto packet, restored_packet(timed.packet, tracks_[index], restore_[index], true));
    packet->stream_index = stream;
    packet->pos = -1;
    set_times(*packet, timed.packet);
    patience_.begin_call();
    int code = av_write_frame(context_.get(), packet.get());
    if (context_->pb) avio_flush(context_->pb);
    if (io_ && io_->error() != 0) code = io_->error();
    if (code < 0) {
      broken_ = true;
      return patience_.failure(code, target_.name);
    }
    if (!io_) bytes_ += timed.packet.data.size();
    return {};
  }

  Result<bool> change_tracks(const std::vector<Track>& tracks) override {
    if (target_.format != "mpegts") return false;
    io_->be_silent();  // the old container's end, in which nothing may follow
    end_container();
    io_->be_heard();
    AvDictionary options;
    av_dict_set(&options.entries, "mpegts_flags", "initial_discontinuity", 0);
    ++tables_version_;
    av_dict_set_int(&options.entries, "tables_version", tables_version_ % 32, 0);
    // Other PIDs than before, so that nobody takes one codec for another.
    av_dict_set_int(&options.entries, "mpegts_start_pid",
                    kFirstPid + kPidsOfAVersion * (tables_version_ % 32), 0);
    GOPLINE_TRY(begin(tracks, options));
    return true;
  }

  void finish() override { close(); }
  std::uint64_t bytes_written() const override { return io_ ? io_->bytes_written() : bytes_; }

 private:
  Result<void> begin(const std::vector<Track>& tracks, AvDictionary& options) {
    const auto* format = av_guess_format(target_.format.c_str(), nullptr, nullptr);
    if (!format) return fail(ErrorCode::kUnsupported, "this FFmpeg cannot write {}", target_.format);
    choose(tracks);
    GOPLINE_ASSIGN(context_, make_context(*format, target_.url, SourceInfo{}, tracks_));
    context_->max_delay = target_.format == "mpegts" ? kDelayUs : 0;
    context_->flush_packets = 1;
    context_->interrupt_callback = patience_.callback();
    context_->start_time_realtime = zero_.time_since_epoch().count() - kLeadUs;
    if (io_) context_->pb = io_->context();
    set_defaults(options);
    patience_.begin_call();
    int code = avformat_write_header(context_.get(), &options.entries);
    if (io_ && io_->error() != 0) code = io_->error();
    if (code < 0) {
      context_.reset();
      return patience_.failure(code, target_.name);
    }
    last_dts_.assign(tracks_.size(), std::numeric_limits<std::int64_t>::min());
    if (const auto* unknown = av_dict_get(options.entries, "", nullptr, AV_DICT_IGNORE_SUFFIX))
      return fail(ErrorCode::kInvalidArgument, "{}: has no option '{}'", target_.name, unknown->key);
    return {};
  }

  void choose(const std::vector<Track>& tracks) {
    auto carried = tracks_for_network(target_.format, tracks);
    tracks_.clear();
    restore_.clear();
    stream_of_.clear();
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      stream_of_.push_back(carried[i] ? static_cast<int>(tracks_.size()) : -1);
      if (!carried[i]) continue;
      tracks_.push_back(tracks[i]);
      tracks_.back().duration.reset();
      restore_.push_back(restore_of(tracks[i], target_.format));
    }
  }

  // What the user said wins.
  void set_defaults(AvDictionary& options) const {
    auto prefer = [&](const char* key, const char* value) {
      av_dict_set(&options.entries, key, value, AV_DICT_DONT_OVERWRITE);
    };
    if (target_.format == "mpegts") {
      prefer("pes_payload_size", "0");  // sound leaves frame by frame
      prefer("omit_video_pes_length",
             "0");  // a picture is whole when it is here, not when the next one comes
    } else if (target_.format == "flv") {
      prefer("flvflags", "no_duration_filesize");
    } else {
      prefer("rtsp_transport", "tcp");
    }
  }

  void set_times(AVPacket& packet, const Packet& times) {
    auto index = static_cast<std::size_t>(packet.stream_index);
    auto dts = times.dts.value_or(times.pts.value_or(0));
    if (!base_us_) base_us_ = target_.format == "flv" ? dts : -kLeadUs;
    auto base = context_->streams[packet.stream_index]->time_base;
    auto in_ticks = [&](std::int64_t us) { return av_rescale_q(us, kAvMicroseconds, base); };
    packet.dts = in_ticks(dts - *base_us_);
    // Coarser ticks may make two times one.
    bool strict = (context_->oformat->flags & AVFMT_TS_NONSTRICT) == 0;
    auto least =
        last_dts_[index] + (last_dts_[index] == std::numeric_limits<std::int64_t>::min() || !strict ? 0 : 1);
    packet.dts = last_dts_[index] = std::max(packet.dts, least);
    packet.pts = std::max(packet.dts, in_ticks(times.pts.value_or(dts) - *base_us_));
    packet.duration = in_ticks(times.duration);
  }

  void end_container() {
    if (context_) av_write_trailer(context_.get());
    context_.reset();
  }

  // A receiver by SRT drops what is not due yet (TSBPD) when it hears that the sender has gone.
  void await_playout() {
    auto latency = std::min(srt_latency(target_.url), kMostSrtLatency) + kSrtMargin;
    io_->flush();
    std::this_thread::sleep_for(latency);
  }

  void close() {
    if (!context_) return;
    if (broken_ && io_) io_->be_silent();
    context_->interrupt_callback = farewell_.callback();
    farewell_.begin_call();
    end_container();  // of RTSP it also frees what the header made
    if (io_ && !broken_ && target_.url.starts_with("srt:")) await_playout();
    if (io_) io_->close();
  }

  const NetworkTarget target_;
  const Timestamp zero_;
  NetworkPatience patience_, farewell_;
  std::optional<NetworkIo> io_;
  AvOutputPtr context_;  // goes before io_
  std::vector<Track> tracks_;
  std::vector<Restore> restore_;
  std::vector<int> stream_of_;  // track -> stream of the container, or -1
  std::vector<std::int64_t> last_dts_;
  std::optional<std::int64_t> base_us_;
  int tables_version_ = 0;
  bool broken_ = false;
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::vector<bool> tracks_for_network(const std::string& format, const std::vector<Track>& tracks) {
  std::vector<bool> carried;
  bool video = false, audio = false;  // FLV has one of each
  for (const auto& track : tracks) {
    bool is_video = track.codec.type == MediaType::kVideo;
    bool fits = is_video || track.codec.type == MediaType::kAudio;
    if (format == "mpegts") {
      fits = fits && is_for_mpegts(track.codec);
    } else if (format == "flv") {
      auto& taken = is_video ? video : audio;
      fits = fits && !taken && is_for_flv(track.codec);
      taken = taken || fits;
    } else {
      fits = fits && is_for_rtp(track.codec);
    }
    carried.push_back(fits);
  }
  return carried;
}

bool knows_protocol(const std::string& scheme) {
  if (scheme == "rtsp" || scheme == "rtsps") return av_guess_format("rtsp", nullptr, nullptr) != nullptr;
  void* state = nullptr;
  while (const char* name = avio_enum_protocols(&state, 1)) {
    if (scheme == name) return true;
  }
  return false;
}

Result<std::unique_ptr<NetworkMuxer>> NetworkMuxer::connect(const NetworkTarget& target,
                                                            const std::vector<Track>& tracks, Timestamp zero,
                                                            StopToken stop) {
  auto muxer = std::make_unique<AvNetworkMuxer>(target, zero, std::move(stop));
  GOPLINE_TRY(muxer->open(tracks));
  return muxer;
}

}  // namespace gopline::media
