#include "server/access/users.h"

#include <gmock/gmock.h>

#include "common/base/test_time.h"
#include "server/access/password.h"
#include "server/access/signature.h"

namespace gopline::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Users two_users() {
  User guard{"guard", Role::kViewer, {"lobby", "site-7/*"}, "$argon2id$x", {}};
  guard.tokens.push_back({"wall", std::string(64, 'a'), kNoon});
  return {Signer::make_key(), {guard, {"chief", Role::kAdmin, {"*"}, "", {}}}};
}

std::string complaint(std::string_view users) {
  auto text = R"({"key": ")" + Signer::make_key() + R"(", "users": [)" + std::string(users) + "]}";
  auto parsed = parse_users(text);
  return parsed ? "" : parsed.error().message;
}

TEST(StreamPattern, a_star_is_any_text) {
  EXPECT_TRUE(matches_pattern("*", "site-7/door"));
  EXPECT_TRUE(matches_pattern("site-7/*", "site-7/door/inner"));
  EXPECT_TRUE(matches_pattern("*/door", "site-7/door"));
  EXPECT_TRUE(matches_pattern("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches_pattern("site-7/*", "site-70/door"));
  EXPECT_FALSE(matches_pattern("a*b*c", "a-c-b"));
  EXPECT_FALSE(matches_pattern("lobby", "lobby2"));
  EXPECT_FALSE(matches_pattern("", "lobby"));
  EXPECT_TRUE(matches_pattern("door-[12]", "door-2"));
}

TEST(Users, come_back_as_they_were_written) {
  auto users = two_users();
  auto read = parse_users(to_text(users));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->key, users.key);
  ASSERT_EQ(read->users.size(), 2u);
  const auto* guard = read->find("guard");
  ASSERT_TRUE(guard);
  EXPECT_EQ(guard->role, Role::kViewer);
  EXPECT_EQ(guard->streams, users.users[0].streams);
  EXPECT_EQ(guard->password, "$argon2id$x");
  ASSERT_EQ(guard->tokens.size(), 1u);
  EXPECT_EQ(guard->tokens[0].until, kNoon);
  EXPECT_EQ(read->find("chief")->role, Role::kAdmin);
  EXPECT_EQ(read->find("nobody"), nullptr);
}

TEST(Users, what_is_wrong_is_named) {
  EXPECT_THAT(complaint(R"({"name": "a", "role": "boss"})"), HasSubstr("role"));
  EXPECT_THAT(complaint(R"({"name": "a", "role": "viewer", "stream": ["x"]})"), HasSubstr("\"stream\""));
  EXPECT_THAT(complaint(R"({"name": "a", "role": "viewer", "streams": "x"})"), HasSubstr("\"streams\""));
  EXPECT_THAT(complaint(R"({"name": "a:b", "role": "viewer"})"), HasSubstr("colon"));
  EXPECT_THAT(complaint(R"({"name": "a", "role": "viewer"}, {"name": "a", "role": "admin"})"),
              HasSubstr("twice"));
  EXPECT_THAT(complaint(R"({"name": "a", "role": "viewer", "tokens": [{"sha256": "s3cret"}]})"),
              Not(HasSubstr("s3cret")));
  EXPECT_THAT(complaint("7"), HasSubstr("object"));
  EXPECT_FALSE(parse_users(R"({"key": "short", "users": []})"));
  EXPECT_FALSE(parse_users("{"));
  EXPECT_FALSE(parse_users("[]"));
}

TEST(Password, matches_what_it_was_made_of_alone) {
  auto hash = hash_password("correct horse");
  ASSERT_TRUE(hash);
  EXPECT_THAT(*hash, ::testing::StartsWith("$argon2id$"));
  EXPECT_NE(*hash, *hash_password("correct horse"));  // salted
  EXPECT_TRUE(password_matches("correct horse", *hash));
  EXPECT_FALSE(password_matches("correct horsf", *hash));
  EXPECT_FALSE(password_matches("", *hash));
  EXPECT_FALSE(password_matches("correct horse", ""));
  EXPECT_FALSE(password_matches("correct horse", "correct horse"));
}

TEST(Signature, is_of_one_key_one_purpose_and_one_text) {
  auto signer = Signer::from(Signer::make_key()), other = Signer::from(Signer::make_key());
  ASSERT_TRUE(signer && other);
  auto text = signer->sign("cookie", "guard until noon");
  EXPECT_EQ(signer->verify("cookie", text), "guard until noon");
  EXPECT_EQ(signer->verify("link", text), std::nullopt);
  EXPECT_EQ(other->verify("cookie", text), std::nullopt);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto forged = text;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(signer->verify("cookie", forged), std::nullopt) << i;
  }
  EXPECT_EQ(signer->verify("cookie", ""), std::nullopt);
  EXPECT_EQ(signer->verify("cookie", "."), std::nullopt);
  EXPECT_EQ(signer->verify("cookie", text.substr(0, text.size() - 4)), std::nullopt);
}

}  // namespace
}  // namespace gopline::server
