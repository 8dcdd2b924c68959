#include <fmt/format.h>

#include "bench/segments/report.h"
#include "common/base/text.h"

namespace gopline::bench {
namespace {

std::string seconds(Duration duration) {
  return show_seconds_short(duration);
}

}  // namespace

std::vector<std::string> method_of(const Results& results) {
  const auto& s = results.settings;
  std::vector<std::string> out;
  out.push_back(fmt::format(
      "{} stream{} written by one process, each into a partition of its own, and read by one reader. {}.",
      s.streams, s.streams == 1 ? " is" : "s are",
      s.source.empty() ? "Payloads are random bytes, which nothing compresses; no video was given"
                       : "Payloads are random bytes, which nothing compresses, and segments of " + s.source));
  out.push_back(
      fmt::format("After a warm-up of {} every case runs {} time{}, interleaved: the first repetition of "
                  "all, then the second of "
                  "all. Each has topics made for it, which are removed afterwards. Figures are medians; bars "
                  "and ± go from the "
                  "least to the greatest.",
                  seconds(s.warm_up), s.repetitions, s.repetitions == 1 ? "" : "s"));
  out.push_back(
      fmt::format("Throughput is a closed loop in three phases: writing alone for {} or {}, until the last "
                  "acknowledgement; "
                  "reading all of it back; then both at once. The first two are apart so that each has its "
                  "own CPU time, which is "
                  "the whole process's, user and system. What is read was written just before: it comes from "
                  "the brokers' page "
                  "cache.",
                  seconds(s.duration), show_size(s.most_bytes)));
  out.push_back(
      "Latency is an open loop at a fixed rate, the same for every strategy at a size: from the moment at "
      "which a "
      "payload was due to be sent, whether it could be or not, to the moment at which the reader has it "
      "whole and "
      "verified. Percentiles are of all repetitions' samples; one that would only be the worst of them is "
      "left out.");
  out.push_back(
      "Every byte is verified: ours by the XXH3 in its records, the bare client's by Kafka's CRC; and each "
      "payload is "
      "held to its size, its number and its beginning. The bare client is librdkafka with our settings, "
      "idempotent, "
      "acks=all, nothing copied; it does neither index nor hashes nor headers. Peak memory is the whole "
      "process's, with the payloads made beforehand; of the repetitions the least, for later ones still hold "
      "what "
      "other cases have used.");
  return out;
}

std::vector<std::pair<std::string, std::string>> environment_of(const Results& results) {
  const auto& e = results.environment;
  std::vector<std::pair<std::string, std::string>> out;
  out.emplace_back("Log", e.log);
  if (e.brokers > 0) out.emplace_back("Brokers", std::to_string(e.brokers));
  if (!e.blobs.empty()) out.emplace_back("Blobs", e.blobs);
  out.emplace_back("Partitions", std::to_string(e.partitions));
  if (e.record_bytes > 0 && e.record_bytes < (1ULL << 40)) {
    out.emplace_back("Largest record", show_size(e.record_bytes));
  }
  out.emplace_back("gopline", e.program);
  if (!e.client.empty()) out.emplace_back("librdkafka", e.client);
  out.emplace_back("Client's machine",
                   fmt::format("{}, {} cores, {}", e.machine, e.cores, show_size(e.memory_bytes)));
  out.emplace_back("Kernel", e.kernel);
  auto started = format_rfc3339(e.started);
  out.emplace_back("Begun", started.substr(0, 10) + " " + started.substr(11, 8) + " UTC");
  out.emplace_back("Complete", results.complete ? "yes" : "no: it was cut short");
  return out;
}

}  // namespace gopline::bench
