#include "server/password_prompt.h"

#include "base/file_system.h"

#include <cerrno>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace posthorn::server {
namespace {

constexpr std::size_t line_limit = 4096;

// Switches a terminal's echo off for a while.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    if (tcgetattr(terminal, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    changed_ = tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (changed_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

 private:
  int terminal_;
  termios before_{};
  bool changed_ = false;
};

Result<std::string> ask(const File& terminal, const std::string& question) {
  SystemFileSystem files;
  TRY(files.write(terminal, question));
  const Silence silence(terminal.descriptor());
  return read_password_line(terminal.descriptor());
}

}  // namespace

Result<std::string> read_password_line(int descriptor) {
  std::string line;
  char octet = 0;
  while (true) {
    const ssize_t got = read(descriptor, &octet, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("read the password");
    if (got == 0 && line.empty()) return not_found("no password was given");
    if (got == 0 || octet == '\n') break;
    line += octet;
    if (line.size() > line_limit) return too_large("the password is too long");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<std::string> ask_for_password(std::string_view address) {
  const File terminal(open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal) {
    return failure(Errc::unavailable, "there is no terminal to ask for the password; use --password-stdin");
  }
  std::string first = TRY(ask(terminal, "Password for " + std::string(address) + ": "));
  const std::string second = TRY(ask(terminal, "Again: "));
  if (first != second) return malformed("the two passwords differ");
  return first;
}

}  // namespace posthorn::server
