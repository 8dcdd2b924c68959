#include "cli/exit_codes.h"

namespace gopline::cli {

ExitCode exit_code_for(const Error& error) {
  switch (error.code) {
    case ErrorCode::kCancelled:
      return kInterrupted;
    default:
      return kFailed;
  }
}

}  // namespace gopline::cli
