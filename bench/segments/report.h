#pragma once
#include <string>
#include <vector>

#include "bench/segments/advice.h"
#include "bench/segments/results.h"
#include "bench/segments/svg_chart.h"

// The report for people: one HTML file that needs nothing else, no script, and prints. Pure functions.
namespace gopline::bench {

// Figures against the size of random payloads, and against the segment duration of video.
struct ReportCharts {
  std::vector<Chart> sizes, durations;
};
ReportCharts charts_of(const Results& results);

// Well-formed XML after its first line. `advice`: nullptr where there is none to give.
std::string to_html(const Results& results, const Advice* advice);

// In words: what was done, and on what.
std::vector<std::string> method_of(const Results& results);
std::vector<std::pair<std::string, std::string>> environment_of(const Results& results);

}  // namespace gopline::bench
