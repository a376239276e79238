// Many clients that give legal commands in random order, as imaptest's do; the same seed gives each client
// the same dice, though what it finds in the mailbox depends on the others.
#include "commands.h"
#include "imap_client.h"
#include "report.h"

#include <array>
#include <atomic>
#include <charconv>
#include <optional>
#include <random>

namespace load {
namespace {

struct Counts {
  std::atomic<std::uint64_t> commands{0};
  // Answered by NO: what another session has expunged may be refused (RFC 2180 §4).
  std::atomic<std::uint64_t> refused{0};
};

class MixedClient {
 public:
  MixedClient(const Server& server, Account account, std::uint64_t seed, Counts& counts)
      : server_(server), account_(std::move(account)), random_(seed), counts_(counts) {}

  void run(Clock::time_point until) {
    while (Clock::now() < until) step();
  }

 private:
  using Step = void (MixedClient::*)();
  struct Choice {
    unsigned share;  // of 100
    Step step;
  };

  void step() {
    if (!client_) return log_in();
    if (!selected_) return select();
    if (messages_ == 0) return append();
    static constexpr std::array choices{Choice{30, &MixedClient::fetch},  Choice{18, &MixedClient::store},
                                        Choice{10, &MixedClient::search}, Choice{10, &MixedClient::append},
                                        Choice{8, &MixedClient::status},  Choice{8, &MixedClient::noop},
                                        Choice{6, &MixedClient::copy},    Choice{6, &MixedClient::expunge},
                                        Choice{3, &MixedClient::select},  Choice{1, &MixedClient::log_out}};
    std::uint64_t dice = below(100);
    for (const Choice& choice : choices) {
      if (dice < choice.share) return (this->*choice.step)();
      dice -= choice.share;
    }
  }

  void log_in() {
    client_.emplace(server_, small_buffer);
    client_->log_in(account_);
    ++counts_.commands;
  }
  void log_out() {
    ask("LOGOUT");
    client_.reset();
    selected_ = false;
  }
  void select() {
    ask("SELECT INBOX");
    selected_ = true;
  }
  void noop() { ask("NOOP"); }
  void expunge() { ask("EXPUNGE"); }
  void status() { ask("STATUS Copies (MESSAGES UIDNEXT UNSEEN)"); }
  void copy() { ask("COPY " + message() + " Copies"); }
  void append() {
    ask(append_command("INBOX", below(2) == 0 ? "\\Seen" : "", letter(1024 + below(7 * 1024), random_())));
  }
  void fetch() {
    static constexpr std::array items{"(UID FLAGS)", "(UID ENVELOPE)", "(BODYSTRUCTURE RFC822.SIZE)",
                                      "(UID FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])"};
    const std::uint64_t item = below(items.size() + 1);
    // A whole message is read one at a time.
    if (item == items.size()) return ask("FETCH " + message() + " BODY.PEEK[]");
    ask("FETCH " + range(20) + " " + items.at(item));
  }
  void search() {
    static constexpr std::array keys{"UNSEEN", "FLAGGED SMALLER 5000", "SINCE 1-Jan-2020", "SUBJECT letter"};
    ask(std::string("SEARCH ") + keys.at(below(keys.size())));
  }
  // Above the size that the mailbox shall keep, messages are marked for the next EXPUNGE.
  void store() {
    static constexpr std::array flags{"\\Seen", "\\Flagged", "\\Answered"};
    if (messages_ > kept_messages) return ask("STORE " + range(5) + " +FLAGS.SILENT (\\Deleted)");
    ask("STORE " + range(5) + (below(2) == 0 ? " +FLAGS (" : " -FLAGS (") + flags.at(below(flags.size())) +
        ")");
  }

  void ask(const std::string& command) {
    const Answer answer = client_->ask(command, [this](std::string_view line) { listen(line); });
    ++counts_.commands;
    if (answer.ok()) return;
    if (!answer.tagged.starts_with("NO"))
      give_up("wanted OK or NO to " + command.substr(0, 100), answer.tagged);
    ++counts_.refused;
  }

  // Sequence numbers must stay those that the server has told of.
  void listen(std::string_view line) {
    if (line.ends_with(" EXPUNGE")) --messages_;
    if (!line.ends_with(" EXISTS")) return;
    std::from_chars(line.data() + 2, line.data() + line.size(), messages_);
  }

  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  std::string message() { return std::to_string(1 + below(messages_)); }
  std::string range(std::uint64_t most) {
    const std::uint64_t first = 1 + below(messages_);
    return std::to_string(first) + ":" + std::to_string(std::min(messages_, first + below(most)));
  }

  static constexpr std::size_t small_buffer = 16 << 10U;
  static constexpr std::uint64_t kept_messages = 100;

  const Server& server_;
  Account account_;
  std::mt19937_64 random_;
  Counts& counts_;
  std::optional<ImapClient> client_;
  bool selected_ = false;
  std::uint64_t messages_ = 0;
};

}  // namespace

void mix(Arguments given) {
  const Server server(given[0]);
  const Arguments users = given.subspan(5);
  Counts counts;
  const auto until = Clock::now() + std::chrono::seconds(number(given[3]));
  const Seconds took = together(static_cast<unsigned>(number(given[2])), [&](unsigned place) {
    MixedClient(server, {users[place % users.size()], given[1]}, number(given[4]) + place, counts).run(until);
  });
  tell({{"count", counts.commands.load()}, {"refused", counts.refused.load()}, {"seconds", took.count()}});
}

}  // namespace load
