#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "aggregator/sink.h"
#include "common/media/muxer.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

namespace fs = std::filesystem;

// Codecs of which a packet is a file that anybody can open, and how the names of such files end.
struct PictureCodec {
  std::string_view codec, word, ending, other_ending;
};
constexpr std::array<PictureCodec, 3> kPictureCodecs{
    {{"mjpeg", "JPEG", ".jpg", ".jpeg"}, {"png", "PNG", ".png", ".png"}, {"tiff", "TIFF", ".tif", ".tiff"}}};

// "out/frame-%06d.png" in its parts.
struct NumberedName {
  std::string before, behind;
  int digits = 1;
};

std::optional<NumberedName> numbered_name_of(const std::string& output) {
  auto percent = output.find('%', output.rfind('/') == std::string::npos ? 0 : output.rfind('/'));
  if (percent == std::string::npos || output.find("://") != std::string::npos) return std::nullopt;
  auto end = output.find_first_not_of("0123456789", percent + 1);
  constexpr std::size_t kMostDigits = 2;
  if (end == std::string::npos || output[end] != 'd' || end - percent - 1 > kMostDigits) return std::nullopt;
  auto digits = output.substr(percent + 1, end - percent - 1);
  return NumberedName{output.substr(0, percent), output.substr(end + 1),
                      digits.empty() ? 1 : std::stoi(digits)};
}

// Each picture into a file of its own, its bytes as they are. A file has its name when it is whole.
class PicturesSink final : public Sink {
 public:
  explicit PicturesSink(NumberedName name) : name_(std::move(name)) {}

  Result<void> begin_epoch(const EpochBegin& epoch) override {
    epoch_ = epoch;
    const auto& tracks = epoch.started.marker.tracks;
    main_ = media::main_track_of(tracks);
    const auto& codec = tracks.empty() ? std::string() : tracks[static_cast<std::size_t>(main_)].codec.codec;
    for (const auto& known : kPictureCodecs) {
      if (known.codec != codec) continue;
      if (name_.behind.ends_with(known.ending) || name_.behind.ends_with(known.other_ending)) return {};
      return fail(ErrorCode::kUnsupported, "epoch {} has {} pictures, whose names end in {}",
                  epoch.started.epoch, known.word, known.ending);
    }
    return fail(
        ErrorCode::kUnsupported,
        "epoch {} is {}: only JPEG, PNG and TIFF pictures are files of their own; ffmpeg makes pictures "
        "of the rest (gopline aggregate STREAM --output - | ffmpeg -i - {}%06d.png)",
        epoch.started.epoch, codec.empty() ? "without pictures" : codec, name_.before);
  }

  Result<void> write(const SegmentData& segment) override {
    GOPLINE_ASSIGN(auto packets, media::unpack_segment(segment.bytes.flatten(), segment.headers.content_type,
                                                       epoch_->started.marker.tracks));
    for (const auto& packet : packets) {
      if (packet.track == main_) GOPLINE_TRY(write_picture(packet.data));
    }
    if (stats_.epochs.empty() || stats_.epochs.back().epoch != epoch_->started.epoch) {
      AggregatedEpoch entry;
      entry.epoch = epoch_->started.epoch;
      if (epoch_->ended) entry.ended = epoch_->ended->cause;
      stats_.epochs.push_back(entry);
    }
    if (segment.part == 0) ++stats_.epochs.back().segments;
    return {};
  }

  void note_absence() override {}  // the next picture needs none before it
  Result<void> finish() override { return {}; }
  SinkStats stats() const override { return stats_; }

 private:
  Result<void> write_picture(const Buffer& bytes) {
    auto path = fmt::format("{}{:0{}}{}", name_.before, ++number_, name_.digits, name_.behind);
    auto part = path + ".part";
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    std::error_code error;
    if (!file) {
      int number = errno;
      fs::remove(part, error);
      return fail_errno(number, path);
    }
    fs::rename(part, path, error);
    if (error) return fail_errno(error.value(), path);
    ++stats_.packets;
    stats_.bytes += bytes.size();
    return {};
  }

  const NumberedName name_;
  std::optional<EpochBegin> epoch_;
  int main_ = 0;
  std::int64_t number_ = 0;
  SinkStats stats_;
};

}  // namespace

bool is_picture_output(const std::string& output) {
  return numbered_name_of(output).has_value();
}

std::unique_ptr<Sink> make_pictures_sink(const std::string& output) {
  return std::make_unique<PicturesSink>(numbered_name_of(output).value_or(NumberedName{output, "", 1}));
}

Result<std::string> output_format(const std::string& format, const std::string& output) {
  if (format.empty() && is_picture_output(output)) return std::string(kPictures);
  return media::container_format(format, output);
}

}  // namespace gopline::aggregator
