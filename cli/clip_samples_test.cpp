#include "cli/clip_samples.h"

#include <gmock/gmock.h>

#include "common/bytes/big_endian.h"

namespace gopline::cli {
namespace {

using ::testing::SizeIs;

std::vector<std::uint8_t> box(std::string_view type,
                              std::initializer_list<std::vector<std::uint8_t>> children) {
  ByteWriter out;
  out.u32(0);
  out.text(type);
  for (const auto& child : children) out.raw(child);
  out.patch_u32(0, static_cast<std::uint32_t>(out.size()));
  return out.take();
}

std::vector<std::uint8_t> numbers(std::initializer_list<std::uint32_t> values) {
  ByteWriter out;
  for (auto value : values) out.u32(value);
  return out.take();
}

// One track of 90 kHz, one fragment with samples of 3 and 5 bytes.
std::vector<std::uint8_t> clip() {
  auto hdlr = box("hdlr", {numbers({0, 0, 0x76696465})});  // "vide"
  auto mdia = box("mdia", {box("mdhd", {numbers({0, 0, 0, 90'000, 0})}), hdlr});
  auto moov = box("moov", {box("trak", {box("tkhd", {numbers({0, 0, 0, 7})}), mdia})});
  auto traf = [](std::uint32_t offset) {
    return box("traf", {box("tfhd", {numbers({0x020000, 7})}), box("tfdt", {numbers({0, 9000})}),
                        box("trun", {numbers({0x301, 2, offset, 100, 3, 200, 5})})});
  };
  auto moof_size = box("moof", {traf(0)}).size();
  ByteWriter out;
  out.raw(moov);
  out.raw(box("moof", {traf(static_cast<std::uint32_t>(moof_size) + 8)}));
  out.raw(box("mdat", {{1, 2, 3, 4, 5, 6, 7, 8}}));
  return out.take();
}

TEST(SamplesOfClips, are_the_same_however_the_file_comes) {
  auto file = clip();
  ClipSamples at_once, by_byte;
  at_once.add(file);
  for (const auto& byte : file) by_byte.add({&byte, 1});
  for (auto* samples : {&at_once, &by_byte}) {
    ASSERT_FALSE(samples->broken_at()) << *samples->broken_at();
    ASSERT_EQ(samples->tracks().count(7), 1u);
    const auto& track = samples->tracks().at(7);
    EXPECT_EQ(track.timescale, 90'000u);
    EXPECT_EQ(track.handler, "vide");
    ASSERT_THAT(track.samples, SizeIs(2));
    EXPECT_EQ(track.samples[0].dts, 9000);
    EXPECT_EQ(track.samples[1].dts, 9100);
    EXPECT_EQ(track.samples[1].offset, file.size() - 5);
    EXPECT_EQ(track.samples[1].sha256, sha256_hex(std::span(file).last(5)));
  }
}

TEST(SamplesOfClips, of_a_file_that_ends_early_those_before_are_there) {
  auto file = clip();
  file.pop_back();
  ClipSamples samples;
  samples.add(file);
  EXPECT_THAT(samples.tracks().at(7).samples, SizeIs(1));
}

TEST(SamplesOfClips, one_byte_of_anything_is_no_crash) {
  auto file = clip();
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (int value : {0, 1, 0x7F, 0x80, 0xFF}) {
      auto altered = file;
      altered[at] = static_cast<std::uint8_t>(value);
      ClipSamples samples;
      samples.add(altered);
      EXPECT_LE(samples.samples(), 2u);
    }
  }
}

TEST(SamplesOfClips, what_is_no_box_is_told_by_its_place) {
  auto file = clip();
  auto size = file.size();
  file.insert(file.end(), {0, 0, 0, 3, 'm', 'o', 'o', 'f', 0});
  ClipSamples samples;
  samples.add(file);
  EXPECT_EQ(samples.broken_at(), size);
  EXPECT_EQ(samples.samples(), 2u);
}

}  // namespace
}  // namespace gopline::cli
