#include "common/media/h264_syntax.h"

#include <gtest/gtest.h>

namespace gopline::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

// NAL units behind four-byte lengths.
Bytes access_unit(const std::vector<Bytes>& nals) {
  Bytes out;
  for (const auto& nal : nals) {
    out.insert(out.end(), {0, 0, 0, static_cast<std::uint8_t>(nal.size())});
    out.insert(out.end(), nal.begin(), nal.end());
  }
  return out;
}

const Bytes kDelimiter = {0x09, 0xF0};
const Bytes kIdr = {0x65, 0x88};
const Bytes kPicture = {0x41, 0x9A};
const Bytes kRecovery = {0x06, 0x06, 0x01, 0xC4, 0x80};
const Bytes kUserDataThenRecovery = {0x06, 0x05, 0x02, 0xAB, 0xCD, 0x06, 0x01, 0xC4, 0x80};
const Bytes kUserData = {0x06, 0x05, 0x02, 0x06, 0x06, 0x80};

TEST(H264Syntax, EmulationPreventionGoes) {
  EXPECT_EQ(rbsp_of(Bytes{0x67, 1, 0, 0, 3, 1, 0, 0, 3}), (Bytes{1, 0, 0, 1, 0, 0}));
  EXPECT_EQ(rbsp_of(Bytes{0x67, 0, 3, 0, 0, 0}), (Bytes{0, 3, 0, 0, 0}));
  EXPECT_TRUE(rbsp_of(Bytes{}).empty());
  EXPECT_EQ(rbsp_of(Bytes{0x67, 1, 2, 3}, 2), (Bytes{1, 2}));
}

// The first three were written by x264; ffmpeg's trace_headers filter says the same of them.
TEST(H264Syntax, ReferenceFrames) {
  const Bytes baseline = {0x67, 0x42, 0xc0, 0x0d, 0xd9, 0x01, 0x41, 0xfb, 0x01, 0x10, 0x00, 0x00,
                          0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x42, 0xa4, 0x80};
  const Bytes main = {0x67, 0x4d, 0x40, 0x0d, 0xec, 0xa0, 0xa0, 0xfd, 0x80, 0x88, 0x00, 0x00,
                      0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0x90, 0x78, 0xa1, 0x4c, 0xb0};
  const Bytes high = {0x67, 0x64, 0x00, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0x00, 0x00,
                      0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x42, 0x99, 0x60};
  EXPECT_EQ(max_num_ref_frames(baseline), 3u);
  EXPECT_EQ(max_num_ref_frames(main), 4u);
  EXPECT_EQ(max_num_ref_frames(high), 4u);
  // High profile; the first of eight scaling lists is there and ends at once (delta_scale -8).
  EXPECT_EQ(max_num_ref_frames(Bytes{0x67, 0x64, 0x00, 0x1e, 0xad, 0x84, 0x40, 0x77}), 2u);
  EXPECT_EQ(max_num_ref_frames(Bytes{0x67, 0x42}), std::nullopt);
  EXPECT_EQ(max_num_ref_frames(Bytes{}), std::nullopt);
}

TEST(H264Syntax, RecoveryPoints) {
  EXPECT_TRUE(has_recovery_point(kRecovery));
  EXPECT_TRUE(has_recovery_point(kUserDataThenRecovery));
  EXPECT_FALSE(has_recovery_point(kUserData));
  EXPECT_FALSE(has_recovery_point(Bytes{0x06, 0xFF, 0xFF, 0xFF}));
  EXPECT_FALSE(has_recovery_point(Bytes{0x06}));
}

TEST(H264Syntax, WhereDecodingCanBegin) {
  EXPECT_TRUE(is_h264_random_access(access_unit({kDelimiter, kIdr, kIdr}), 4));
  EXPECT_TRUE(is_h264_random_access(access_unit({kDelimiter, kRecovery, kPicture}), 4));
  EXPECT_FALSE(is_h264_random_access(access_unit({kDelimiter, kUserData, kPicture}), 4));
  EXPECT_FALSE(is_h264_random_access(access_unit({kPicture, kRecovery, kIdr}), 4))
      << "behind the first slice";
  EXPECT_FALSE(is_h264_random_access(access_unit({kRecovery}), 4)) << "no picture";
  EXPECT_FALSE(is_h264_random_access({}, 4));
  EXPECT_FALSE(is_h264_random_access(Bytes{0, 0, 0, 9, 0x65}, 4)) << "longer than there are bytes";
  EXPECT_TRUE(is_h264_random_access(Bytes{0, 2, 0x65, 0x88}, 2));
}

}  // namespace
}  // namespace gopline::media
