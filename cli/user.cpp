#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/options.h"
#include "cli/table.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "server/access/password.h"
#include "server/access/signature.h"
#include "server/access/users.h"

// The file by which `gopline serve --users` asks people who they are.
namespace gopline::cli {
namespace {

constexpr const char* kUserExamples =
    "  gopline user set guard --role viewer --streams 'site-7/*' --password   asks for the password\n"
    "  gopline user token grafana --name wall --for 90d     a secret for a program, said once\n"
    "  gopline user list\n"
    "  gopline serve --listen 0.0.0.0:8080 --users users.json\n";

struct UserOptions {
  std::string file = "users.json";
  std::string name;
  std::string role;
  std::vector<std::string> streams;
  bool password = false;
  std::string token_name;
  std::optional<Duration> token_time;
  OutputOptions output;
};

Result<server::Users> read_users(const std::string& file) {
  std::ifstream in(file);
  if (!in) return fail_errno(errno, file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  auto users = server::parse_users(text);
  if (!users) return fail_with_context(file, users.error());
  return users;
}

// Whole or not at all, and for nobody else to read.
Result<void> write_users(const std::string& file, const server::Users& users) {
  auto unfinished = file + "." + random_uuid();
  auto text = server::to_text(users);
  int descriptor = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail_errno(errno, unfinished);
  bool is_written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::fsync(descriptor) == 0;
  int why = errno;
  ::close(descriptor);
  if (is_written && ::rename(unfinished.c_str(), file.c_str()) == 0) return {};
  if (is_written) why = errno;
  ::unlink(unfinished.c_str());
  return fail_errno(why, file);
}

// A line of standard input; a terminal does not show it.
Result<std::string> read_password() {
  termios shown{};
  bool is_terminal = ::tcgetattr(STDIN_FILENO, &shown) == 0;
  if (is_terminal) {
    auto hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    print_note("Password: ");
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  std::string line;
  bool was_read = static_cast<bool>(std::getline(std::cin, line));
  if (is_terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    print_note("\n");
  }
  constexpr std::size_t kShortest = 8;
  if (!was_read || line.size() < kShortest)
    return fail(ErrorCode::kInvalidArgument, "a password has {} characters at least; none was taken",
                kShortest);
  return line;
}

server::User* find_user(server::Users& users, const std::string& name) {
  for (auto& user : users.users) {
    if (user.name == name) return &user;
  }
  return nullptr;
}

tl::unexpected<Error> no_such_user(const UserOptions& options) {
  return fail(ErrorCode::kNotFound, "{}: {} has no such user", options.name, options.file);
}

Result<void> set_user(const UserOptions& options) {
  GOPLINE_TRY(server::check_user_name(options.name));
  server::Users users;
  if (std::filesystem::exists(options.file)) {
    GOPLINE_ASSIGN(users, read_users(options.file));
  } else {
    users.key = server::Signer::make_key();
  }
  auto* user = find_user(users, options.name);
  if (!user) {
    if (options.role.empty() || options.streams.empty())
      return fail(ErrorCode::kInvalidArgument, "{}: a new user needs --role and --streams", options.name);
    user = &users.users.emplace_back();
    user->name = options.name;
  }
  if (!options.role.empty()) user->role = *server::role_from(options.role);
  if (!options.streams.empty()) user->streams = options.streams;
  if (options.password) {
    GOPLINE_ASSIGN(auto password, read_password());
    GOPLINE_ASSIGN(user->password, server::hash_password(password));
  }
  return write_users(options.file, users);
}

Result<void> remove_user(const UserOptions& options) {
  GOPLINE_ASSIGN(auto users, read_users(options.file));
  auto gone = std::erase_if(users.users, [&](const auto& user) { return user.name == options.name; });
  if (gone == 0) return no_such_user(options);
  return write_users(options.file, users);
}

// The same name again takes the place of the token that had it.
Result<void> make_token(const UserOptions& options, const Clock& clock) {
  GOPLINE_ASSIGN(auto users, read_users(options.file));
  auto* user = find_user(users, options.name);
  if (!user) return no_such_user(options);
  auto secret = "gopline_" + server::url_base64(server::random_bytes(32));
  std::erase_if(user->tokens, [&](const auto& token) { return token.name == options.token_name; });
  std::optional<Timestamp> until;
  if (options.token_time) until = clock.now() + *options.token_time;
  user->tokens.push_back({options.token_name, server::sha256_hex(secret), until});
  GOPLINE_TRY(write_users(options.file, users));
  print_result(secret + "\n");
  return {};
}

Result<void> list_users(const UserOptions& options) {
  GOPLINE_ASSIGN(auto users, read_users(options.file));
  for (const auto& user : users.users) {
    std::string tokens;
    for (const auto& token : user.tokens) {
      tokens += fmt::format("  token {}{}\n", token.name,
                            token.until ? " until " + format_rfc3339(*token.until) : "");
    }
    print_result(fmt::format("{}: {} of {}{}\n{}", user.name, to_string(user.role),
                             fmt::join(user.streams, " "), user.password.empty() ? ", no password" : "",
                             tokens));
  }
  return {};
}

int finish(const Result<void>& done) {
  return done ? static_cast<int>(kWhole) : report(done.error());
}

}  // namespace

void add_user_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<UserOptions>();
  auto* command = root.add_subcommand("user", "Who may watch what: the file for 'gopline serve --users'");
  command->require_subcommand(1);
  auto add = [&](const char* name, const char* help, auto run) {
    auto* sub = command->add_subcommand(name, help);
    sub->add_option("--users", options->file, "The file (users.json)")->type_name("FILE");
    sub->callback([options, &chosen, run] {
      chosen = [options, run](const Environment& environment) { return finish(run(*options, environment)); };
    });
    return sub;
  };
  auto* set = add("set", "Add a user, or change what is given of one",
                  [](const UserOptions& o, const Environment&) { return set_user(o); });
  auto* token = add("token", "Make a secret for a program; it is said once and kept nowhere",
                    [](const UserOptions& o, const Environment& e) { return make_token(o, e.clock); });
  auto* remove = add("remove", "Take a user off; what they began ends at once",
                     [](const UserOptions& o, const Environment&) { return remove_user(o); });
  add("list", "Who is there", [](const UserOptions& o, const Environment&) { return list_users(o); });
  for (auto* sub : {set, token, remove}) sub->add_option("NAME", options->name, "The user")->required();
  set->add_option("--role", options->role,
                  "viewer watches; exporter saves clips and makes links; admin may all")
      ->check(CLI::IsMember({"viewer", "exporter", "admin"}));
  set->add_option("--streams", options->streams, "Which streams, as a shell's patterns: 'site-7/*'")
      ->type_name("PATTERN");
  set->add_flag("--password", options->password, "Take a new password from standard input");
  token->add_option("--name", options->token_name, "What it is for")->required();
  add_duration(*token, "--for", options->token_time, "How long it is valid (until it is replaced)");
  add_footer(*command, kUserExamples);
}

}  // namespace gopline::cli
