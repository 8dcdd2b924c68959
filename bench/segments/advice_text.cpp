#include <nlohmann/json.hpp>

#include "bench/segments/advice.h"

namespace gopline::bench {
namespace {

std::string lines_of(const Properties& properties) {
  std::string out;
  for (const auto& [name, value] : properties) out += fmt::format("{}={}\n", name, value);
  return out;
}

nlohmann::json json_of(const Properties& properties) {
  auto out = nlohmann::json::object();
  for (const auto& [name, value] : properties) out[name] = value;
  return out;
}

// Words under each other, none beyond the column.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t columns) {
  std::string out;
  std::size_t at = indent;
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find(' ', begin), text.size());
    if (at + (end - begin) > columns && at > indent) {
      out += "\n" + std::string(indent, ' ');
      at = indent;
    } else if (at > indent) {
      out += ' ';
      ++at;
    }
    out += text.substr(begin, end - begin);
    at += end - begin;
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::string to_text(const Advice& advice) {
  constexpr std::size_t kColumns = 100, kIndent = 4;
  std::string out = advice.summary + "\n\n";
  for (const auto& point : advice.points) {
    out +=
        fmt::format("{}: {}\n    {}\n", point.subject, point.value, wrapped(point.reason, kIndent, kColumns));
  }
  out += "\n" + advice.command + "\n";
  out += "\n# clients: --kafka-config FILE\n" + lines_of(advice.client);
  out += "\n# topic NAMESPACE.segments\n" + lines_of(advice.topic);
  out += "\n# brokers: server.properties\n" + lines_of(advice.broker);
  if (!advice.cautions.empty()) out += "\n";
  for (const auto& caution : advice.cautions) {
    out += "note: " + wrapped(caution, 6, kColumns) + ".\n";
  }
  return out;
}

nlohmann::json to_json(const Advice& advice) {
  auto points = nlohmann::json::array();
  for (const auto& point : advice.points) {
    points.push_back({{"subject", point.subject}, {"value", point.value}, {"reason", point.reason}});
  }
  return {{"summary", advice.summary},      {"points", points},
          {"command", advice.command},      {"client", json_of(advice.client)},
          {"topic", json_of(advice.topic)}, {"broker", json_of(advice.broker)},
          {"cautions", advice.cautions}};
}

}  // namespace gopline::bench
