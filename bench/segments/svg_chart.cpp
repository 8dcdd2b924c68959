#include "bench/segments/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace gopline::bench {
namespace {

constexpr double kWidth = 540, kHeight = 300;
constexpr double kLeft = 52, kRight = 424, kTop = 56, kBottom = 264;
constexpr double kLabelGap = 14;  // between lines of text
constexpr double kApart = 3;      // between the bars of lines that share their x
constexpr std::size_t kMostXTicks = 8;

// Okabe and Ito's colours, which people who see few colours can tell apart; lighter where the page is dark.
constexpr const char* kStyle = R"(
.chart{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;--ink:#1c2024;--soft:#5f6b76;--line:#e4e8ec;
--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#b0478c;--s4:#b07a00;--s5:#2f9fd8;--s6:#7a4fc4;--s7:#6b7280}
@media (prefers-color-scheme:dark){.chart{--ink:#e8ebee;--soft:#a3adb8;--line:#333a42;
--s0:#4fb0e8;--s1:#ff8a4c;--s2:#35c79a;--s3:#e58cc4;--s4:#e3b13c;--s5:#8fd0f5;--s6:#b79af0;--s7:#9aa4b0}}
@media print{.chart{--ink:#000;--soft:#444;--line:#ddd;
--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#b0478c;--s4:#b07a00;--s5:#2f9fd8;--s6:#7a4fc4;--s7:#6b7280}}
.chart .t{font-size:14px;font-weight:600;fill:var(--ink)}.chart .u{fill:var(--soft)}.chart .k{fill:var(--soft);font-size:11px}
.chart .g{stroke:var(--line)}.chart .n{font-weight:600}.chart path{fill:none;stroke-width:2;stroke-linejoin:round}
.chart .e{stroke-width:1.2;opacity:.55}
)";

std::string slot_color(int slot) {
  return fmt::format("var(--s{})", std::clamp(slot, 0, kChartSlots - 1));
}

// Where values lie on the paper.
class Scale {
 public:
  explicit Scale(const Chart& chart) : log_y_(chart.log_y) {
    std::set<double> xs;
    double low = HUGE_VAL, high = 0;
    for (const auto& series : chart.series) {
      for (const auto& point : series.points) {
        xs.insert(point.x);
        low = std::min({low, point.y, point.low});
        high = std::max({high, point.y, point.high});
      }
    }
    xs_.assign(xs.begin(), xs.end());
    if (xs_.empty()) return;
    y_ticks_ = log_y_ ? log_ticks(low, high) : linear_ticks(high);
  }

  bool empty() const { return xs_.empty(); }
  const std::vector<double>& xs() const { return xs_; }
  const std::vector<double>& y_ticks() const { return y_ticks_; }

  double x(double value) const {
    if (xs_.size() < 2) return (kLeft + kRight) / 2;
    auto part = std::log(value / xs_.front()) / std::log(xs_.back() / xs_.front());
    constexpr double kInset = 14;
    return kLeft + kInset + part * (kRight - kLeft - 2 * kInset);
  }
  double y(double value) const {
    auto bottom = y_ticks_.front(), top = y_ticks_.back();
    auto part = log_y_ ? std::log(std::max(value, bottom) / bottom) / std::log(top / bottom) : value / top;
    return kBottom - part * (kBottom - kTop);
  }

 private:
  bool log_y_;
  std::vector<double> xs_, y_ticks_;
};

std::string axes(const Chart& chart, const Scale& scale) {
  std::string out;
  for (auto tick : scale.y_ticks()) {
    auto y = scale.y(tick);
    out += fmt::format(R"(<line class="g" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft, kRight, y, y);
    out += fmt::format(R"(<text class="k" x="{}" y="{:.1f}" text-anchor="end">{}</text>)", kLeft - 8, y + 4,
                       escape_xml(chart.show_y(tick)));
  }
  auto step = (scale.xs().size() + kMostXTicks - 1) / kMostXTicks;
  for (std::size_t i = 0; i < scale.xs().size(); i += step) {
    out += fmt::format(R"(<text class="k" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)",
                       scale.x(scale.xs()[i]), kBottom + 20, escape_xml(chart.show_x(scale.xs()[i])));
  }
  return out;
}

// A shape for each slot, so that colour is not all that tells lines apart.
std::string marker(int slot, double x, double y) {
  auto color = slot_color(slot);
  switch (slot % 4) {
    case 1:
      return fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="7" height="7" fill="{}"/>)", x - 3.5, y - 3.5,
                         color);
    case 2:
      return fmt::format(R"(<polygon points="{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}" fill="{}"/>)", x,
                         y - 4.6, x + 4.3, y + 3.4, x - 4.3, y + 3.4, color);
    case 3:
      return fmt::format(
          R"(<polygon points="{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}" fill="{}"/>)", x,
          y - 4.6, x + 4.6, y, x, y + 4.6, x - 4.6, y, color);
    default:
      return fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3.8" fill="{}"/>)", x, y, color);
  }
}

std::string error_bar(const ChartPoint& point, const Scale& scale, double aside, const std::string& color) {
  if (point.high <= point.low) return {};
  auto x = scale.x(point.x) + aside, top = scale.y(point.high), bottom = scale.y(point.low);
  return fmt::format(
      R"(<path class="e" style="stroke:{}" d="M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}V{:.1f}M{:.1f} {:.1f}H{:.1f}"/>)",
      color, x - 3, top, x + 3, x, top, bottom, x - 3, bottom, x + 3);
}

std::string line(const Chart& chart, const ChartSeries& series, const Scale& scale, double aside) {
  auto color = slot_color(series.slot);
  std::string bars, path, markers;
  for (const auto& point : series.points) {
    auto x = scale.x(point.x) + aside, y = scale.y(point.y);
    bars += error_bar(point, scale, aside, color);
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
    auto words = fmt::format("{}, {}: {}", chart.show_x(point.x), series.name, chart.show_y(point.y));
    if (point.high > point.low) {
      words += fmt::format(" ({} to {})", chart.show_y(point.low), chart.show_y(point.high));
    }
    markers += fmt::format("<g><title>{}</title>{}</g>", escape_xml(words), marker(series.slot, x, y));
  }
  auto dash = series.dashed ? R"( stroke-dasharray="5 4")" : "";
  return bars + fmt::format(R"(<path style="stroke:{}" d="{}"{}/>)", color, path, dash) + markers;
}

// Names at the ends of their lines, moved apart where they would lie on each other.
std::string names(const Chart& chart, const Scale& scale) {
  struct Label {
    const ChartSeries* series;
    double x, y, at;
  };
  std::vector<Label> labels;
  for (const auto& series : chart.series) {
    if (series.points.empty()) continue;
    const auto& last = series.points.back();
    auto y = scale.y(last.y);
    labels.push_back({&series, scale.x(last.x), y, y});
  }
  std::ranges::sort(labels, {}, &Label::y);
  for (std::size_t i = 1; i < labels.size(); ++i) {
    labels[i].at = std::max(labels[i].at, labels[i - 1].at + kLabelGap);
  }
  auto overflow = labels.empty() ? 0 : std::max(0.0, labels.back().at - kBottom);
  for (auto& label : labels) label.at -= overflow;
  std::string out;
  for (const auto& label : labels) {
    auto color = slot_color(label.series->slot);
    out +=
        fmt::format(R"(<line style="stroke:{}" opacity=".35" x1="{:.1f}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>)",
                    color, label.x + 6, label.y, kRight + 6, label.at);
    out += fmt::format(R"(<text class="n" x="{}" y="{:.1f}" style="fill:{}">{}</text>)", kRight + 10,
                       label.at + 4, color, escape_xml(label.series->name));
  }
  return out;
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
    }
  }
  return out;
}

std::vector<double> linear_ticks(double high) {
  constexpr double kWanted = 5;
  if (high <= 0) return {0, 1};
  auto power = std::pow(10, std::floor(std::log10(high / kWanted)));
  double step = power;
  for (double factor : {1.0, 2.0, 5.0, 10.0}) {
    step = factor * power;
    if (high / step <= kWanted) break;
  }
  std::vector<double> ticks{0};
  while (ticks.back() < high) ticks.push_back(step * static_cast<double>(ticks.size()));
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  low = std::max(low, 1e-6);
  high = std::max(high, low);
  std::vector<double> all;
  for (auto power = std::pow(10, std::floor(std::log10(low)) - 1); power <= high * 10; power *= 10) {
    for (double factor : {1.0, 2.0, 5.0}) all.push_back(factor * power);
  }
  std::vector<double> ticks;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    bool covers = all[i + 1] > low * (1 + 1e-9) && (ticks.empty() || ticks.back() < high * (1 - 1e-9));
    if (covers || ticks.size() == 1) ticks.push_back(all[i]);
  }
  constexpr std::size_t kMostTicks = 9;
  if (ticks.size() <= kMostTicks) return ticks;
  std::vector<double> decades{std::pow(10, std::floor(std::log10(ticks.front()) + 1e-9))};
  while (decades.back() < high) decades.push_back(decades.back() * 10);
  return decades;
}

std::string to_svg(const Chart& chart) {
  Scale scale(chart);
  if (scale.empty()) return {};
  std::string out = fmt::format(
      R"(<svg id="{}" class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}">)",
      chart.id, kWidth, kHeight, escape_xml(chart.title + ": " + chart.subtitle));
  out += fmt::format("<style>{}</style>", kStyle);
  out += fmt::format(R"(<text class="t" x="{}" y="18">{}</text>)", 6, escape_xml(chart.title));
  out += fmt::format(R"(<text class="u" x="{}" y="36">{}</text>)", 6, escape_xml(chart.subtitle));
  out += axes(chart, scale);
  auto aside = -kApart * static_cast<double>(chart.series.size() - 1) / 2;
  for (const auto& series : chart.series) {
    out += line(chart, series, scale, aside);
    aside += kApart;
  }
  return out + names(chart, scale) + "</svg>";
}

}  // namespace gopline::bench
