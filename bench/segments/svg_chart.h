#pragma once
#include <functional>
#include <string>
#include <vector>

// Line charts as SVG: drawn here, so that a report needs no script and prints as it looks. Pure functions.
namespace gopline::bench {

struct ChartPoint {
  double x = 0, y = 0;
  double low = 0, high = 0;  // the spread; equal where there is none
};

struct ChartSeries {
  std::string name;  // written at the line's end
  int slot = 0;      // which colour and marker: the same for a name in every chart of a report
  bool dashed = false;
  std::vector<ChartPoint> points;  // by x
};

struct Chart {
  std::string id;        // of the SVG element
  std::string title;     // what is on the y axis, with its unit
  std::string subtitle;  // what that means
  bool log_y = false;
  std::function<std::string(double)> show_x, show_y;
  std::vector<ChartSeries> series;  // the x axis is logarithmic and has a tick for each x there is
};

inline constexpr int kChartSlots = 8;
inline constexpr int kRawSlot = kChartSlots - 1;  // grey: the yardstick

// One <svg> with its own style, for light and dark: as good in a page as in a file of its own. Empty where
// there is no point.
std::string to_svg(const Chart& chart);

std::string escape_xml(std::string_view text);

// Round numbers that span [low, high]: steps of 1, 2 or 5 from zero, or on a logarithmic axis 1, 2, 5 times
// powers of ten.
std::vector<double> linear_ticks(double high);
std::vector<double> log_ticks(double low, double high);

}  // namespace gopline::bench
