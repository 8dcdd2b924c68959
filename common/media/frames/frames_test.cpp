#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

extern "C" {
#include <libavutil/display.h>
}

#include "common/base/test_time.h"
#include "common/media/frames/av_frames.h"
#include "common/media/frames/canvas.h"
#include "common/media/frames/label_font.h"
#include "common/media/frames/orientation.h"
#include "common/media/frames/picture_decoder.h"
#include "common/media/frames/picture_encoder.h"
#include "common/media/frames/sound_decoder.h"
#include "common/media/frames/sound_encoder.h"
#include "common/media/frames/tile_painter.h"
#include "common/media/side_data_ids.h"

namespace gopline::media {
namespace {

constexpr TileOptions kTile{64, 64, false, true};

// A picture of greys.
Picture grey(int width, int height, const std::function<int(int x, int y)>& luma, AVRational shape = {0, 1}) {
  auto frame = *make_frame(width, height);
  frame->sample_aspect_ratio = shape;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x)
      frame->data[0][y * frame->linesize[0] + x] = static_cast<std::uint8_t>(luma(x, y));
  }
  for (int plane = 1; plane < 3; ++plane)
    std::fill_n(frame->data[plane], frame->linesize[plane] * ((height + 1) / 2), std::uint8_t{128});
  return Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
}

Picture grey(int width, int height, int luma) {
  return grey(width, height, [luma](int, int) { return luma; });
}

Picture paint(const Picture& picture, const Orientation& orientation = {}, Rational shape = {0, 1}) {
  auto painter = *TilePainter::open(kTile);
  return *painter->paint(picture, orientation, shape, {});
}

// The rows and columns of a tile that are not black.
struct Box {
  int left = 64, top = 64, right = 0, bottom = 0;
  bool operator==(const Box&) const = default;
};
Box bright(const Picture& tile) {
  Box box;
  for (int y = 0; y < tile.height(); ++y) {
    for (int x = 0; x < tile.width(); ++x) {
      if (tile.luma(x, y) <= 40) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x + 1),
             std::max(box.bottom, y + 1)};
    }
  }
  return box;
}

std::ostream& operator<<(std::ostream& out, const Box& box) {
  return out << box.left << "," << box.top << " to " << box.right << "," << box.bottom;
}

TEST(TilePainter, KeepsProportionsAndLeavesTheRestBlack) {
  EXPECT_EQ(bright(paint(grey(128, 64, 200))), (Box{0, 16, 64, 48}));
  EXPECT_EQ(bright(paint(grey(32, 64, 200))), (Box{16, 0, 48, 64}));
  EXPECT_EQ(bright(paint(grey(33, 33, 200))), (Box{0, 0, 64, 64}));
}

TEST(TilePainter, PixelsNeedNotBeSquare) {
  auto wide = grey(32, 32, [](int, int) { return 200; }, {2, 1});
  EXPECT_EQ(bright(paint(wide)), (Box{0, 16, 64, 48}));
  EXPECT_EQ(bright(paint(wide, {}, {1, 1})), (Box{0, 0, 64, 64})) << "the track's own goes first";
  EXPECT_EQ(bright(paint(grey(32, 32, 200), {}, {1, 2})), (Box{16, 0, 48, 64}));
}

TEST(TilePainter, TurnsAPictureAsItsMatrixSays) {
  // Bright is the upper left quarter of an upright picture.
  auto corner = grey(64, 64, [](int x, int y) { return x < 32 && y < 32 ? 200 : 16; });
  struct Case {
    double degrees;  // counter-clockwise, as av_display_rotation_set() takes it negated
    bool mirrored;
    Box expected;
  };
  Box upper_left{0, 0, 32, 32}, upper_right{32, 0, 64, 32}, lower_left{0, 32, 32, 64},
      lower_right{32, 32, 64, 64};
  for (const auto& one :
       {Case{0, false, upper_left}, Case{90, false, upper_right}, Case{180, false, lower_right},
        Case{270, false, lower_left}, Case{0, true, upper_right}}) {
    std::array<std::int32_t, 9> matrix{};
    av_display_rotation_set(matrix.data(), one.degrees);
    if (one.mirrored) av_display_matrix_flip(matrix.data(), 1, 0);
    auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(matrix.data()), sizeof matrix);
    auto orientation = orientation_of({{side_data_ids::kDisplayMatrix, Buffer::copy(bytes)}});
    auto box = bright(paint(corner, orientation));
    EXPECT_NEAR(box.left, one.expected.left, 2) << one.degrees;
    EXPECT_NEAR(box.top, one.expected.top, 2) << one.degrees;
    EXPECT_NEAR(box.right, one.expected.right, 2) << one.degrees;
    EXPECT_NEAR(box.bottom, one.expected.bottom, 2) << one.degrees;
  }
  EXPECT_EQ(orientation_of({}), Orientation{});
}

TEST(TilePainter, TakesOtherFormatsAndRanges) {
  for (auto format : {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_GRAY8, AV_PIX_FMT_RGB24, AV_PIX_FMT_YUV422P,
                      AV_PIX_FMT_YUV444P10LE}) {
    AvFramePtr frame(av_frame_alloc());
    frame->format = format;
    frame->width = frame->height = 32;
    ASSERT_GE(av_frame_get_buffer(frame.get(), 0), 0);
    for (int plane = 0; plane < AV_NUM_DATA_POINTERS && frame->buf[plane]; ++plane)
      std::fill_n(frame->buf[plane]->data, frame->buf[plane]->size, std::uint8_t{0});
    auto tile = paint(Picture(std::shared_ptr<const AVFrame>(std::move(frame))));
    EXPECT_EQ(tile.luma(32, 32), format == AV_PIX_FMT_YUV422P || format == AV_PIX_FMT_YUV444P10LE ? 0 : 16)
        << av_get_pix_fmt_name(format);
  }
}

TEST(TilePainter, OneAfterTheOtherMayDiffer) {
  auto painter = *TilePainter::open(kTile);
  for (int size : {32, 100, 64, 17}) {
    auto tile = painter->paint(grey(size, size * 2, 200), {}, {0, 1}, {});
    ASSERT_TRUE(tile);
    EXPECT_EQ(bright(*tile), (Box{16, 0, 48, 64})) << size;
  }
}

TEST(TilePainter, WritesWordsInsideOfTheTile) {
  auto painter = TilePainter::open({320, 180, true, true});
  ASSERT_TRUE(painter) << painter.error().message;
  auto plain = *(*painter)->paint(grey(320, 180, 100), {}, {0, 1}, {});
  auto labelled =
      *(*painter)->paint(grey(320, 180, 100), {}, {0, 1}, {"g\xC3\xA4te \xF0\x9F\x8E\xA5\xFF", "12:00"});
  EXPECT_EQ(plain.luma(2, 178), 100);
  int dark = 0;
  for (int x = 0; x < 30; ++x) dark += labelled.luma(x, 179) < 60;
  EXPECT_GT(dark, 20) << "behind the words";
  EXPECT_EQ(labelled.luma(2, 100), 100) << "nothing elsewhere";
  int white = 0;
  for (int x = 0; x < 320; ++x) {
    for (int y = 160; y < 180; ++y) white += labelled.luma(x, y) > 180;
  }
  EXPECT_GT(white, 20);
  auto wide = (*painter)->paint(grey(320, 180, 100), {}, {0, 1}, {std::string(500, 'W'), "12:00"});
  ASSERT_TRUE(wide);
  auto notice = *(*painter)->paint_notice({"no signal", "since 12:00:00Z"}, {"gate"});
  white = 0;
  for (int x = 0; x < 320; ++x) {
    for (int y = 60; y < 120; ++y) white += notice.luma(x, y) > 180;
  }
  EXPECT_GT(white, 20);
}

TEST(LabelFont, TextIsAsWideAsItsLetters) {
  auto font = LabelFont::open(16);
  ASSERT_TRUE(font) << font.error().message;
  auto one = (*font)->render("W"), ten = (*font)->render("WWWWWWWWWW");
  EXPECT_GT(one.width, 4);
  EXPECT_EQ(ten.width, one.width * 10);
  EXPECT_EQ(ten.height, one.height);
  EXPECT_EQ((*font)->render("").width, 0);
}

TEST(Canvas, APictureTakenFromItStaysAsItWas) {
  auto canvas = *Canvas::make(64, 32);
  ASSERT_TRUE(canvas.place(grey(32, 32, 100), 0, 0));
  auto before = canvas.picture();
  ASSERT_TRUE(canvas.place(grey(32, 32, 200), 32, 0));
  auto after = canvas.picture();
  EXPECT_EQ(before.luma(40, 10), 16);
  EXPECT_EQ(after.luma(40, 10), 200);
  EXPECT_EQ(after.luma(10, 10), 100);
}

std::vector<Packet> encode(PictureEncoder& encoder, int count) {
  std::vector<Packet> packets;
  for (int i = 0; i < count; ++i) EXPECT_TRUE(encoder.encode(grey(64, 48, 30 + i * 6), i, packets)) << i;
  EXPECT_TRUE(encoder.finish(packets));
  return packets;
}

TEST(Pictures, ComeBackWithTheirTimes) {
  for (bool low_delay : {false, true}) {
    PictureEncoderOptions options{64, 48, {10, 1}, "mp4", low_delay, true};
    auto encoder = PictureEncoder::open(options);
    ASSERT_TRUE(encoder) << encoder.error().message;
    auto packets = encode(**encoder, 20);
    ASSERT_EQ(packets.size(), 20U);
    auto decoder = *PictureDecoder::open((*encoder)->track());
    std::vector<DecodedPicture> pictures;
    for (const auto& packet : packets) ASSERT_TRUE(decoder->decode(packet, kNoon, pictures));
    decoder->drain(pictures);
    ASSERT_EQ(pictures.size(), 20U);
    for (int i = 0; i < 20; ++i) {
      const auto& one = pictures[static_cast<std::size_t>(i)];
      EXPECT_EQ(one.time, kNoon + std::chrono::milliseconds(i * 100));
      EXPECT_EQ(one.duration, std::chrono::milliseconds(100));
      EXPECT_NEAR(one.picture.luma(32, 24), 30 + i * 6, 3);
    }
  }
}

TEST(Pictures, APacketThatCannotBeDecodedIsAnErrorAndTheNextAreTaken) {
  auto encoder = *PictureEncoder::open({64, 48, {10, 1}, "mp4", true, true});
  auto packets = encode(*encoder, 12);  // a key frame each second
  auto decoder = *PictureDecoder::open(encoder->track());
  std::vector<DecodedPicture> pictures;
  Packet rubbish = packets[0];
  rubbish.data = Buffer::copy(std::string_view("\0\0\0\1\x65this is no slice at all", 29));
  (void)decoder->decode(rubbish, kNoon, pictures);
  decoder->drain(pictures);
  pictures.clear();
  for (const auto& packet : packets) (void)decoder->decode(packet, kNoon, pictures);
  decoder->drain(pictures);
  EXPECT_EQ(pictures.size(), 12U);
}

TEST(Sound, ComesBackWithItsTimes) {
  auto encoder = SoundEncoder::open(48'000, 2, "mp4", 1);
  ASSERT_TRUE(encoder) << encoder.error().message;
  std::vector<float> samples;
  for (int i = 0; i < 48'000; ++i) {
    auto value = static_cast<float>(0.5 * std::sin(i * 2 * 3.14159265 * 440 / 48'000));
    samples.insert(samples.end(), {value, value});
  }
  std::vector<Packet> packets;
  ASSERT_TRUE((*encoder)->encode(samples, packets));
  ASSERT_TRUE((*encoder)->finish(packets));
  ASSERT_FALSE(packets.empty());
  EXPECT_EQ(packets[0].track, 1);
  // At another rate, so that the resampler has something to do.
  auto decoder = *SoundDecoder::open((*encoder)->track(), 32'000, 1);
  std::vector<DecodedSound> sounds;
  for (const auto& packet : packets) ASSERT_TRUE(decoder->decode(packet, kNoon, sounds));
  double loudest = 0;
  auto end = sounds.front().time;
  for (const auto& one : sounds) {
    EXPECT_NEAR(static_cast<double>((one.time - end).count()), 0, 100) << "pieces follow one another";
    end = one.time + Duration(static_cast<std::int64_t>(one.samples.size()) * 1'000'000 / 32'000);
    for (auto value : one.samples) loudest = std::max(loudest, static_cast<double>(std::abs(value)));
  }
  EXPECT_NEAR(loudest, 0.5, 0.1);
  EXPECT_GT(end - sounds.front().time, std::chrono::milliseconds(900));
}

}  // namespace
}  // namespace gopline::media
