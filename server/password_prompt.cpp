#include "server/password_prompt.h"

#include "base/file_system.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

namespace posthorn::server {
namespace {

constexpr std::size_t line_limit = 4096;

// Switches a terminal's echo off for a while. Signals that would end the program wait until the echo is back.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    sigset_t ending;
    sigemptyset(&ending);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      struct sigaction present{};
      sigaction(number, nullptr, &present);
      if (present.sa_handler != SIG_IGN) sigaddset(&ending, number);
    }
    sigprocmask(SIG_BLOCK, &ending, &mask_before_);
    arrived_ = File(signalfd(-1, &ending, SFD_CLOEXEC));
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
    // One that came meanwhile ends the program here.
    sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  // Waits until the terminal has something to read (true) or a signal came (false).
  bool wait_for_input() const {
    std::array<pollfd, 2> ready{{{terminal_, POLLIN, 0}, {arrived_.descriptor(), POLLIN, 0}}};
    while (poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
    }
    return (ready[1].revents & POLLIN) == 0;
  }

 private:
  int terminal_;
  File arrived_;  // readable when a signal came
  sigset_t mask_before_{};
  termios before_{};
  bool changed_ = false;
};

template <class Wait>
Result<std::string> read_line(int descriptor, Wait wait) {
  std::string line;
  char octet = 0;
  while (true) {
    if (!wait()) return failure(Errc::unavailable, "interrupted");
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

Result<std::string> ask(const File& terminal, const std::string& question) {
  SystemFileSystem files;
  const Silence silence(terminal.descriptor());
  TRY(files.write(terminal, question));
  return read_line(terminal.descriptor(), [&] { return silence.wait_for_input(); });
}

}  // namespace

Result<std::string> read_password_line(int descriptor) {
  return read_line(descriptor, [] { return true; });
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
