#include "base/bug.h"
#include "server/administration.h"
#include "server/commands/commands.h"
#include "server/commands/say.h"
#include "server/config.h"
#include "server/data.h"
#include "server/password_prompt.h"
#include "server/privileges.h"

#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace posthorn::server {
namespace {

// How long a server may hold the data without answering: while it starts or ends.
constexpr int attempts = 100;
constexpr Milliseconds between_attempts{100};

// The data directory is the server's: its files are to belong to the user that the server runs as.
Result<> become_owner(const Settings& settings, const std::string& data) {
  std::optional<Identity> owner = owner_of(data);
  if (is_root() && !owner && !settings.server.user.value.empty()) {
    owner = TRY(find_identity(settings.server.user.value, settings.server.group.value));
  }
  if (!is_root()) owner.reset();
  if (owner && owner->gid == 0) {
    return failure(Errc::not_allowed, data + " belongs to " + owner->user + " and to the group root (0): " +
                                          "give it to the group that the server runs with");
  }
  TRY(prepare_data_directory(data, owner));
  if (owner) TRY(become(*owner));
  return {};
}

Task<void> carry_out(Data& data, const Settings& settings, control::Request request, control::Reply& reply) {
  Administration administration(data.accounts(), data.store(), data.accounts_lane(), data.hashing(),
                                settings.password_cost());
  reply = co_await administration.run(std::move(request));
  co_await data.close();
}

// Does it here, where no server does.
Result<control::Reply> do_directly(const Settings& settings, const control::Request& request) {
  Log log(LogLevel::warning, LogFormat::text);
  Loop loop;
  const auto data = TRY(Data::open(loop, log, settings));
  control::Reply reply = control::Reply::failed("the command ended early; the log has the reason");
  TaskGroup group(logs_bugs(log, "command"));
  group.start(carry_out(*data, settings, request, reply));
  loop.run();
  return reply;
}

Result<control::Reply> run(const Settings& settings, const control::Request& request) {
  const std::string data = settings.resolved(settings.server.data.value);
  TRY(become_owner(settings, data));
  for (int attempt = 1;; ++attempt) {
    auto asked = control::ask(data, request);
    if (asked || asked.error().code != Errc::not_found) return asked;
    auto done = do_directly(settings, request);
    if (done || done.error().code != Errc::in_use || attempt == attempts) return done;
    std::this_thread::sleep_for(between_attempts);
  }
}

}  // namespace

int run_admin(const std::string& config, AdminCommand command) {
  const Loaded loaded = load_settings(config);
  if (!loaded.problems.empty()) return complain(loaded.problems);
  // Here too, so that a mistake is told before anything is asked for or touched.
  if (const auto good = check_arguments(command.request); !good) return complain(good.error().detail);
  if (command.needs_password) {
    auto password = command.password_from_stdin ? read_password_line(STDIN_FILENO)
                                                : ask_for_password(command.request.argument("address"));
    if (!password) return complain(password.error().detail);
    if (const auto good = auth::check_password(*password); !good) return complain(good.error().detail);
    command.request.arguments["password"] = *std::move(password);
  }
  const auto reply = run(*loaded.settings, command.request);
  if (!reply) return complain(reply.error().detail);
  if (!reply->ok) return complain(reply->error);
  for (const std::string& warning : reply->warnings) complain("warning: " + warning);
  for (const std::string& line : reply->lines) say(line);
  return end_of_output();
}

}  // namespace posthorn::server
