#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/catalog/stream_directory.h"
#include "common/log/memory_log.h"
#include "common/record/chunk_assembler.h"
#include "splitter/publisher.h"

namespace gopline::splitter {

constexpr auto kStream = "site-7/door-2";

// A publisher over a log in memory, and what it has left there.
class PublisherTest : public ::testing::Test {
 protected:
  PublisherOptions options() {
    PublisherOptions o;
    o.stream = kStream;
    o.source.name = "door.mp4";
    o.source.format = "mov";
    media::Track video;
    video.id = 1;
    video.time_base = {1, 90000};
    video.codec.type = media::MediaType::kVideo;
    video.codec.codec = "h264";
    o.tracks = {video};
    o.init_xxh3 = "0123456789abcdef";
    return o;
  }
  std::unique_ptr<Publisher> open(PublisherOptions o) {
    auto publisher = Publisher::open(log_, clock_, std::move(o));
    EXPECT_TRUE(publisher.has_value()) << publisher.error().message;
    return publisher ? std::move(*publisher) : nullptr;
  }
  std::unique_ptr<Publisher> open() { return open(options()); }

  media::BuiltSegment segment(int number, std::size_t size = 1000) {
    media::BuiltSegment s;
    s.bytes.append(Buffer::copy(std::string(size / 2, static_cast<char>('a' + number % 26))));
    s.bytes.append(Buffer::copy(std::string(size - size / 2, 'z')));
    s.content_type = "video/mp4; codecs=\"avc1.64001f\"";
    s.init_xxh3 = "0123456789abcdef";
    s.parts = {{1, 100, size - 100, 180000, 1}};
    s.sap = 1;
    s.start = number * 180000;
    s.duration = 180000;
    s.timescale = 90000;
    return s;
  }
  Timestamp time_of(int number) { return kStart + std::chrono::seconds(2 * number); }
  Result<void> publish(Publisher& publisher, int number, std::size_t size = 1000) {
    return publisher.publish(segment(number, size), time_of(number), {});
  }

  // Records of the stream in a topic, over all partitions.
  std::vector<StoredRecord> records(const std::string& topic) {
    std::vector<StoredRecord> all;
    auto info = log_.describe_topic(topic);
    for (std::int32_t p = 0; info && p < info->partitions; ++p) {
      for (auto& r : log_.records({topic, PartitionId(p)})) all.push_back(std::move(r));
    }
    return all;
  }
  std::vector<std::string> types(const std::string& topic) {
    std::vector<std::string> out;
    for (const auto& r : records(topic)) {
      std::string name(find_header(r.headers, "ce_type").value_or("?"));
      out.push_back(name.substr(8, name.size() - 11));
    }
    return out;
  }
  std::vector<record::SegmentHeaders> chunks() {
    std::vector<record::SegmentHeaders> out;
    for (const auto& r : records("gopline.segments")) {
      if (auto h = record::parse_segment_headers(r.headers)) out.push_back(*h);
    }
    return out;
  }
  std::vector<record::IndexEntry> index() {
    std::vector<record::IndexEntry> out;
    for (const auto& r : records("gopline.index")) {
      if (auto e = record::parse_index_entry(r.headers, *r.value)) out.push_back(*e);
    }
    return out;
  }
  record::StreamState state() {
    auto directory = catalog::StreamDirectory::read(log_, record::topics_of());
    EXPECT_TRUE(directory.has_value());
    return directory->find(kStream).value();
  }
  record::AssemblerStats assemble() {
    record::ChunkAssembler assembler;
    for (const auto& r : records("gopline.segments")) {
      assembler.add({r.offset, r.timestamp, r.key, &r.headers, r.value.value_or(Buffer()), {}}, {});
    }
    return assembler.stats();
  }

  const Timestamp kStart = Timestamp(std::chrono::seconds(1'795'348'800));  // 2026-11-22T12:00:00Z
  FakeClock clock_;
  MemoryLog log_;
};

}  // namespace gopline::splitter
