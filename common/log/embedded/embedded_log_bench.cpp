#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include <benchmark/benchmark.h>

#include "common/base/test_directory.h"
#include "common/log/embedded/embedded_log.h"

// The embedded log beside what it is measured against: plain writing with one sync at the end (cp and fsync),
// and plain reading (cat). The disk's own first touch of its page cache is slow: read the medians of several
// repetitions.
namespace gopline::embedded {
namespace {

constexpr std::size_t kTotal = 512 << 20;

// The same bytes under many names: what is measured is the log, not the generator.
std::vector<Buffer> values(std::size_t size) {
  std::vector<Buffer> all;
  for (std::uint8_t seed = 0; seed < 8; ++seed) {
    std::vector<std::uint8_t> bytes(size);
    std::uint32_t state = seed + 1;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    all.push_back(Buffer::take(std::move(bytes)));
  }
  return all;
}

std::unique_ptr<Log> open(const std::string& directory) {
  EmbeddedLogOptions options;
  options.directory = directory;
  auto log = std::move(*open_embedded_log(options));
  (void)log->ensure_topic({"t", 1, {}});
  return log;
}

void write_all(Log& log, const std::vector<Buffer>& all, std::size_t total) {
  auto writer = *log.make_writer({});
  std::size_t done = 0;
  for (std::size_t i = 0; done < total; done += all[0].size(), ++i) {
    (void)writer->append({"t", PartitionId(0)}, {"k", BufferChain(all[i % all.size()]), {}, Timestamp{}},
                         nullptr);
  }
  (void)writer->flush();
}

void finish(benchmark::State& state, std::size_t bytes, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
  state.counters["records/s"] =
      benchmark::Counter(static_cast<double>(bytes / size) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void BM_AppendAndFlush(benchmark::State& state) {
  auto size = static_cast<std::size_t>(state.range(0));
  auto total = std::min(kTotal, size * 50'000);
  auto all = values(size);
  for (auto _ : state) {
    state.PauseTiming();
    TestDirectory directory;
    auto log = open(directory.path() + "/log");
    state.ResumeTiming();
    write_all(*log, all, total);
    state.PauseTiming();
    log.reset();
    state.ResumeTiming();
  }
  finish(state, total, size);
}
BENCHMARK(BM_AppendAndFlush)->Arg(200)->Arg(4096)->Arg(64 << 10)->Arg(2 << 20)->Arg(16 << 20)->UseRealTime();

void BM_PlainWriteAndFsync(benchmark::State& state) {
  auto size = static_cast<std::size_t>(state.range(0));
  auto all = values(size);
  for (auto _ : state) {
    state.PauseTiming();
    TestDirectory directory;
    state.ResumeTiming();
    int file = ::open((directory.path() + "/f").c_str(), O_WRONLY | O_CREAT, 0666);
    std::size_t done = 0;
    for (std::size_t i = 0; done < kTotal; done += size, ++i)
      (void)!::write(file, all[i % all.size()].data(), size);
    ::fsync(file);
    ::close(file);
    state.PauseTiming();
    std::filesystem::remove(directory.path() + "/f");
    state.ResumeTiming();
  }
  finish(state, kTotal, size);
}
BENCHMARK(BM_PlainWriteAndFsync)->Arg(128 << 10)->Arg(2 << 20)->UseRealTime();

void BM_AppendAndWaitAlone(benchmark::State& state) {
  TestDirectory directory;
  auto log = open(directory.path() + "/log");
  auto all = values(static_cast<std::size_t>(state.range(0)));
  auto writer = *log->make_writer({});
  for (auto _ : state) {
    (void)writer->append_and_wait({"t", PartitionId(0)}, {"k", BufferChain(all[0]), {}, Timestamp{}});
  }
}
BENCHMARK(BM_AppendAndWaitAlone)->Arg(200)->Arg(2 << 20)->UseRealTime();

void write_to(int out, std::span<const std::uint8_t> bytes) {
  (void)!::write(out, bytes.data(), bytes.size());
}

// Reads everything and writes it to tmpfs, as the aggregator does.
void BM_ReadToTmpfs(benchmark::State& state) {
  auto size = static_cast<std::size_t>(state.range(0));
  bool verify = state.range(1) != 0;
  auto total = std::min(kTotal, size * 50'000);
  TestDirectory directory;
  auto log = open(directory.path() + "/log");
  write_all(*log, values(size), total);
  int out = ::open("/dev/shm", O_TMPFILE | O_WRONLY, 0600);
  for (auto _ : state) {
    LogReaderOptions options;
    options.verify_values = verify;
    options.max_poll_bytes = static_cast<std::size_t>(state.range(2));
    auto reader = *log->make_reader(options);
    (void)reader->assign({{{"t", PartitionId(0)}, StartPosition::beginning()}});
    ::lseek(out, 0, SEEK_SET);
    std::size_t done = 0;
    while (done < total) {
      auto records = *reader->poll(std::chrono::seconds(10));
      for (const auto& record : records) {
        done += record.value->size();
        write_to(out, record.value->bytes());
      }
    }
  }
  ::close(out);
  finish(state, total, size);
}
BENCHMARK(BM_ReadToTmpfs)
    ->ArgNames({"size", "verify", "poll"})
    ->Args({2 << 20, 0, 32 << 20})
    ->Args({2 << 20, 0, 4 << 20})
    ->Args({2 << 20, 1, 4 << 20})
    ->Args({20'000, 0, 4 << 20})
    ->Args({200, 0, 4 << 20})
    ->UseRealTime();

void BM_CatToTmpfs(benchmark::State& state) {
  TestDirectory directory;
  auto path = directory.path() + "/f";
  int in = ::open(path.c_str(), O_RDWR | O_CREAT, 0666);
  auto all = values(2 << 20);
  for (std::size_t done = 0; done < kTotal; done += all[0].size()) write_to(in, all[0].bytes());
  int out = ::open("/dev/shm", O_TMPFILE | O_WRONLY, 0600);
  std::vector<std::uint8_t> buffer(128 << 10);
  for (auto _ : state) {
    ::lseek(in, 0, SEEK_SET);
    ::lseek(out, 0, SEEK_SET);
    for (ssize_t got; (got = ::read(in, buffer.data(), buffer.size())) > 0;) {
      write_to(out, std::span(buffer).first(static_cast<std::size_t>(got)));
    }
  }
  ::close(in);
  ::close(out);
  state.SetBytesProcessed(static_cast<std::int64_t>(kTotal) * state.iterations());
}
BENCHMARK(BM_CatToTmpfs)->UseRealTime();

}  // namespace
}  // namespace gopline::embedded
