#include "common/media/frames/still_image.h"

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "common/media/frames/jpeg.h"
#include "common/media/frames/test_pictures.h"

namespace gopline::media {
namespace {

Buffer jpeg_file(int width, int height) {
  return *JpegEncoder().encode(test_picture(width, height));
}

ErrorCode error_of(const Buffer& file) {
  auto image = read_still_image(file);
  return image ? ErrorCode::kInternal : image.error().code;
}

TEST(StillImage, TellsWhatAFileIs) {
  for (const auto& [file, codec] :
       std::vector<std::pair<Buffer, std::string>>{{jpeg_file(64, 48), "mjpeg"},
                                                   {test_still("png", 64, 48), "png"},
                                                   {test_still("tiff", 64, 48), "tiff"}}) {
    auto image = read_still_image(file);
    ASSERT_TRUE(image) << codec << ": " << image.error().message;
    EXPECT_EQ(image->codec.codec, codec);
    EXPECT_EQ(image->codec.type, MediaType::kVideo);
    EXPECT_EQ(image->codec.width, 64);
    EXPECT_EQ(image->codec.height, 48);
    EXPECT_EQ(image->picture.width(), 64);
    EXPECT_EQ(image->taken, std::nullopt);
  }
}

TEST(StillImage, WhatIsCutShortAnywhereIsBroken) {
  for (const auto& file : {jpeg_file(64, 48), test_still("png", 64, 48), test_still("tiff", 64, 48)}) {
    for (auto left : {file.size() / 4, file.size() / 2, 3 * file.size() / 4})
      EXPECT_EQ(error_of(file.share(0, left)), ErrorCode::kCorrupt) << left << " of " << file.size();
  }
  auto jpeg = jpeg_file(64, 48);
  EXPECT_EQ(error_of(jpeg.share(0, jpeg.size() - 2)), ErrorCode::kCorrupt) << "without its end";
  auto png = test_still("png", 64, 48);
  EXPECT_EQ(error_of(png.share(0, png.size() - 4)), ErrorCode::kCorrupt);
}

TEST(StillImage, WhatContradictsItsChecksumIsBroken) {
  auto png = test_still("png", 64, 48);
  std::vector<std::uint8_t> bytes(png.bytes().begin(), png.bytes().end());
  bytes[bytes.size() / 2] ^= 0x10;
  EXPECT_EQ(error_of(Buffer::take(bytes)), ErrorCode::kCorrupt);
}

TEST(StillImage, WhatIsBehindTheEndOfAPictureDoesNotMatter) {
  auto jpeg = jpeg_file(64, 48);
  std::vector<std::uint8_t> bytes(jpeg.bytes().begin(), jpeg.bytes().end());
  bytes.insert(bytes.end(), 1000, 0x55);
  EXPECT_TRUE(read_still_image(Buffer::take(bytes)));
}

TEST(StillImage, OtherFilesAreNone) {
  EXPECT_EQ(error_of(Buffer::copy(std::string_view("GIF89a"))), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of(Buffer()), ErrorCode::kUnsupported);
}

TEST(StillImage, ExifSaysWhenItWasTakenAndHowItIsTurned) {
  auto image = read_still_image(with_exif(jpeg_file(64, 32), "2026:11:22 18:30:00", 6));
  ASSERT_TRUE(image) << image.error().message;
  ASSERT_TRUE(image->taken);
  EXPECT_EQ(format_rfc3339(*image->taken), "2026-11-22T18:30:00.000000Z");
  auto shown = upright(image->picture, image->orientation);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->width(), 32);
  EXPECT_EQ(shown->height(), 64);
  // Turned to the right: what was at the lower left is at the upper left.
  EXPECT_GT(shown->luma(2, 2), shown->luma(29, 2));
}

TEST(StillImage, TimesOfExif) {
  auto text = [](std::string_view time, std::string_view fraction, std::string_view zone) {
    auto parsed = parse_exif_time(time, fraction, zone);
    return parsed ? format_rfc3339(*parsed) : std::string("none");
  };
  EXPECT_EQ(text("2026:11:22 18:30:00", "25", ""), "2026-11-22T18:30:00.250000Z");
  EXPECT_EQ(text("2026:11:22 18:30:00", "", "+01:00"), "2026-11-22T17:30:00.000000Z");
  EXPECT_EQ(text("2026:11:22 18:30:00", "x", "CET"), "2026-11-22T18:30:00.000000Z");
  EXPECT_EQ(text("0000:00:00 00:00:00", "", ""), "none");
  EXPECT_EQ(text("    :  :     :  :  ", "", ""), "none");
  EXPECT_EQ(text("", "", ""), "none");
}

}  // namespace
}  // namespace gopline::media
