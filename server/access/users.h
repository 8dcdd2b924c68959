#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"

// Who may do what, as a file tells it. Pure.
namespace gopline::server {

// Each may what the one before may.
enum class Role {
  kViewer,    // watches, live and recorded
  kExporter,  // saves clips, and makes links that let others watch for a while
  kAdmin,     // may all that there will be
};
std::string_view to_string(Role role);  // "viewer", "exporter", "admin"
std::optional<Role> role_from(std::string_view text);

// A secret for programs. It is kept as its SHA-256 alone: there is nothing to guess in 32 random bytes.
struct Token {
  std::string name;
  std::string sha256;              // lower-case hex
  std::optional<Timestamp> until;  // valid before; nullopt: until it is taken off
};

struct User {
  std::string name;
  Role role = Role::kViewer;
  std::vector<std::string> streams;  // patterns, as a shell's: * ? [...]; a '/' is a character like others
  std::string password;              // hash_password(); empty: none matches
  std::vector<Token> tokens;

  bool covers(const std::string& stream) const;
};

struct Users {
  std::string key;  // of Signer; whoever has it can be anybody
  std::vector<User> users;

  const User* find(std::string_view name) const;
};

bool matches_pattern(const std::string& pattern, const std::string& text);

// JSON. kInvalidArgument says what is wrong, and where; never a secret.
Result<Users> parse_users(std::string_view text);
std::string to_text(const Users& users);

// A name is 1 to 64 bytes of UTF-8 without control characters and colons.
Result<void> check_user_name(std::string_view name);

}  // namespace gopline::server
