#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/recorder/epoch_recorder.h"
#include "aggregator/recorder/recorder_metrics.h"
#include "aggregator/recorder/retention.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::aggregator {

struct RecordOptions {
  std::string topic_namespace = "gopline";
  std::vector<std::string> patterns;  // of streams, as a shell's: * ? [...]; a '/' is a character like others
  RecordingOptions recording;
  std::string group;                                       // recorders with the same one share the streams
  StartPosition first_start = StartPosition::beginning();  // where the group has not been yet
  bool until_end = false;  // ends when everything that is there at the beginning is recorded
  Duration session_timeout = std::chrono::seconds(15);  // silent for so long, a recorder loses its streams
  std::string member_id;  // one that comes back under the same name has its streams at once; empty: none
  Duration retry_after = std::chrono::seconds(5);  // of a stream that could not be recorded
  RecordingLimits limits;
  payload::BlobSource* blobs = nullptr;  // nullptr: payloads outside of the log are absent
  const RecorderMetrics* metrics = nullptr;
};

struct RecordedStream {
  std::int64_t files = 0;
  std::int64_t segments = 0;
  std::uint64_t bytes = 0;  // of files
  Duration footage{};       // in files
  std::int64_t gaps = 0;
  std::string failure;  // why it is not being recorded at the end; empty: it is
};

struct RecordReport {
  std::map<std::string, RecordedStream> streams;
  RecordingRetention::Removed removed;  // by retention
  bool interrupted = false;
  bool whole() const;   // no gaps
  bool failed() const;  // a stream is behind
};

// Steps after which a program may die. Each is durable when it is told.
enum class RecordStep { kFileNamed, kJsonWritten, kProgressWritten, kCommitted };

struct RecordEvents {
  std::function<void()> on_ready;                             // it is a member of its group
  std::function<void(const Recording&)> on_recording;         // has its name
  std::function<void(const std::string& stream)> on_segment;  // is written, to a .part
  std::function<void(RecordStep)> on_step;
  // It cannot be recorded, and why; empty: it is recorded again.
  std::function<void(const std::string& stream, const std::string& why)> on_failure;
};

// Records streams into files until somebody asks to stop; then what is open is finished. One thread reads
// the group's partitions and writes. A file takes its name when its bytes are durable; then its JSON is
// written, then how far the stream is, and at last the group's offset: wherever it dies, the next begins at
// something that is in no finished file, and passes over what is in one. kNotFound: the log has no streams
// yet. Streams that fail are tried again and stop no other. Events are called on the caller's thread.
Result<RecordReport> record_streams(Log& log, const Clock& clock, const RecordOptions& options,
                                    const RecordEvents& events, StopToken stop);

}  // namespace gopline::aggregator
