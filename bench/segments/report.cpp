#include "bench/segments/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/text.h"

namespace gopline::bench {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5f6b76;--line:#e4e8ec;--page:#fff;--card:#f7f8fa;--mark:#0072b2;
--warn:#b04a00}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebee;--soft:#a3adb8;--line:#333a42;--page:#15181c;--card:#1d2126;
--mark:#4fb0e8;--warn:#ff9d5c}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;margin:40px 0 12px}
.lede{color:var(--soft);margin:0 0 20px}.summary{font-size:17px;margin:0 0 12px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;margin:20px 0}
.tile{background:var(--card);border-radius:10px;padding:12px 16px}.tile b{display:block;font-size:24px;line-height:1.25}
.tile span{color:var(--soft);font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:20px 24px}
.charts svg{width:100%;height:auto;display:block}
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 20px;margin:0}dt{font-weight:600}dd{margin:0}
dd b{color:var(--mark)}.why{color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:12.5px;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:right;padding:4px 6px;border-bottom:2px solid var(--line);vertical-align:bottom}
td{text-align:right;padding:4px 6px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child,th.l,td.l{text-align:left}tr.first td{border-top:2px solid var(--line)}
td small{color:var(--soft)}td.absent{color:var(--soft);text-align:left;font-style:italic}
pre{background:var(--card);border-radius:10px;padding:12px 16px;margin:0;white-space:pre-wrap;font-size:13px}
dl+pre,.notes+pre{margin-top:16px}.blocks{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:16px;margin-top:16px}
.blocks h3{font-size:14px;margin:0 0 6px}.notes{color:var(--warn)}footer{color:var(--soft);margin-top:40px;font-size:13px}
@media print{:root{--ink:#000;--soft:#444;--line:#ddd;--page:#fff;--card:#f4f4f4;--mark:#0072b2;--warn:#8a3b00}
@page{size:A4;margin:14mm}body{font-size:11px}main{max-width:none;padding:0}h1{font-size:20px}h2{font-size:14px;margin:18px 0 8px;
break-after:avoid}.summary{font-size:13px}.charts{grid-template-columns:1fr 1fr;gap:8px 12px}.charts svg,.tile,.blocks>div,pre,tr{break-inside:avoid}
.tiles{grid-template-columns:repeat(4,1fr);gap:8px}.tile{padding:8px 10px}.tile b{font-size:16px}.tile span{font-size:10px}
table{font-size:8.5px}th,td{padding:2px 4px}pre{font-size:9px}.blocks{grid-template-columns:repeat(3,1fr);gap:8px}
.wide{overflow:visible}}
)";

std::string text(std::string_view words) {
  return escape_xml(words);
}

std::string cell(const std::optional<Spread>& spread) {
  if (!spread) return "<td>-</td>";
  auto show = [](double value) {
    return value < 100 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value);
  };
  if (spread->low == spread->high) return fmt::format("<td>{}</td>", show(spread->median));
  return fmt::format("<td>{} <small>{}–{}</small></td>", show(spread->median), show(spread->low),
                     show(spread->high));
}

std::string cell(const std::optional<double>& value) {
  if (!value) return "<td>-</td>";
  return *value < 100 ? fmt::format("<td>{:.3g}</td>", *value) : fmt::format("<td>{:.0f}</td>", *value);
}

std::string payload_of(const Case& c) {
  if (!c.duration) return show_size(c.bytes);
  return fmt::format("{} of video ({})", show_seconds_short(*c.duration), show_size(c.bytes));
}

std::string row(const CaseResult& c, bool is_first) {
  auto out = fmt::format(R"(<tr{}><td>{}</td><td class="l">{}</td>)", is_first ? R"( class="first")" : "",
                         is_first ? text(payload_of(c.measured)) : "", text(to_string(c.measured.strategy)));
  if (!c.absent.empty()) {
    return out + fmt::format(R"(<td class="absent" colspan="12">{}</td></tr>)", text(c.absent));
  }
  for (auto figure : {&Repetition::write_mb_s, &Repetition::read_mb_s, &Repetition::through_mb_s}) {
    out += cell(c.spread(figure));
  }
  for (auto figure : {&Repetition::write_per_s, &Repetition::write_cpu_s_gb, &Repetition::read_cpu_s_gb}) {
    auto spread = c.spread(figure);
    out += cell(spread ? std::optional(spread->median) : std::nullopt);
  }
  auto peak = c.spread(&Repetition::write_peak_mb);
  auto read_peak = c.spread(&Repetition::read_peak_mb);
  out += cell(peak ? std::optional(std::max(peak->low, read_peak->low)) : std::nullopt);
  auto latency = c.latency.value_or(LatencyFigures{});
  out += cell(latency.p50_ms) + cell(latency.p99_ms) + cell(latency.p999_ms) + cell(latency.worst_ms);
  out += latency.samples > 0
             ? fmt::format("<td>{} <small>at {:.3g}/s</small></td>", latency.samples, latency.rate_per_s)
             : "<td>-</td>";
  return out + "</tr>\n";
}

std::string table(const Results& results) {
  std::string out = R"(<div class="wide"><table><thead><tr><th>payload</th><th class="l">strategy</th>)";
  for (const char* title : {"written<br/>MB/s", "read<br/>MB/s", "both at once<br/>MB/s", "written<br/>per s",
                            "CPU-s/GB<br/>written", "CPU-s/GB<br/>read", "peak<br/>MB", "p50<br/>ms",
                            "p99<br/>ms", "p99.9<br/>ms", "worst<br/>ms", "samples"}) {
    out += fmt::format("<th>{}</th>", title);
  }
  out += "</tr></thead><tbody>\n";
  const Case* last = nullptr;
  for (const auto& c : results.cases) {
    bool is_first = !last || payload_of(*last) != payload_of(c.measured);
    out += row(c, is_first);
    last = &c.measured;
  }
  return out + "</tbody></table></div>\n";
}

std::string charts(const std::vector<Chart>& all) {
  std::string out = R"(<div class="charts">)";
  for (const auto& chart : all) out += to_svg(chart) + "\n";
  return out + "</div>\n";
}

std::string tile(const std::string& value, const std::string& words) {
  return fmt::format(R"(<div class="tile"><b>{}</b><span>{}</span></div>)", text(value), text(words));
}

const CaseResult* best_by(const Results& results, bool raw, double Repetition::*figure) {
  const CaseResult* best = nullptr;
  for (const auto& c : results.cases) {
    auto spread = c.spread(figure);
    if (!spread || c.measured.strategy.is_raw != raw) continue;
    if (!best || spread->median > best->spread(figure)->median) best = &c;
  }
  return best;
}

// The same payloads by the bare client.
const CaseResult* raw_beside(const Results& results, const CaseResult& ours) {
  for (const auto& c : results.cases) {
    if (c.measured.strategy.is_raw && c.measured.bytes == ours.measured.bytes &&
        c.measured.duration == ours.measured.duration && !c.repetitions.empty()) {
      return &c;
    }
  }
  return nullptr;
}

std::string tiles(const Results& results) {
  const auto* most = best_by(results, false, &Repetition::through_mb_s);
  if (!most) return {};
  std::string out = R"(<div class="tiles">)";
  auto through = most->spread(&Repetition::through_mb_s)->median;
  out += tile(fmt::format("{:.0f} MB/s", through), "the most that passed, at " + title_of(most->measured));
  if (const auto* raw = raw_beside(results, *most)) {
    out += tile(fmt::format("{:.2f}×", through / raw->spread(&Repetition::through_mb_s)->median),
                "of the bare client's, the same payloads beside it");
  }
  auto cpu =
      most->spread(&Repetition::write_cpu_s_gb)->median + most->spread(&Repetition::read_cpu_s_gb)->median;
  out += tile(fmt::format("{:.2f} CPU-s/GB", cpu), "to write and read them");
  const CaseResult* soonest = nullptr;
  for (const auto& c : results.cases) {
    if (!c.latency || !c.latency->p50_ms || c.measured.strategy.is_raw || c.measured.bytes < 900'000)
      continue;
    if (!soonest || *c.latency->p50_ms < *soonest->latency->p50_ms) soonest = &c;
  }
  if (soonest) {
    out += tile(fmt::format("{:.1f} ms", *soonest->latency->p50_ms),
                "median from due to verified, at " + title_of(soonest->measured));
  }
  return out + "</div>\n";
}

std::string block(const std::string& title, const Properties& properties) {
  std::string lines;
  for (const auto& [name, value] : properties) lines += name + "=" + value + "\n";
  return fmt::format("<div><h3>{}</h3><pre>{}</pre></div>", text(title), text(lines));
}

std::string advice_section(const Advice& advice) {
  auto out = fmt::format("<h2>What this means</h2>\n<p class=\"summary\">{}</p>\n<dl>", text(advice.summary));
  for (const auto& point : advice.points) {
    out += fmt::format("<dt>{}</dt><dd><b>{}</b> <span class=\"why\">{}</span></dd>\n", text(point.subject),
                       text(point.value), text(point.reason));
  }
  out += "</dl>\n";
  if (!advice.cautions.empty()) out += "<ul class=\"notes\">";
  for (const auto& caution : advice.cautions) out += fmt::format("<li>{}.</li>", text(caution));
  if (!advice.cautions.empty()) out += "</ul>\n";
  out += fmt::format("<pre>{}</pre>\n", text(advice.command));
  out += fmt::format("<div class=\"blocks\">{}{}{}</div>", block("Clients (--kafka-config)", advice.client),
                     block("Topic NAMESPACE.segments", advice.topic), block("Brokers", advice.broker));
  return out +
         "<p class=\"why\">Another load: <code>gopline advise results.json --streams N --bitrate "
         "RATE --latency-goal TIME</code></p>\n";
}

std::string method_section(const Results& results) {
  std::string out = "<h2>How it was measured</h2>\n";
  for (const auto& paragraph : method_of(results)) out += fmt::format("<p>{}</p>\n", text(paragraph));
  out += "<h2>On what</h2>\n<dl>";
  for (const auto& [name, value] : environment_of(results)) {
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", text(name), text(value));
  }
  return out + "</dl>\n";
}

}  // namespace

std::string to_html(const Results& results, const Advice* advice) {
  const auto& e = results.environment;
  auto drawn = charts_of(results);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head><meta "
      "charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n";
  out += fmt::format(
      "<title>gopline: what a payload costs on {}</title><style>{}</style></head>\n<body><main>\n",
      text(e.log), kStyle);
  out += "<h1>What a payload's size costs</h1>\n";
  out += fmt::format(
      "<p class=\"lede\">{} · {} · {} cores · {}</p>\n", text(e.log), format_rfc3339(e.started).substr(0, 10),
      e.cores, results.complete ? fmt::format("{} repetitions", results.settings.repetitions) : "cut short");
  out += tiles(results);
  if (!drawn.sizes.empty()) out += "<h2>By size</h2>\n" + charts(drawn.sizes);
  if (!drawn.durations.empty()) out += "<h2>Video, by segment duration</h2>\n" + charts(drawn.durations);
  if (advice) out += advice_section(*advice);
  out += "<h2>All figures</h2>\n" + table(results) + method_section(results);
  out += fmt::format(
      "<footer>Made by gopline {}. The same figures are in results.json and results.csv.</footer>\n",
      text(e.program));
  return out + "</main></body></html>\n";
}

}  // namespace gopline::bench
