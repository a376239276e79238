#include "protocols/imap/grammar.h"
#include "protocols/imap/session.h"

#include <algorithm>

// IDLE (RFC 2177).
namespace posthorn::imap {
namespace {

// Wakes the connection's reader when the mailbox changes, as long as it lives.
class Wakes final : public storage::Listener {
 public:
  Wakes(storage::Mailbox* mailbox, Connection& connection) : mailbox_(mailbox), connection_(connection) {
    if (mailbox_ != nullptr) mailbox_->add_listener(*this);
  }
  ~Wakes() {
    if (mailbox_ != nullptr) mailbox_->remove_listener(*this);
  }
  Wakes(const Wakes&) = delete;
  Wakes& operator=(const Wakes&) = delete;

  void mailbox_changed() override { connection_.wake(); }

 private:
  storage::Mailbox* mailbox_;
  Connection& connection_;
};

constexpr std::size_t longest_answer = 1'024;

}  // namespace

Task<Reply> Session::on(const Idle&) {
  if (view_) static_cast<void>(co_await view_->mailbox().poll());
  send("+ idling\r\n");
  const Wakes wakes(view_ ? &view_->mailbox() : nullptr, connection_);
  const Milliseconds end = connection_.loop().now() + settings_.idle;
  bool has_input = false;
  while (!has_input) {
    if (stopping_) co_return ok("IDLE ended by the server");
    if (view_) {
      if (view_->mailbox().deleted()) {
        end_with_bye("The selected mailbox was deleted");
        co_return unanswered();
      }
      co_await view_->tell(connection_, Expunges::tell, Numbering::sequence);
    }
    // A busy mailbox does not make its client a busy one: the time runs on.
    const Milliseconds left = std::max(Milliseconds(1), end - connection_.loop().now());
    connection_.set_timeouts({left, settings_.line, settings_.literal, settings_.write});
    idle_ = true;
    has_input = co_await connection_.wait_for_input();
    idle_ = false;
  }
  const Connection::Line line = co_await connection_.read_line(longest_answer);
  apply_timeouts();
  if (is_done(line.text)) co_return ok("IDLE completed");
  co_await read_past_literals(line);
  co_return bad("DONE expected");
}

}  // namespace posthorn::imap
