#include "server/access/user_access.h"

#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "server/access/password.h"

namespace gopline::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kLookPause = std::chrono::seconds(1);  // between two looks at the file
constexpr int kMostHashing = 2;                           // each takes 64 MiB and a processor
constexpr const char* kCookiePurpose = "cookie";
constexpr const char* kLinkPurpose = "link";

class KnownViewer final : public Viewer {
 public:
  explicit KnownViewer(User user) : user_(std::move(user)) {}
  std::string name() const override { return user_.name; }
  bool may_view(const std::string& stream) const override { return user_.covers(stream); }
  bool may_export(const std::string& stream) const override {
    return user_.role >= Role::kExporter && user_.covers(stream);
  }
  bool is_admin() const override { return user_.role == Role::kAdmin; }
  std::string_view role() const override { return to_string(user_.role); }

 private:
  const User user_;
};

// May what who made the link may, and only with the stream that the link names.
class LinkViewer final : public Viewer {
 public:
  LinkViewer(User user, std::string stream, bool with_clips, std::string link)
      : user_(std::move(user)), stream_(std::move(stream)), with_clips_(with_clips), link_(std::move(link)) {}
  std::string name() const override { return user_.name + " (link)"; }
  bool may_view(const std::string& stream) const override {
    return stream == stream_ && user_.covers(stream);
  }
  bool may_export(const std::string& stream) const override {
    return with_clips_ && user_.role >= Role::kExporter && may_view(stream);
  }
  std::string_view role() const override { return "link"; }
  std::string_view link() const override { return link_; }

 private:
  const User user_;
  const std::string stream_;
  const bool with_clips_;
  const std::string link_;
};

// A password that is changed ends what it began, and so does whoever is taken off the file.
std::string generation_of(const User& user) {
  return sha256_hex(user.password).substr(0, 16);
}

std::int64_t seconds_of(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// What is signed is ours: members are there, and of their types.
const User* owner_of(const Json& signed_json, const Users& users, Timestamp now) {
  if (signed_json.value("until", std::int64_t{0}) <= seconds_of(now)) return nullptr;
  const auto* user = users.find(signed_json.value("user", ""));
  return user && signed_json.value("generation", "") == generation_of(*user) ? user : nullptr;
}

std::optional<std::string_view> cookie_in(const http::Request& request) {
  auto cookies = request.header("Cookie");
  const std::string wanted = std::string(kCookieName) + "=";
  for (auto rest = cookies.value_or(std::string_view()); !rest.empty();) {
    auto end = rest.find(';');
    auto one = rest.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(wanted)) return one.substr(wanted.size());
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

// What follows "Basic " or "Bearer "; schemes are written in any case.
std::optional<std::string_view> credentials_in(const http::Request& request, std::string_view scheme) {
  auto header = request.header("Authorization");
  if (!header || header->size() <= scheme.size() || (*header)[scheme.size()] != ' ') return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>((*header)[i])) != scheme[i]) return std::nullopt;
  }
  return header->substr(scheme.size() + 1);
}

// Compared with where the name is not known, so that nobody learns which names are by the time it takes.
const std::string& nobodys_password() {
  static const std::string hash = hash_password(random_bytes(16)).value_or("");
  return hash;
}

}  // namespace

Result<UserAccess::LoadedPtr> UserAccess::load(const std::filesystem::path& file) {
  std::error_code error;
  auto mode = std::filesystem::status(file, error).permissions();
  if (error) return fail_errno(error.value(), file.string());
  using std::filesystem::perms;
  if ((mode & (perms::group_write | perms::others_all)) != perms::none)
    return fail(ErrorCode::kPermissionDenied, "{}: others may read it: chmod 600 it", file.string());
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) return fail(ErrorCode::kIo, "{}: cannot be read", file.string());
  auto users = parse_users(text);
  if (!users) return fail_with_context(file.string(), users.error());
  GOPLINE_ASSIGN(auto signer, Signer::from(users->key));
  return std::make_shared<const Loaded>(Loaded{std::move(*users), std::move(signer)});
}

Result<std::unique_ptr<UserAccess>> UserAccess::open(std::filesystem::path file, const Clock& clock) {
  GOPLINE_ASSIGN(auto loaded, load(file));
  std::unique_ptr<UserAccess> access(new UserAccess(std::move(file), clock));
  access->loaded_ = std::move(loaded);
  std::error_code ignored;
  access->written_ = std::filesystem::last_write_time(access->file_, ignored);
  access->looked_ = clock.steady_now();
  nobodys_password();
  return access;
}

UserAccess::LoadedPtr UserAccess::current() const {
  std::lock_guard lock(mutex_);
  auto now = clock_.steady_now();
  if (now - looked_ < kLookPause) return loaded_;
  looked_ = now;
  std::error_code error;
  auto written = std::filesystem::last_write_time(file_, error);
  if (error || written == written_) return loaded_;
  auto loaded = load(file_);
  if (!loaded) {
    log_warning("serve", "{}; the users of before stay", loaded.error().message);
    return loaded_;
  }
  written_ = written;
  loaded_ = std::move(*loaded);
  log_info("serve", "{}: {} users", file_.string(), loaded_->users.users.size());
  return loaded_;
}

Result<ViewerPtr> UserAccess::admit(const http::Request& request, const http::RequestTarget& target) const {
  auto now = current();
  if (auto token = credentials_in(request, "bearer")) return by_token(*now, *token);
  if (auto link = target.parameter("link")) return by_link(*now, *link);
  if (auto cookie = cookie_in(request)) return by_cookie(*now, *cookie);
  return fail(ErrorCode::kPermissionDenied, "log in first");
}

Result<ViewerPtr> UserAccess::by_token(const Loaded& now, std::string_view token) const {
  auto hash = sha256_hex(token);  // of a secret that cannot be guessed: its comparison may take what it takes
  for (const auto& user : now.users.users) {
    for (const auto& known : user.tokens) {
      if (known.sha256 != hash) continue;
      if (known.until && *known.until <= clock_.now())
        return fail(ErrorCode::kPermissionDenied, "the token's time is over");
      return std::make_shared<const KnownViewer>(user);
    }
  }
  return fail(ErrorCode::kPermissionDenied, "the token is not known");
}

Result<ViewerPtr> UserAccess::by_cookie(const Loaded& now, std::string_view cookie) const {
  auto text = now.signer.verify(kCookiePurpose, cookie);
  const auto* user = text ? owner_of(Json::parse(*text), now.users, clock_.now()) : nullptr;
  if (!user) return fail(ErrorCode::kPermissionDenied, "log in again");
  return std::make_shared<const KnownViewer>(*user);
}

Result<ViewerPtr> UserAccess::by_link(const Loaded& now, std::string_view link) const {
  auto text = now.signer.verify(kLinkPurpose, link);
  auto json = text ? Json::parse(*text) : Json::object();
  const auto* user = text ? owner_of(json, now.users, clock_.now()) : nullptr;
  if (!user) return fail(ErrorCode::kPermissionDenied, "the link is not valid, or its time is over");
  return std::make_shared<const LinkViewer>(*user, json.value("stream", ""), json.value("clips", false),
                                            std::string(link));
}

Result<std::string> UserAccess::log_in(const http::Request& request) const {
  auto given = credentials_in(request, "basic");
  auto decoded = given ? base64_decode(*given) : Result<std::vector<std::uint8_t>>();
  std::string text = given && decoded ? std::string(decoded->begin(), decoded->end()) : "";
  auto colon = text.find(':');
  if (colon == std::string::npos)
    return fail(ErrorCode::kInvalidArgument, "a login wants Authorization: Basic");
  auto name = text.substr(0, colon);
  auto steady = clock_.steady_now();
  if (!by_peer_.admit(request.peer, steady) || !by_name_.admit(sha256_hex(name), steady))
    return fail(ErrorCode::kUnavailable, "too many attempts: wait a minute");
  auto now = current();
  const auto* user = now->users.find(name);
  bool has_password = user && !user->password.empty();
  {
    std::lock_guard lock(mutex_);
    if (hashing_ >= kMostHashing) return fail(ErrorCode::kUnavailable, "too many log in at once: try again");
    ++hashing_;
  }
  bool matches = password_matches(std::string_view(text).substr(colon + 1),
                                  has_password ? user->password : nobodys_password());
  {
    std::lock_guard lock(mutex_);
    --hashing_;
  }
  if (!has_password || !matches) return fail(ErrorCode::kPermissionDenied, "name or password is wrong");
  by_peer_.forgive(request.peer);
  by_name_.forgive(sha256_hex(name));
  Json cookie{{"user", name},
              {"until", seconds_of(clock_.now() + kSessionTime)},
              {"generation", generation_of(*user)}};
  return now->signer.sign(kCookiePurpose, cookie.dump());
}

Result<std::string> UserAccess::make_link(const Viewer& viewer, const std::string& stream, bool with_clips,
                                          Timestamp until) const {
  auto now = current();
  const auto* user = now->users.find(viewer.name());
  // Who may not export may not let others in either; nor does a link make links.
  if (!user || !viewer.may_export(stream) || !viewer.link().empty())
    return fail(ErrorCode::kPermissionDenied, "{}: a link is not yours to make", stream);
  if (until <= clock_.now() || until > clock_.now() + kLongestLink)
    return fail(ErrorCode::kInvalidArgument, "a link lasts from now on, and 31 days at most");
  Json link{{"user", user->name},
            {"until", seconds_of(until)},
            {"generation", generation_of(*user)},
            {"stream", stream},
            {"clips", with_clips}};
  return now->signer.sign(kLinkPurpose, link.dump());
}

}  // namespace gopline::server
