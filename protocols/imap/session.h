#pragma once

#include "auth/authenticator.h"
#include "base/clock.h"
#include "base/connection.h"
#include "base/task.h"
#include "protocols/imap/command.h"
#include "protocols/imap/enabled.h"
#include "protocols/imap/framing.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/reply.h"
#include "protocols/imap/view.h"
#include "storage/store.h"
#include "tls/context.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn {
class DeflateStream;
}

namespace posthorn::imap {

struct Settings {
  std::string hostname;
  std::size_t command_octets = 65'536;               // a command with its literals, but for messages
  std::size_t command_octets_before_login = 40'960;  // the longest ID of RFC 2971 §3.3 has 32 KB
  std::uint64_t message_octets = 64ULL << 20U;       // of one message of APPEND
  std::uint64_t append_octets = 256ULL << 20U;       // of all messages of one APPEND
  std::uint64_t discarded_octets = 256ULL << 20U;    // read past after a refused command before hanging up
  Literals literals = Literals::plus;
  unsigned bad_commands = 20;               // in a row, refused logins among them, before hanging up
  std::uint32_t message_limit = 2'000'000;  // that one command works on (RFC 9738 §3),
  std::uint32_t save_limit = 2'000'000;     // and that one COPY or APPEND makes, if that is fewer
  Milliseconds login{600'000};              // from the greeting to the login
  Milliseconds idle_before_login{180'000};
  Milliseconds idle{1'800'000};   // at least 30 minutes (RFC 3501 §5.4)
  Milliseconds line{60'000};      // a command once begun, from one of its lines to the next
  Milliseconds literal{180'000};  // between two arrivals inside a literal
  Milliseconds write{300'000};
};

// What sessions need around them. All of it outlives them.
struct Environment {
  storage::Store& store;
  auth::Authenticator& authenticator;
  const Clock& clock;
  const tls::Context* tls = nullptr;  // none: no STARTTLS
};

// One IMAP connection, RFC 3501: reads commands, executes them one by one, answers. Implicit TLS is begun by
// whoever accepted the connection.
//
// A family of commands has a file of its own (fetch.cpp, append.cpp, ...) with its on() members.
class Session {
 public:
  // `connection` outlives the session.
  Session(Connection& connection, Environment environment, Settings settings);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // From the greeting to the end. Throws nothing of the connection's.
  Task<void> run();

  // Asks for an end soon: at once where the client is idle, else behind the command in progress; in both
  // cases with "* BYE Server shutting down". From the loop thread, at any time.
  void stop();

 private:
  // Messages of APPEND and REPLACE on their way in.
  struct Arriving {
    std::shared_ptr<storage::Mailbox> target;
    std::vector<std::unique_ptr<storage::Spool>> spools;  // one a message; the last may lack parts
    std::size_t parts = 0;                                // of the last one, that are in its spool
    std::uint64_t in_memory = 0;                          // of those before it, at most
  };

  // A command as it came.
  struct Incoming {
    std::string text;  // without the last line end
    Arriving arriving;
    std::optional<Reply> refusal;  // it is answered by this instead of being executed
  };

  // session.cpp
  Task<void> converse();
  Task<void> serve_one();
  Task<Reply> execute(const Command& command);
  std::optional<Reply> refusal_in_this_state(const Command::Body& body) const;
  void fail_unexecuted(std::string_view command, const Reply& reply);
  Reply with_message_limit(Reply reply);
  void finish_command(std::string_view tag, const Reply& reply);
  void end_with_bye(std::string reason);
  void apply_timeouts();
  std::string last_words(CloseReason reason) const;
  void log_end(std::string_view reason);
  std::string capabilities() const;
  void send(std::string_view line) { connection_.queue(line); }

  Task<Reply> on(const Capability&);
  Task<Reply> on(const Noop&);
  Task<Reply> on(const Logout&);
  Task<Reply> on(const Id&);
  Task<Reply> on(const Enable& enable);
  void announce_condstore();
  Task<Reply> on(const Starttls&);

  // names.cpp
  Task<std::string> name_found(std::string name);
  Task<void> normalise_names(Command::Body& body, std::string_view command);

  // receive.cpp
  Task<Incoming> receive();
  Task<void> receive_line(Incoming& command, std::size_t budget);
  Task<void> receive_octets(std::uint64_t octets, std::string* into);
  Task<void> refuse(Incoming& command, const Frame& frame, Reply reply);
  Task<void> read_past(std::uint64_t octets);
  Task<void> read_past_literals(const Connection::Line& line);
  std::size_t command_budget() const;

  // auth.cpp
  Task<Reply> on(const Login& login);
  Task<Reply> on(const Authenticate& authenticate);
  class SaslLines;
  Task<Reply> enter(Result<auth::Login> login);

  // append.cpp
  Task<void> receive_message(Incoming& command, const Frame& frame);
  Task<std::optional<Reply>> refusal_of_message(Incoming& command, const Frame& frame);
  Task<std::optional<Reply>> open_target(Arriving& arriving, const std::string& mailbox);
  Task<std::optional<Reply>> spare_memory(Arriving& arriving);
  Task<std::optional<Reply>> write_parts(Arriving& arriving, std::span<const AppendMessage> messages);
  Task<std::optional<Reply>> complete(Arriving& arriving, const std::string& mailbox,
                                      std::span<const AppendMessage> messages);
  Reply reply_to_unstored(const Error& error);
  storage::Arrival arrival_of(const AppendMessage& message, storage::Spool& spool) const;
  Task<Reply> on(const Append& append);

  // catenate.cpp
  Task<std::optional<Reply>> write_url(const std::string& url, storage::Spool& spool);

  // replace.cpp
  std::optional<Reply> refusal_of_replace(const Replace& replace) const;
  Task<Reply> on(const Replace& replace);

  // compress.cpp
  Task<Reply> on(const Compress&);
  Task<void> start_compression();
  Task<Reply> on(const Unauthenticate&);
  Task<void> end_compression();

  // mailbox_commands.cpp
  Task<Reply> on(const Create& create);
  Task<Reply> on(const Delete& remove);
  Task<Reply> on(const Rename& rename);
  Task<Reply> on(const Subscribe& subscribe);
  Task<Reply> on(const Unsubscribe& unsubscribe);
  Task<Reply> on(const Namespace&);
  Task<Reply> on(const Status& status);

  // acl.cpp
  Task<Reply> on(const SetAcl& command);
  Task<Reply> on(const DeleteAcl& command);
  Task<Reply> on(const GetAcl& command);
  Task<Reply> on(const ListRights& command);
  Task<Reply> on(const MyRights& command);

  // list.cpp
  Task<Result<std::string>> list_line(std::string name, std::optional<std::string> old_name);
  Task<void> tell_old_name(std::string name, std::string old_name);
  Task<Reply> on(const List& list);
  Task<Reply> on(const Lsub& lsub);
  Task<Reply> on(const Xlist& xlist);

  // select.cpp
  void leave_mailbox();
  Task<Result<storage::UidSet>> vanished_before(const QuickResync& resync);
  Task<Reply> on(const Select& select);
  Task<Reply> on(const Check&);
  Task<Reply> on(const Close&);
  Task<Reply> on(const Unselect&);
  Task<Reply> reply_behind_expunges(std::string_view command);
  Task<Reply> on(const Expunge& expunge);

  // idle.cpp
  Task<Reply> on(const Idle&);

  // search.cpp
  // What a search found.
  struct Findings {
    Places found;
    bool some_gone = false;        // messages were left out, as they are gone,
    bool failed = false;           // or as they could not be read
    bool by_mod_sequence = false;  // MODSEQ was among its keys
  };
  // Looks for messages, for the command of this name; the reply where it is refused.
  Task<std::expected<Findings, Reply>> find_messages(const Search& search, std::string_view command);
  // What is told in an answer that speaks of `told` (RFC 7162 §3.1.5).
  std::optional<storage::ModSeq> mod_sequence_of(const Findings& findings, const Places& told) const;
  Reply reply_to_found(const Findings& findings, std::string_view command) const;
  Task<Reply> on(const Search& search);

  // sort.cpp, thread.cpp
  Task<Reply> on(const Sort& sort);
  Task<Reply> on(const Thread& thread);

  // fetch.cpp, store.cpp, copy.cpp
  Task<Reply> on(const Fetch& fetch);
  Task<Result<>> tell_vanished(const Fetch& fetch);
  Task<Reply> on(const Store& store);
  Task<void> tell_stored(const Store& store, const Places& places, Order order, const storage::Snapshot& now);
  Task<Reply> on(const Copy& copy);
  Task<Reply> on(const Move& move);

  Connection& connection_;
  Environment environment_;
  Settings settings_;
  Timer login_deadline_;

  auth::Login login_;                          // empty before login
  std::shared_ptr<storage::Account> account_;  // set by login
  Enabled enabled_;                            // by this login
  std::unique_ptr<View> view_;                 // set while a mailbox is selected
  Arriving arriving_;                          // of the APPEND or REPLACE that is executed

  std::string tag_;  // of the command that is executed
  // What it calls its mailbox (of RENAME, the existing one), where that is known by another name: it was not
  // in Net-Unicode, or INBOX in another case.
  std::optional<std::string> denormalised_;
  std::optional<storage::Uid> limited_to_;  // it worked on messages from this one on, as more are not allowed
  bool start_tls_ = false;                  // once the reply is out
  bool start_compression_ = false;
  bool end_compression_ = false;
  DeflateStream* deflate_ = nullptr;  // while it is the connection's stream
  bool ending_ = false;               // no further command is read
  std::string bye_;                   // why, for the client; empty after LOGOUT
  bool stopping_ = false;             // stop() was called
  bool idle_ = false;                 // nothing of a command has come yet, or IDLE waits
  unsigned bad_in_a_row_ = 0;
  std::uint64_t commands_ = 0;
};

}  // namespace posthorn::imap
