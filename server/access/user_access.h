#pragma once
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "server/access/access.h"
#include "server/access/login_limiter.h"
#include "server/access/signature.h"
#include "server/access/users.h"

namespace gopline::server {

// Asks everybody who they are: by a bearer token (RFC 6750), by the cookie that log_in() made, or by a link.
// The file of users is read again when it changes; a file that is then wrong changes nothing. Cookies and
// links are signed and kept nowhere, so servers with the same file take each other's. Thread-safe.
class UserAccess final : public Access {
 public:
  // `clock` outlives it.
  static Result<std::unique_ptr<UserAccess>> open(std::filesystem::path file, const Clock& clock);

  Result<ViewerPtr> admit(const http::Request& request, const http::RequestTarget& target) const override;
  bool is_open() const override { return false; }

  // A cookie's value for who proves it by `Authorization: Basic` (RFC 7617). kPermissionDenied: name or
  // password is wrong, it does not say which; kUnavailable: too many guesses, or too many at once. Takes
  // tens of milliseconds.
  Result<std::string> log_in(const http::Request& request) const override;

  // For who may export it. The link ends with the password or the user that made it, and at `until`.
  Result<std::string> make_link(const Viewer& viewer, const std::string& stream, bool with_clips,
                                Timestamp until) const override;

 private:
  struct Loaded {
    Users users;
    Signer signer;
  };
  using LoadedPtr = std::shared_ptr<const Loaded>;

  UserAccess(std::filesystem::path file, const Clock& clock) : file_(std::move(file)), clock_(clock) {}
  static Result<LoadedPtr> load(const std::filesystem::path& file);
  LoadedPtr current() const;
  Result<ViewerPtr> by_token(const Loaded& now, std::string_view token) const;
  Result<ViewerPtr> by_cookie(const Loaded& now, std::string_view cookie) const;
  Result<ViewerPtr> by_link(const Loaded& now, std::string_view link) const;

  const std::filesystem::path file_;
  const Clock& clock_;
  mutable LoginLimiter by_peer_{10};
  mutable LoginLimiter by_name_{20};
  mutable std::mutex mutex_;
  mutable LoadedPtr loaded_;
  mutable std::filesystem::file_time_type written_;
  mutable SteadyTime looked_{};
  mutable int hashing_ = 0;  // passwords that are being looked at
};

inline constexpr Duration kLongestLink = std::chrono::hours(24 * 31);

}  // namespace gopline::server
