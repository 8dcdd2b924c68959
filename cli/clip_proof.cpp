#include "cli/clip_proof.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "cli/clip_samples.h"
#include "cli/display_width.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::uintmax_t kMostFactsBytes = 64 << 20;
constexpr std::size_t kMostProblems = 1000;
constexpr auto kOneRun = Duration(1'500'000);  // what is nearer than that is told together

std::string facts_path(const ClipFiles& files) {
  if (!files.facts.empty()) return files.facts;
  return std::filesystem::path(files.clip).replace_extension(".json").string();
}

Result<Json> read_facts(const std::string& path) {
  std::error_code error;
  auto size = std::filesystem::file_size(path, error);
  if (error)
    return fail_errno(error.value(), fmt::format("{}: what the clip is made of (clip.json; --facts)", path));
  if (size > kMostFactsBytes) return fail(ErrorCode::kTooLarge, "{}: too large to be a clip.json", path);
  std::ifstream in(path, std::ios::binary);
  auto facts = Json::parse(in, nullptr, false);
  bool is_good = facts.is_object();
  for (const char* name : {"stream", "from", "to", "sha256"})
    is_good = is_good && facts.contains(name) && facts[name].is_string();
  for (const char* name : {"epochs", "segments", "gaps"})
    is_good = is_good && facts.contains(name) && facts[name].is_array();
  if (!is_good || !facts.contains("size")) return fail(ErrorCode::kCorrupt, "{}: this is no clip.json", path);
  return facts;
}

Result<server::ClipRequest> request_of(const Json& facts, const std::string& path, const std::string& name) {
  auto from = parse_rfc3339(facts["from"].get<std::string>());
  auto to = parse_rfc3339(facts["to"].get<std::string>());
  if (!from || !to || *from >= *to)
    return fail(ErrorCode::kCorrupt, "{}: from and to are no interval of times", path);
  return server::ClipRequest{name, facts["stream"].get<std::string>(), *from, *to};
}

std::string brief(const Json* value) {
  if (!value) return "nothing";
  auto text = value->dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 80 ? text.substr(0, 77) + "..." : text;
}

// A clip's file read along with the clip that is made again: what is not the same is told by the second that
// it is of. Samples are held to one another by track and time, so one that is missing puts none of the
// others out of step.
class ClipComparison {
 public:
  ClipComparison(ClipReport& report, std::ifstream file) : report_(report), file_(std::move(file)) {}

  void take(const BufferChain& piece, const server::ClipFacts& so_far) {
    if (!first_ && !so_far.segments.empty()) first_ = so_far.segments.front().headers.time;
    for (const auto& buffer : piece.buffers()) {
      made_.add(buffer.bytes());
      auto found = read(buffer.size());
      compare_bytes(buffer.bytes(), found);
      found_.add(found);
    }
    settle(false);
  }

  // After the last piece. The digest of the whole file.
  std::string finish() {
    while (true) {
      auto rest = read(kReadBytes);
      if (rest.empty()) break;
      note_difference(report_.size - rest.size());
      found_.add(rest);
    }
    settle(true);
    flush();
    check_tracks();
    if (auto at = found_.broken_at())
      object({"boxes", fmt::format("from byte {} on it is no MP4 file", *at), {}, {}});
    report_.same_bytes = !differs_at_;
    return digest_.finish_hex();
  }

  std::optional<std::uint64_t> differs_at() const { return differs_at_; }

 private:
  std::span<const std::uint8_t> read(std::size_t count) {
    piece_.resize(count);
    file_.read(reinterpret_cast<char*>(piece_.data()), static_cast<std::streamsize>(count));
    std::span<const std::uint8_t> bytes(piece_.data(), static_cast<std::size_t>(file_.gcount()));
    digest_.update(bytes);
    report_.size += bytes.size();
    return bytes;
  }

  void note_difference(std::uint64_t at) {
    if (!differs_at_) differs_at_ = at;
  }

  void compare_bytes(std::span<const std::uint8_t> made, std::span<const std::uint8_t> found) {
    if (differs_at_) return;
    auto [a, b] = std::mismatch(made.begin(), made.end(), found.begin(), found.end());
    if (a != made.end())
      note_difference(report_.size - found.size() + static_cast<std::uint64_t>(a - made.begin()));
  }

  // Capture time of a tick, by the first picture of the clip.
  std::optional<Timestamp> time_of(const ClipTrack& track, std::int64_t ticks) {
    if (!first_) return std::nullopt;
    if (!zero_) {
      const ClipTrack* main = nullptr;
      for (const auto& [id, candidate] : made_.tracks()) {
        if (!main || (candidate.handler == "vide" && main->handler != "vide")) main = &candidate;
      }
      if (!main || main->samples.empty()) return std::nullopt;
      zero_ = *first_ - ticks_to_time(*main, main->samples.front().pts);
    }
    return *zero_ + ticks_to_time(track, ticks);
  }

  static Duration ticks_to_time(const ClipTrack& track, std::int64_t ticks) {
    return to_duration(Rational{ticks, track.timescale});
  }

  // Compares what both sides have by now.
  void settle(bool at_end) {
    for (auto& [id, made] : made_.tracks()) {
      if (made.samples.empty()) continue;
      time_of(made, 0);  // knows its zero before samples go
    }
    for (auto& [id, made] : made_.tracks()) {
      auto found = found_.tracks().find(id);
      auto* samples = found == found_.tracks().end() ? nullptr : &found->second.samples;
      while (!made.samples.empty() && ((samples && !samples->empty()) || at_end)) {
        bool is_there = samples && !samples->empty();
        if (is_there && samples->front().dts < made.samples.front().dts) {
          tell("added", made, samples->front());
          samples->pop_front();
          continue;
        }
        const auto& wanted = made.samples.front();
        if (!is_there || samples->front().dts > wanted.dts) {
          tell("missing", made, wanted);
        } else {
          const auto& there = samples->front();
          bool same = there.pts == wanted.pts && there.sha256 == wanted.sha256;
          if (!same) tell("altered", made, there);
          samples->pop_front();
        }
        made.samples.pop_front();
        ++report_.samples;
      }
      while (at_end && samples && !samples->empty()) {
        tell("added", made, samples->front());
        samples->pop_front();
      }
    }
  }

  struct Run {
    std::string kind, track;
    std::optional<Timestamp> from, to;
    std::uint64_t first_byte = 0;
    std::int64_t samples = 0;
  };

  void tell(const std::string& kind, const ClipTrack& track, const ClipSample& sample) {
    auto time = time_of(track, sample.pts);
    auto what = track.handler == "vide" ? "video" : track.handler == "soun" ? "sound" : "data";
    auto& run = runs_[std::string(what) + kind];
    bool goes_on = run.samples > 0 && run.to && time && *time - *run.to < kOneRun;
    if (!goes_on) {
      flush(run);
      run = {kind, what, time, time, sample.offset, 0};
    }
    ++run.samples;
    if (time) run.from = std::min(*run.from, *time), run.to = std::max(*run.to, *time);
  }

  void flush(Run& run) {
    if (run.samples == 0) return;
    auto when = run.from ? fmt::format("at {}", show_time(run.from)) : std::string("at the beginning");
    if (run.from && *run.to > *run.from)
      when = fmt::format("from {} to {}", show_time(run.from), show_time(run.to));
    auto count = run.track == "video" ? "pictures" : "samples";
    std::string is = run.kind == "altered" ? "not as recorded"
                     : run.kind == "added" ? "not recorded at all"
                                           : "recorded, and not in the file";
    auto where = run.kind == "missing" ? std::string() : fmt::format(" (byte {} and on)", run.first_byte);
    object({run.kind, fmt::format("{} {}: {} {} {}{}", run.track, when, run.samples, count, is, where),
            run.from, run.to});
    run.samples = 0;
  }

  void flush() {
    for (auto& [name, run] : runs_) flush(run);
  }

  void check_tracks() {
    for (const auto& [id, made] : made_.tracks()) {
      auto found = found_.tracks().find(id);
      if (found == found_.tracks().end()) {
        object({"track", fmt::format("track {} is not in the file", id), {}, {}});
      } else if (found->second.description != made.description || found->second.timescale != made.timescale) {
        object({"track",
                fmt::format("track {}: codec parameters or edit list are not as recorded", id),
                {},
                {}});
      }
    }
    for (const auto& [id, found] : found_.tracks()) {
      if (!made_.tracks().contains(id))
        object({"track", fmt::format("track {} was not recorded", id), {}, {}});
    }
  }

  void object(ClipProblem problem) {
    if (report_.problems.size() < kMostProblems) report_.problems.push_back(std::move(problem));
  }

  ClipReport& report_;
  std::ifstream file_;
  std::vector<std::uint8_t> piece_;
  Sha256 digest_;
  ClipSamples made_, found_;
  std::optional<std::uint64_t> differs_at_;
  std::optional<Timestamp> first_, zero_;
  std::map<std::string, Run> runs_;  // by track and kind
};

// What the file says of itself, member by member, with what the log says now.
class FactsComparison {
 public:
  explicit FactsComparison(ClipReport& report) : report_(report) {}

  void compare(const Json& said, const Json& known) {
    for (const char* list : {"epochs", "segments", "gaps"}) compare_list(list, said[list], known[list]);
  }

 private:
  void compare_list(const std::string& name, const Json& said, const Json& known) {
    for (std::size_t i = 0; i < std::max(said.size(), known.size()); ++i) {
      auto where = fmt::format("{}[{}]", name, i);
      if (i >= said.size()) {
        object(where, nullptr, &known[i], known[i]);
      } else if (i >= known.size() || !said[i].is_object()) {
        object(where, &said[i], i < known.size() ? &known[i] : nullptr, said[i]);
      } else {
        compare_members(where, said[i], known[i]);
      }
    }
  }

  // A clip.json that an older version wrote lacks what that did not know; nothing else may be missing.
  void compare_members(const std::string& where, const Json& said, const Json& known) {
    for (const auto& [name, value] : known.items()) {
      bool is_said = said.contains(name);
      if (!is_said && name == "previous_sha256") continue;
      if (!is_said || said[name] != value)
        object(where + "." + name, is_said ? &said[name] : nullptr, &value, known);
    }
    for (const auto& [name, value] : said.items()) {
      if (!known.contains(name)) object(where + "." + name, &value, nullptr, known);
    }
  }

  void object(const std::string& where, const Json* said, const Json* known, const Json& about) {
    if (report_.problems.size() >= kMostProblems) return;
    ClipProblem problem{
        "fact", fmt::format("{} is {}; by the log it is {}", where, brief(said), brief(known)), {}, {}};
    for (const char* name : {"time", "from", "started"}) {
      if (!about.is_object() || !about.contains(name) || !about[name].is_string()) continue;
      if (auto time = parse_rfc3339(about[name].get<std::string>())) problem.from = problem.to = *time;
      break;
    }
    report_.problems.push_back(std::move(problem));
  }

  ClipReport& report_;
};

// Where the writer kept digests, each segment names the one before.
void check_chain(const std::vector<server::ClipSegment>& segments, ClipReport& report) {
  const server::ClipSegment* before = nullptr;
  for (const auto& segment : segments) {
    const auto& headers = segment.headers;
    if (headers.sha256) ++report.chained;
    auto object = [&](std::string_view why) {
      report.problems.push_back(
          {"chain", fmt::format("segment {} of epoch {}: {}", headers.segment, headers.epoch, why),
           headers.time, headers.time});
    };
    if (segment.whole && headers.sha256 && *headers.sha256 != segment.sha256)
      object("its bytes do not have the SHA-256 that was recorded with it");
    bool follows = before && before->whole && before->headers.epoch == headers.epoch &&
                   before->headers.segment.value + 1 == headers.segment.value;
    if (follows && headers.previous_sha256 && *headers.previous_sha256 != before->sha256)
      object("it does not name the SHA-256 of the segment before it");
    before = &segment;
  }
}

}  // namespace

Result<ClipReport> prove_clip(const ClipFiles& files, Log& log, const std::string& topic_namespace,
                              payload::BlobSource& blobs, const StopToken& stop) {
  ClipReport report;
  report.clip = files.clip;
  report.facts = facts_path(files);
  report.log = log.describe();
  std::ifstream file(files.clip, std::ios::binary);
  if (!file) return fail_errno(errno, files.clip);
  GOPLINE_ASSIGN(auto said, read_facts(report.facts));
  GOPLINE_ASSIGN(auto request, request_of(said, report.facts, topic_namespace));
  report.stream = request.stream;
  report.from = request.from;
  report.to = request.to;
  auto never = [](const std::function<void()>&) {};
  auto source = server::ClipSource::open(log, blobs, request, never, stop);
  if (!source) return fail_with_context(fmt::format("{}: cannot be proved", files.clip), source.error());
  ClipComparison comparison(report, std::move(file));
  GOPLINE_ASSIGN(auto facts,
                 (*source)->survey([&](const BufferChain& piece, const server::ClipFacts& so_far) {
                   comparison.take(piece, so_far);
                   return stop.stop_requested() ? Result<void>(fail(ErrorCode::kCancelled, "interrupted"))
                                                : Result<void>();
                 }));
  auto digest = comparison.finish();
  auto known = Json::parse(server::to_json(request, facts));
  if (said["size"] != report.size || said["sha256"] != digest) {
    report.problems.insert(report.problems.begin(),
                           {"fact",
                            fmt::format("the file has {} bytes and SHA-256 {}...; {} says {} and {}...",
                                        report.size, digest.substr(0, 16), report.facts, brief(&said["size"]),
                                        said["sha256"].get<std::string>().substr(0, 16)),
                            {},
                            {}});
  }
  FactsComparison(report).compare(said, known);
  check_chain(facts.segments, report);
  report.segments = static_cast<std::int64_t>(facts.segments.size());
  report.gaps = static_cast<std::int64_t>(facts.gaps.size());
  std::set<std::string> clocks;
  for (const auto& segment : facts.segments) clocks.emplace(record::to_string(segment.headers.clock));
  report.clocks.assign(clocks.begin(), clocks.end());
  bool by_this = said.contains("program") && said["program"] == known["program"];
  if (!report.same_bytes && by_this && report.problems.empty()) {
    report.problems.push_back({"boxes",
                               fmt::format("byte {} is not as it was made, though all pictures and sound are",
                                           comparison.differs_at().value_or(0)),
                               {},
                               {}});
  } else if (!report.same_bytes && report.problems.empty()) {
    report.notes.push_back(fmt::format(
        "it was made by {} and is laid out in another way; pictures, sound and times are the same",
        said.contains("program") ? brief(&said["program"]) : "another program"));
  }
  return report;
}

nlohmann::ordered_json json_of(const ClipReport& report) {
  auto time = [](const std::optional<Timestamp>& at) { return at ? Json(format_rfc3339(*at)) : Json(); };
  Json json{{"clip", report.clip},
            {"facts", report.facts},
            {"log", report.log},
            {"stream", report.stream},
            {"from", format_rfc3339(report.from)},
            {"to", format_rfc3339(report.to)},
            {"as_recorded", report.is_as_recorded()},
            {"same_bytes", report.same_bytes},
            {"size", report.size},
            {"samples", report.samples},
            {"segments", report.segments},
            {"chained", report.chained},
            {"clocks", report.clocks},
            {"gaps", report.gaps},
            {"problems", Json::array()},
            {"notes", report.notes}};
  for (const auto& problem : report.problems) {
    json["problems"].push_back({{"kind", problem.kind},
                                {"message", problem.message},
                                {"from", time(problem.from)},
                                {"to", time(problem.to)}});
  }
  return json;
}

std::string to_text(const ClipReport& report) {
  auto text = fmt::format("{}: {}, {} to {}, {}\n", printable(report.clip), printable(report.stream),
                          show_time(report.from), show_time(report.to), format_bytes(report.size));
  text += fmt::format(
      "  compared {} pictures and pieces of sound of {} segments, {} of them in a SHA-256 chain, {} gaps\n",
      show_count(static_cast<std::int64_t>(report.samples)), show_count(report.segments),
      show_count(report.chained), show_count(report.gaps));
  std::string clocks;
  for (const auto& clock : report.clocks) clocks += (clocks.empty() ? "" : ", ") + clock;
  text += fmt::format("  clock    {}\n", clocks);
  for (const auto& note : report.notes) text += fmt::format("  note     {}\n", printable(note));
  if (report.is_as_recorded())
    return text + fmt::format("  result   as recorded{}\n", report.same_bytes ? ", byte for byte" : "");
  Table table({{"PROBLEM"}, {"FROM (UTC)"}, {"TO (UTC)"}, {"WHAT"}});
  for (const auto& problem : report.problems)
    table.add_row({problem.kind, show_time(problem.from), show_time(problem.to), problem.message});
  return text + "\n" + table.to_string() +
         fmt::format("\n  result   not as recorded: {} problems\n", report.problems.size());
}

}  // namespace gopline::cli
