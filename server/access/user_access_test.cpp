#include "server/access/user_access.h"

#include <fstream>

#include <gmock/gmock.h>

#include "common/base/test_directory.h"
#include "common/base/test_time.h"
#include "common/base/text.h"
#include "server/access/audit_log.h"
#include "server/access/password.h"

namespace gopline::server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string& password_hash() {
  static const std::string hash = hash_password("open sesame").value();
  return hash;
}

struct Access : ::testing::Test {
  TestDirectory folder;
  FakeClock clock{kNoon};
  std::filesystem::path file = folder / "users.json";
  Users users;
  std::unique_ptr<UserAccess> access;

  void SetUp() override {
    users.key = Signer::make_key();
    users.users = {{"guard", Role::kViewer, {"lobby", "site-7/*"}, password_hash(), {}},
                   {"clerk", Role::kExporter, {"*"}, password_hash(), {}},
                   {"robot",
                    Role::kAdmin,
                    {"*"},
                    "",
                    {{"a", sha256_hex("secret"), std::nullopt}, {"b", sha256_hex("old"), kNoon + 1h}}}};
    write();
    auto opened = UserAccess::open(file, clock);
    ASSERT_TRUE(opened) << opened.error().message;
    access = std::move(*opened);
  }
  // A file's time has a resolution of its own, which two writes may lie within.
  void write() {
    std::ofstream(file) << to_text(users);
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    std::filesystem::last_write_time(file, std::filesystem::file_time_type(std::chrono::seconds(++writes)));
  }
  int writes = 0;

  static http::Request request(std::string name, std::string value, std::string peer = "10.0.0.1") {
    http::Request made;
    made.method = "GET";
    made.peer = std::move(peer);
    made.headers.emplace_back(std::move(name), std::move(value));
    return made;
  }
  static http::Request basic(std::string_view text, std::string peer = "10.0.0.1") {
    std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    return request("Authorization", "Basic " + base64_encode(bytes), std::move(peer));
  }
  Result<ViewerPtr> admit(const http::Request& asked, std::string_view target = "/") {
    return access->admit(asked, *http::parse_request_target(target));
  }
  Result<ViewerPtr> by_cookie(const std::string& cookie) {
    return admit(request("Cookie", "other=1; gopline=" + cookie + "; more=2"));
  }
  Result<ViewerPtr> by_link(const std::string& link) {
    return admit({}, "/streams/lobby/live.m3u8?link=" + link);
  }
};

TEST_F(Access, nobody_is_let_in_unasked) {
  EXPECT_EQ(admit({}).error().code, ErrorCode::kPermissionDenied);
  EXPECT_FALSE(by_cookie(""));
  EXPECT_FALSE(by_cookie("e30.e30"));
  EXPECT_FALSE(by_link("x"));
  EXPECT_FALSE(admit(basic("guard:open sesame")));  // a password at every request would be one to guess at
}

TEST_F(Access, who_logs_in_sees_what_is_theirs) {
  auto cookie = access->log_in(basic("guard:open sesame"));
  ASSERT_TRUE(cookie) << cookie.error().message;
  auto viewer = by_cookie(*cookie);
  ASSERT_TRUE(viewer) << viewer.error().message;
  EXPECT_EQ((*viewer)->name(), "guard");
  EXPECT_TRUE((*viewer)->may_view("site-7/door"));
  EXPECT_FALSE((*viewer)->may_view("yard"));
  EXPECT_FALSE((*viewer)->may_export("lobby"));
  EXPECT_FALSE((*viewer)->is_admin());
}

TEST_F(Access, a_wrong_password_and_a_wrong_name_say_the_same) {
  auto password = access->log_in(basic("guard:wrong")), name = access->log_in(basic("nobody:open sesame"));
  auto without = access->log_in(basic("robot:"));  // who has no password has none that is empty
  EXPECT_EQ(password.error().message, name.error().message);
  EXPECT_EQ(password.error().message, without.error().message);
  EXPECT_EQ(access->log_in({}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Access, a_session_ends_by_itself) {
  auto cookie = access->log_in(basic("guard:open sesame"));
  clock.advance(kSessionTime - 1min);
  EXPECT_TRUE(by_cookie(*cookie));
  clock.advance(2min);
  EXPECT_FALSE(by_cookie(*cookie));
}

TEST_F(Access, a_session_ends_with_its_password_and_with_its_user) {
  auto guard = access->log_in(basic("guard:open sesame")), clerk = access->log_in(basic("clerk:open sesame"));
  users.users[0].password = *hash_password("another");
  users.users.erase(users.users.begin() + 1);
  write();
  clock.advance(2s);
  EXPECT_FALSE(by_cookie(*guard));
  EXPECT_FALSE(by_cookie(*clerk));
  EXPECT_TRUE(access->log_in(basic("guard:another")));
}

TEST_F(Access, a_file_that_becomes_wrong_changes_nothing) {
  auto cookie = access->log_in(basic("guard:open sesame"));
  std::ofstream(file) << "{";
  std::filesystem::last_write_time(file, std::filesystem::file_time_type(99s));
  clock.advance(2s);
  EXPECT_TRUE(by_cookie(*cookie));
}

TEST_F(Access, another_server_with_the_same_file_takes_the_same_cookies) {
  auto cookie = access->log_in(basic("guard:open sesame"));
  access = *UserAccess::open(file, clock);
  EXPECT_TRUE(by_cookie(*cookie));
}

TEST_F(Access, tokens_are_for_programs) {
  auto viewer = admit(request("Authorization", "bearer secret"));
  ASSERT_TRUE(viewer);
  EXPECT_TRUE((*viewer)->is_admin());
  EXPECT_TRUE((*viewer)->may_export("lobby"));
  EXPECT_FALSE(admit(request("Authorization", "Bearer wrong")));
  EXPECT_TRUE(admit(request("Authorization", "Bearer old")));
  clock.advance(1h);
  EXPECT_FALSE(admit(request("Authorization", "Bearer old")));
}

TEST_F(Access, a_link_shows_one_stream_for_a_while) {
  auto clerk = *by_cookie(*access->log_in(basic("clerk:open sesame")));
  auto link = access->make_link(*clerk, "lobby", false, kNoon + 1h);
  ASSERT_TRUE(link) << link.error().message;
  auto viewer = by_link(*link);
  ASSERT_TRUE(viewer);
  EXPECT_TRUE((*viewer)->may_view("lobby"));
  EXPECT_FALSE((*viewer)->may_view("yard"));
  EXPECT_FALSE((*viewer)->may_export("lobby"));
  EXPECT_FALSE(access->make_link(**viewer, "lobby", false, kNoon + 2h));  // nor longer than it was given for
  EXPECT_FALSE(by_cookie(*link));
  EXPECT_TRUE((*by_link(*access->make_link(*clerk, "lobby", true, kNoon + 1h)))->may_export("lobby"));
  clock.advance(1h);
  EXPECT_FALSE(by_link(*link));
}

TEST_F(Access, a_link_is_for_who_may_export_to_make) {
  auto guard = *by_cookie(*access->log_in(basic("guard:open sesame")));
  EXPECT_EQ(access->make_link(*guard, "lobby", false, kNoon + 1h).error().code, ErrorCode::kPermissionDenied);
  auto clerk = *by_cookie(*access->log_in(basic("clerk:open sesame")));
  EXPECT_EQ(access->make_link(*clerk, "lobby", false, kNoon + kLongestLink + 1s).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(access->make_link(*clerk, "lobby", false, kNoon).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Access, guessing_becomes_slow_for_an_address_and_for_a_name) {
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(access->log_in(basic("guard:wrong")).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(access->log_in(basic("guard:open sesame")).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(access->log_in(basic("guard:open sesame", "10.0.0.2")));
  clock.advance(7s);
  EXPECT_TRUE(access->log_in(basic("guard:open sesame")));
}

TEST_F(Access, a_file_that_others_may_read_is_refused) {
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  auto opened = UserAccess::open(file, clock);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("chmod 600"));
  EXPECT_EQ(UserAccess::open(folder / "none", clock).error().code, ErrorCode::kNotFound);
}

TEST(LoginLimiter, remembers_so_many_and_no_more) {
  LoginLimiter limiter(1, 10s, 3);
  SteadyTime now{};
  for (const auto* key : {"a", "b", "c"}) EXPECT_TRUE(limiter.admit(key, now += 1s));
  EXPECT_FALSE(limiter.admit("a", now));
  EXPECT_TRUE(limiter.admit("d", now += 1s));  // in the place of b, which is the one that waits longest
  EXPECT_FALSE(limiter.admit("c", now));
  EXPECT_TRUE(limiter.admit("b", now));
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(AuditLog, says_who_did_what) {
  TestDirectory folder;
  FakeClock clock{kNoon};
  auto file = folder / "audit";
  auto audit = *AuditLog::open({file, false}, clock);
  ASSERT_TRUE(audit->write({"export", "clerk", "10.0.0.1", "lobby", kNoon - 1h, kNoon}));
  EXPECT_THAT(
      lines_of(file),
      ElementsAre(
          R"({"time":"2026-11-22T12:00:00.000000Z","what":"export","who":"clerk","peer":"10.0.0.1","stream":"lobby","from":"2026-11-22T11:00:00.000000Z","to":"2026-11-22T12:00:00.000000Z"})"));
}

TEST(AuditLog, a_line_for_ten_minutes_of_what_was_viewed) {
  TestDirectory folder;
  FakeClock clock{kNoon};
  auto file = folder / "audit";
  auto audit = *AuditLog::open({file, false}, clock);
  for (auto time : {kNoon, kNoon + 2s, kNoon + 9min}) audit->note_view("guard", "10.0.0.1", "lobby", time);
  EXPECT_EQ(lines_of(file).size(), 1u);
  audit->note_view("guard", "10.0.0.1", "lobby", kNoon + 11min);
  audit->note_view("guard", "10.0.0.2", "lobby", kNoon);
  audit->note_view("guard", "10.0.0.1", "yard", kNoon);
  EXPECT_EQ(lines_of(file).size(), 4u);
}

TEST(AuditLog, a_name_cannot_forge_a_line) {
  TestDirectory folder;
  FakeClock clock{kNoon};
  auto file = folder / "audit";
  auto audit = *AuditLog::open({file, false}, clock);
  ASSERT_TRUE(audit->write({"login-failed", "x\"}\n{\"who\":\"chief\xff", "10.0.0.1", "", {}, {}}));
  EXPECT_EQ(lines_of(file).size(), 1u);
}

TEST(AuditLog, that_cannot_be_written_says_so) {
  TestDirectory folder;
  FakeClock clock{kNoon};
  EXPECT_FALSE(AuditLog::open({folder / "none/audit", false}, clock));
}

}  // namespace
}  // namespace gopline::server
