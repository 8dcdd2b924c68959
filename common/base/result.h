#pragma once
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace gopline {

// What kind of failure this is. The kind decides what a caller does (retry, give up, exit code); the message
// tells a person.
enum class ErrorCode {
  kInvalidArgument,   // the caller's words are wrong: a flag, an id, a URL
  kNotFound,          // a file, stream, topic or offset that is not there
  kPermissionDenied,  // the operating system or the log says no
  kCorrupt,           // bytes that contradict their own hash, length or syntax
  kUnsupported,       // understood, but not something this version can do
  kOutOfSpace,        // disk or quota full
  kUnavailable,       // may work later: the log is busy, the peer is away
  kCancelled,         // somebody asked to stop
  kTooLarge,          // beyond a stated limit
  kConflict,          // somebody else owns it now
  kIo,                // the operating system failed a read or write
  kInternal,          // a bug or a library failure that has no better name
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // what failed, on which file or stream, and what to do
};

template <typename T>
using Result = tl::expected<T, Error>;

template <typename... Args>
tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// The same failure with words before it: "FILE: cannot open: no such file".
tl::unexpected<Error> fail_with_context(std::string_view context, Error error);

// An errno value as an Error: ENOENT is kNotFound, EACCES kPermissionDenied, ENOSPC and EDQUOT kOutOfSpace,
// else kIo.
tl::unexpected<Error> fail_errno(int error_number, std::string_view what);

}  // namespace gopline

#define GOPLINE_CONCAT_INNER(a, b) a##b
#define GOPLINE_CONCAT(a, b) GOPLINE_CONCAT_INNER(a, b)

// Returns from the enclosing function with the error of `expression`, if it has one.
#define GOPLINE_TRY(expression)                                                   \
  do {                                                                            \
    if (auto gopline_result = (expression); !gopline_result) {                    \
      return tl::unexpected<::gopline::Error>(std::move(gopline_result.error())); \
    }                                                                             \
  } while (false)

// GOPLINE_ASSIGN(auto value, expression): declares or assigns `value`, or returns with the error.
#define GOPLINE_ASSIGN(target, ...) \
  GOPLINE_ASSIGN_INNER(GOPLINE_CONCAT(gopline_result_, __LINE__), target, __VA_ARGS__)
#define GOPLINE_ASSIGN_INNER(name, target, ...)                                \
  auto name = (__VA_ARGS__);                                                   \
  if (!name) return tl::unexpected<::gopline::Error>(std::move(name.error())); \
  target = std::move(*name)
