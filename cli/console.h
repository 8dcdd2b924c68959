#pragma once
#include <string_view>

#include "cli/progress.h"
#include "common/base/result.h"

// Standard output carries results, standard error everything that is said about them.
namespace gopline::cli {

// To standard output, buffered. What cannot be written is reported by finish_output().
void print_result(std::string_view text);

// To standard error.
void print_note(std::string_view text);

// "gopline: MESSAGE" on standard error.
void print_error(std::string_view message);

// Prints the error and returns its exit code.
int report(const Error& error);
// The same for a wrong command line.
int report_usage(const Error& error, std::string_view command);

// Flushes standard output. A reader that went away early (`| head`) is no failure; a full disk is.
Result<void> finish_output();

// Bars on a terminal, lines elsewhere, nothing when `quiet`.
ProgressOptions progress_options(bool quiet);

}  // namespace gopline::cli
