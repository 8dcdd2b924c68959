#include "common/payload/s3/s3_settings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace gopline::payload {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kS3Scheme = "s3://";
constexpr std::uint64_t kLeastPart = 5 << 20;   // S3's limits: of a part that is not the last,
constexpr std::uint64_t kMostPut = 5ULL << 30;  // and of one request's body
constexpr std::string_view kAmazon = ".amazonaws.com";

struct Value {
  std::string text;
  std::string origin;  // FILE:LINE or $VARIABLE
};
using Values = std::map<std::string, Value>;

std::string_view trim(std::string_view text) {
  auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

tl::unexpected<Error> invalid(const Value& value, std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "{}: {}", value.origin, what);
}

// ---- where values come from

// The settings that a configuration file may have, and what else gives them: variables in the order in which
// they count, and the name in a profile's files.
struct Known {
  std::string_view name;
  std::vector<std::string> variables;
  std::string profile_name;
};
const std::vector<Known>& known_settings() {
  static const std::vector<Known> known{
      {"endpoint", {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}, "endpoint_url"},
      {"region", {"AWS_REGION", "AWS_DEFAULT_REGION"}, "region"},
      {"ca_file", {"AWS_CA_BUNDLE"}, "ca_bundle"},
      {"access_key_id", {"AWS_ACCESS_KEY_ID"}, "aws_access_key_id"},
      {"secret_access_key", {"AWS_SECRET_ACCESS_KEY"}, "aws_secret_access_key"},
      {"session_token", {"AWS_SESSION_TOKEN"}, "aws_session_token"},
      {"profile", {"AWS_PROFILE"}, ""},
      {"addressing", {}, ""},
      {"sse", {}, ""},
      {"sse_kms_key_id", {}, ""},
      {"part_size", {}, ""},
      {"multipart_threshold", {}, ""},
      {"range_size", {}, ""},
      {"parallel", {}, ""},
      {"connect_timeout", {}, ""},
      {"stall_timeout", {}, ""},
      {"patience", {}, ""}};
  return known;
}
constexpr std::array<std::string_view, 3> kCredentials{"access_key_id", "secret_access_key", "session_token"};

Result<Values> read_config(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return fail_errno(errno, fmt::format("{}: cannot read the S3 settings", path.string()));
  Values out;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    auto text = trim(line);
    if (text.empty() || text.front() == '#') continue;
    auto origin = fmt::format("{}:{}", path.string(), number);
    auto equals = text.find('=');
    auto name = std::string(trim(text.substr(0, std::min(equals, text.size()))));
    if (equals == std::string_view::npos || name.empty()) {
      // What stands there may be a secret.
      return fail(ErrorCode::kInvalidArgument, "{}: a line is name=value, or a comment after '#'", origin);
    }
    const auto& known = known_settings();
    if (std::none_of(known.begin(), known.end(), [&](const Known& one) { return one.name == name; })) {
      std::string names;
      for (const auto& one : known) names += (names.empty() ? "" : ", ") + std::string(one.name);
      return fail(ErrorCode::kInvalidArgument, "{}: there is no setting of that name; there are {}", origin,
                  names);
    }
    out[name] = {std::string(trim(text.substr(equals + 1))), std::move(origin)};
  }
  return out;
}

// One section of a file like ~/.aws/credentials. Missing files have none; nested values (indented) are not
// ours.
Values read_section(const fs::path& path, const std::string& section) {
  Values out;
  std::ifstream file(path);
  std::string line;
  bool inside = false;
  for (int number = 1; std::getline(file, line); ++number) {
    auto text = trim(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') continue;
    if (text.front() == '[') {
      inside = trim(text.substr(1, text.find(']') - 1)) == section;
      continue;
    }
    auto equals = text.find('=');
    if (!inside || equals == std::string_view::npos || line.front() == ' ' || line.front() == '\t') continue;
    out[std::string(trim(text.substr(0, equals)))] = {std::string(trim(text.substr(equals + 1))),
                                                      fmt::format("{}:{}", path.string(), number)};
  }
  return out;
}

// A profile's values: credentials in one file, the rest, or all of it, in the other.
Values read_profile(const std::string& name, const Environment& environment) {
  auto home = fs::path(environment("HOME").value_or("")) / ".aws";
  auto path = [&](const char* variable, const char* file) {
    return fs::path(environment(variable).value_or((home / file).string()));
  };
  auto out = read_section(path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), name);
  auto config = path("AWS_CONFIG_FILE", "config");
  out.merge(read_section(config, name == "default" ? name : "profile " + name));
  out.merge(read_section(config, name));
  return out;
}

void add_missing(Values& values, const std::string& name, const Value& value) {
  if (!value.text.empty()) values.emplace(name, value);
}

// Credentials belong together: a secret of one source never meets a key of another.
bool has_credentials(const Values& values) {
  return std::any_of(kCredentials.begin(), kCredentials.end(),
                     [&](auto name) { return values.contains(std::string(name)); });
}

bool is_credential(std::string_view name) {
  return std::find(kCredentials.begin(), kCredentials.end(), name) != kCredentials.end();
}

void add_environment(Values& values, const Environment& environment) {
  bool have = has_credentials(values);
  for (const auto& known : known_settings()) {
    if (have && is_credential(known.name)) continue;
    for (const auto& variable : known.variables) {
      add_missing(values, std::string(known.name), {environment(variable).value_or(""), "$" + variable});
    }
  }
}

Result<void> add_profile(Values& values, const Environment& environment) {
  auto chosen = values.find("profile");
  auto name = chosen == values.end() ? "default" : chosen->second.text;
  auto profile = read_profile(name, environment);
  if (profile.empty() && chosen != values.end()) {
    return invalid(chosen->second,
                   fmt::format("there is no profile '{}' in ~/.aws/credentials or ~/.aws/config "
                               "(or where AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE say)",
                               name));
  }
  bool have = has_credentials(values);
  for (const auto& known : known_settings()) {
    if (have && is_credential(known.name)) continue;
    auto found = profile.find(known.profile_name);
    if (found != profile.end()) add_missing(values, std::string(known.name), found->second);
  }
  return {};
}

// ---- what values mean

Result<void> take_url(S3Settings& settings, const std::string& url) {
  constexpr std::string_view kForm = "an object store is s3://BUCKET/PREFIX";
  if (!url.starts_with(kS3Scheme))
    return fail(ErrorCode::kInvalidArgument, "'{}': {}", without_secrets(url), kForm);
  std::string_view rest(url);
  rest.remove_prefix(kS3Scheme.size());
  auto slash = std::min(rest.find('/'), rest.size());
  settings.bucket = rest.substr(0, slash);
  auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (settings.bucket.size() < 3 || settings.bucket.size() > 255 || settings.bucket.starts_with('.') ||
      !std::all_of(settings.bucket.begin(), settings.bucket.end(), is_allowed)) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}': {}; a bucket's name is letters, digits, '-' and '.', and credentials come from the "
                "environment, a profile or --s3-config",
                without_secrets(url), kForm);
  }
  auto prefix = rest.substr(std::min(slash + 1, rest.size()));
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  GOPLINE_ASSIGN(settings.prefix, percent_decode(prefix));
  if (settings.prefix.starts_with('/') || settings.prefix.find("//") != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument, "'{}': the prefix has an empty part", without_secrets(url));
  }
  return {};
}

Result<void> take_endpoint(S3Settings& settings, const Value& value) {
  std::string_view rest(value.text);
  for (std::string_view scheme : {"http", "https"}) {
    auto begin = std::string(scheme) + "://";
    if (!rest.starts_with(begin)) continue;
    settings.scheme = scheme;
    rest.remove_prefix(begin.size());
    auto slash = std::min(rest.find('/'), rest.size());
    settings.host = rest.substr(0, slash);
    settings.base_path = rest.substr(slash);
    while (settings.base_path.ends_with('/')) settings.base_path.pop_back();
    bool plain = settings.host.find_first_of("@?# ") == std::string::npos &&
                 settings.base_path.find_first_of("?# ") == std::string::npos;
    // The default port is not part of the name that is signed.
    auto default_port = settings.scheme == "http" ? std::string(":80") : std::string(":443");
    if (settings.host.ends_with(default_port)) {
      settings.host.erase(settings.host.size() - default_port.size());
    }
    if (!settings.host.empty() && plain) return {};
  }
  return invalid(value, "an endpoint is http://HOST:PORT or https://HOST:PORT");
}

Result<void> take_addressing(S3Settings& settings, const Values& values) {
  auto found = values.find("addressing");
  auto wish = found == values.end() ? std::string("auto") : found->second.text;
  if (wish == "path" || wish == "virtual") {
    settings.addressing = wish == "path" ? S3Addressing::kPath : S3Addressing::kVirtualHost;
    return {};
  }
  if (wish != "auto") return invalid(found->second, "addressing is auto, path or virtual");
  // Amazon asks for names; others seldom have one per bucket. A dot in a bucket's name breaks the
  // certificate.
  bool is_name = std::all_of(settings.bucket.begin(), settings.bucket.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  bool amazon = settings.host.ends_with(kAmazon);
  settings.addressing = amazon && is_name ? S3Addressing::kVirtualHost : S3Addressing::kPath;
  return {};
}

Result<void> take_sizes(S3Settings& settings, const Values& values) {
  auto take = [&](const char* name, std::uint64_t& into, std::uint64_t least,
                  std::uint64_t most) -> Result<void> {
    auto found = values.find(name);
    if (found == values.end()) return {};
    auto parsed = parse_bytes(found->second.text);
    if (!parsed) return invalid(found->second, parsed.error().message);
    if (*parsed < least || *parsed > most) {
      return invalid(found->second,
                     fmt::format("{} is from {} to {}", name, format_bytes(least), format_bytes(most)));
    }
    into = *parsed;
    return {};
  };
  GOPLINE_TRY(take("part_size", settings.part_size, kLeastPart, kMostPut));
  GOPLINE_TRY(take("multipart_threshold", settings.multipart_threshold, 1, kMostPut));
  GOPLINE_TRY(take("range_size", settings.range_size, 64 << 10, kMostPut));
  auto found = values.find("parallel");
  if (found == values.end()) return {};
  auto count = parse_int64(found->second.text);
  if (!count || *count < 1 || *count > 64) return invalid(found->second, "parallel is a number from 1 to 64");
  settings.parallel = static_cast<std::size_t>(*count);
  return {};
}

Result<void> take_times(S3Settings& settings, const Values& values) {
  auto take = [&](const char* name, Duration& into, Duration least) -> Result<void> {
    auto found = values.find(name);
    if (found == values.end()) return {};
    auto parsed = parse_duration(found->second.text);
    if (!parsed) return invalid(found->second, parsed.error().message);
    if (*parsed < least || *parsed > std::chrono::hours(24)) {
      return invalid(found->second, fmt::format("{} is from {} to a day", name, format_duration(least)));
    }
    into = *parsed;
    return {};
  };
  GOPLINE_TRY(take("connect_timeout", settings.connect_timeout, std::chrono::milliseconds(100)));
  GOPLINE_TRY(take("stall_timeout", settings.stall_timeout, std::chrono::seconds(1)));
  return take("patience", settings.patience, Duration(0));
}

Result<void> take_encryption(S3Settings& settings, const Values& values) {
  auto sse = values.find("sse"), key = values.find("sse_kms_key_id");
  if (sse != values.end()) {
    settings.sse = sse->second.text;
    if (settings.sse != "AES256" && settings.sse != "aws:kms") {
      return invalid(sse->second, "sse is AES256 or aws:kms");
    }
  }
  if (key == values.end()) return {};
  settings.sse_kms_key_id = key->second.text;
  if (settings.sse != "aws:kms") return invalid(key->second, "sse_kms_key_id goes with sse=aws:kms");
  return {};
}

Result<void> take_credentials(S3Settings& settings, const Values& values) {
  auto text = [&](const char* name) {
    auto found = values.find(name);
    return found == values.end() ? std::string() : found->second.text;
  };
  settings.credentials = {text("access_key_id"), text("secret_access_key"), text("session_token")};
  const auto& own = settings.credentials;
  if (own.access_key_id.empty() || own.secret_access_key.empty()) {
    return fail(
        ErrorCode::kInvalidArgument,
        "{}: there {} credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of "
        "~/.aws/credentials in AWS_PROFILE, or give --s3-config FILE with access_key_id and "
        "secret_access_key",
        settings.url(), has_credentials(values) ? "is only half of the" : "are no");
  }
  for (const auto* one : {&own.access_key_id, &own.secret_access_key, &own.session_token}) {
    // They go into header lines.
    if (std::any_of(one->begin(), one->end(), [](char c) { return c <= ' ' || c == 0x7f; })) {
      return fail(ErrorCode::kInvalidArgument, "{}: a credential has a space or control character in it",
                  settings.url());
    }
  }
  return {};
}

}  // namespace

std::string S3Settings::url() const {
  std::string out = std::string(kS3Scheme) + bucket;
  for (std::size_t begin = 0; begin < prefix.size();) {
    auto end = std::min(prefix.find('/', begin), prefix.size());
    out += "/" + percent_encode(std::string_view(prefix).substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<S3Settings> read_s3_settings(const std::string& url, const std::optional<fs::path>& config_file,
                                    const Environment& environment) {
  S3Settings settings;
  GOPLINE_TRY(take_url(settings, url));
  Values values;
  if (config_file) {
    GOPLINE_ASSIGN(values, read_config(*config_file));
  }
  // A profile that the file names is asked for more loudly than the environment's credentials.
  bool named_in_file = values.contains("profile");
  if (named_in_file) GOPLINE_TRY(add_profile(values, environment));
  add_environment(values, environment);
  if (!named_in_file) GOPLINE_TRY(add_profile(values, environment));

  if (auto region = values.find("region"); region != values.end()) settings.region = region->second.text;
  if (settings.region.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
      std::string::npos) {
    return invalid(values["region"], "a region is a word like eu-central-1");
  }
  auto endpoint = values.find("endpoint");
  GOPLINE_TRY(
      take_endpoint(settings, endpoint != values.end()
                                  ? endpoint->second
                                  : Value{"https://s3." + settings.region + std::string(kAmazon), ""}));
  GOPLINE_TRY(take_addressing(settings, values));
  if (auto found = values.find("ca_file"); found != values.end()) settings.ca_file = found->second.text;
  GOPLINE_TRY(take_sizes(settings, values));
  GOPLINE_TRY(take_times(settings, values));
  GOPLINE_TRY(take_encryption(settings, values));
  GOPLINE_TRY(take_credentials(settings, values));
  return settings;
}

}  // namespace gopline::payload
