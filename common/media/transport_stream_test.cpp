#include "common/media/transport_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace gopline::media {
namespace {

// ISO/IEC 13818-1, 2.4.3.2: sync byte, flags and PID, adaptation_field_control, and what the field begins
// with.
std::vector<std::uint8_t> ts_packet(std::uint8_t control, std::uint8_t field_length,
                                    std::uint8_t field_flags) {
  std::vector<std::uint8_t> packet(kTsPacketBytes, 0xFF);
  packet[0] = 0x47;
  packet[3] = control;
  packet[4] = field_length;
  packet[5] = field_flags;
  return packet;
}

std::vector<std::uint8_t> joined(std::initializer_list<std::vector<std::uint8_t>> packets) {
  std::vector<std::uint8_t> all;
  for (const auto& packet : packets) all.insert(all.end(), packet.begin(), packet.end());
  return all;
}

constexpr std::uint8_t kPayloadOnly = 0x10, kBoth = 0x30, kPcr = 0x10, kRandomAccess = 0x40;

TEST(TransportStream, TheFirstPcrIsMarkedAndNothingElse) {
  auto bytes =
      joined({ts_packet(kPayloadOnly, 7, kPcr), ts_packet(kBoth, 7, kRandomAccess), ts_packet(kBoth, 0, kPcr),
              ts_packet(kBoth, 7, kPcr | kRandomAccess), ts_packet(kBoth, 7, kPcr)});
  auto expected = bytes;
  expected[3 * kTsPacketBytes + 5] |= 0x80;
  EXPECT_TRUE(mark_discontinuity(bytes));
  EXPECT_EQ(bytes, expected);
}

TEST(TransportStream, WithoutPcrNothingIsMarked) {
  auto bytes = joined({ts_packet(kPayloadOnly, 7, kPcr), ts_packet(kBoth, 7, kRandomAccess)});
  auto before = bytes;
  EXPECT_FALSE(mark_discontinuity(bytes));
  bytes.resize(100);  // no whole packet
  EXPECT_FALSE(mark_discontinuity(bytes));
  before.resize(100);
  EXPECT_EQ(bytes, before);
}

}  // namespace
}  // namespace gopline::media
