#include <algorithm>
#include <cctype>
#include <fstream>

#include "common/base/text.h"
#include "common/log/kafka/kafka_log.h"

namespace gopline {
namespace {

constexpr std::string_view kScheme = "kafka://";
constexpr std::string_view kVariable = "GOPLINE_KAFKA_";

std::string_view trim(std::string_view text) {
  auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// The parts of kafka://BROKERS/NAMESPACE?QUERY, none of them decoded.
struct RawUrl {
  std::string_view brokers, path, query;
};

RawUrl take_apart(std::string_view url) {
  RawUrl raw;
  auto rest = url.substr(std::min(kScheme.size(), url.size()));
  if (auto mark = rest.find('?'); mark != std::string_view::npos) {
    raw.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  auto slash = rest.find('/');
  raw.brokers = rest.substr(0, slash);
  if (slash != std::string_view::npos) raw.path = rest.substr(slash + 1);
  return raw;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text = text.substr(std::min(end + 1, text.size()));
  }
  return parts;
}

// HOST:PORT, or [IPv6]:PORT.
bool is_broker(std::string_view broker) {
  auto colon = broker.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  auto port = parse_int64(broker.substr(colon + 1));
  return port && *port > 0 && *port < 65536 && broker.find('@') == std::string_view::npos;
}

Result<std::string> decoded(std::string_view text, std::string_view url) {
  auto out = percent_decode(text);
  if (out) return out;
  return fail(ErrorCode::kInvalidArgument, "{}: '%' begins two hexadecimal digits; itself it is %25",
              kafka_url_without_secrets(url));
}

}  // namespace

Result<KafkaUrl> parse_kafka_url(std::string_view url) {
  constexpr std::string_view kForm = "kafka://HOST:PORT[,HOST:PORT...]/NAMESPACE";
  if (!url.starts_with(kScheme)) return fail(ErrorCode::kInvalidArgument, "a Kafka log is {}", kForm);
  auto raw = take_apart(url);
  KafkaUrl out;
  out.brokers = raw.brokers;
  auto brokers = split(raw.brokers, ',');
  if (brokers.empty() || raw.brokers.ends_with(',') ||
      !std::all_of(brokers.begin(), brokers.end(), is_broker)) {
    // What stands there may be a user and a password.
    return fail(ErrorCode::kInvalidArgument,
                "{}: each broker is HOST:PORT; a Kafka log is {} (users and passwords are properties: "
                "--kafka-config FILE)",
                kafka_url_without_secrets(url), kForm);
  }
  GOPLINE_ASSIGN(out.topic_namespace, decoded(raw.path, url));
  for (auto pair : split(raw.query, '&')) {
    auto equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(ErrorCode::kInvalidArgument, "{}: what follows '?' is property=value&property=value",
                  kafka_url_without_secrets(url));
    }
    KafkaProperty property;
    GOPLINE_ASSIGN(property.name, decoded(pair.substr(0, equals), url));
    GOPLINE_ASSIGN(property.value, decoded(pair.substr(equals + 1), url));
    property.origin = "the URL";
    out.properties.push_back(std::move(property));
  }
  return out;
}

std::string kafka_url_without_secrets(std::string_view url) {
  auto raw = take_apart(url);
  std::string out(kScheme);
  for (auto broker : split(raw.brokers, ',')) {
    auto at = broker.rfind('@');
    if (out.size() > kScheme.size()) out += ',';
    out += at == std::string_view::npos ? std::string(broker) : "***@" + std::string(broker.substr(at + 1));
  }
  if (!raw.path.empty()) out += "/" + std::string(raw.path);
  char mark = '?';
  for (auto pair : split(raw.query, '&')) {
    out += mark + std::string(pair.substr(0, pair.find('='))) + "=***";
    mark = '&';
  }
  return out;
}

Result<std::vector<KafkaProperty>> read_kafka_properties(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail_errno(errno, fmt::format("{}: cannot read the Kafka properties", path));
  std::vector<KafkaProperty> out;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    auto text = trim(line);
    if (text.empty() || text.front() == '#' || text.front() == '!') continue;
    auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(ErrorCode::kInvalidArgument, "{}:{}: a line is name=value, or a comment after '#'", path,
                  number);
    }
    out.push_back({std::string(trim(text.substr(0, equals))), std::string(trim(text.substr(equals + 1))),
                   fmt::format("{}:{}", path, number)});
  }
  return out;
}

std::vector<KafkaProperty> kafka_properties_from(const char* const* environment) {
  std::vector<KafkaProperty> out;
  for (; environment && *environment; ++environment) {
    std::string_view entry = *environment;
    auto equals = entry.find('=');
    if (!entry.starts_with(kVariable) || equals == std::string_view::npos) continue;
    auto variable = entry.substr(0, equals);
    auto rest = variable.substr(kVariable.size());
    if (rest == "CONFIG" || rest.empty()) continue;
    std::string name;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] != '_') {
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(rest[i])));
      } else if (i + 1 < rest.size() && rest[i + 1] == '_') {
        name += '_';
        ++i;
      } else {
        name += '.';
      }
    }
    out.push_back({std::move(name), std::string(entry.substr(equals + 1)), "$" + std::string(variable)});
  }
  return out;
}

}  // namespace gopline
