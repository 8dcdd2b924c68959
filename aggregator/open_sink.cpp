#include <sys/stat.h>

#include "aggregator/sink.h"
#include "common/base/logging.h"

namespace gopline::aggregator {

bool is_file(const std::string& output) {
  struct stat status {};
  if (output == "-" || output.find("://") != std::string::npos) return false;
  return ::stat(output.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

Result<OpenedSink> open_sink(SinkOptions options, const EpochBegin& epoch) {
  if (options.receiver) {
    auto format = options.format;
    return OpenedSink{make_muxer_sink(std::move(options)), std::move(format), false};
  }
  if (options.format == kPictures)
    return OpenedSink{make_pictures_sink(options.output), std::move(options.format), true};
  bool fragments = epoch.started.marker.content_type.find("/mp4") != std::string::npos;
  if (options.format == "mp4" && options.muxer_options.empty() && !is_file(options.output)) {
    log_info(options.output, "cannot be written out of order, so this is fragmented MP4");
    options.format = "fmp4";
  }
  OpenedSink opened;
  opened.format = options.format;
  opened.passed_through = options.format == "fmp4" && fragments && options.muxer_options.empty();
  if (opened.passed_through) {
    GOPLINE_ASSIGN(opened.sink, make_passthrough_sink(options));
  } else {
    opened.sink = make_muxer_sink(std::move(options));
  }
  return opened;
}

}  // namespace gopline::aggregator
