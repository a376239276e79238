// Messages handed in by SMTP or LMTP, logins, and a POP3 client that takes all.
#include "commands.h"
#include "imap_client.h"
#include "report.h"

#include <atomic>

namespace load {
namespace {

struct Delivery {
  Server server;
  bool lmtp = false;
  std::string recipient;
  std::uint64_t messages = 0;
  std::uint64_t per_connection = 0;
  std::size_t octets = 0;
};

// Connections one after the other, until `next` is through with the messages.
void hand_in(const Delivery& job, std::atomic<std::uint64_t>& next) {
  const std::string envelope =
      "MAIL FROM:<ann@elsewhere.test>\r\nRCPT TO:<" + job.recipient + ">\r\nDATA\r\n";
  std::uint64_t number = next++;
  while (number < job.messages) {
    Client connection(job.server);
    connection.reply("220");
    connection.send(job.lmtp ? "LHLO client.test\r\n" : "EHLO client.test\r\n");
    connection.reply("250");
    for (std::uint64_t sent = 0; sent < job.per_connection && number < job.messages;
         ++sent, number = next++) {
      connection.send(envelope);
      connection.reply("250");
      connection.reply("250");
      connection.reply("354");
      connection.send(letter(job.octets, number) + ".\r\n");
      connection.reply("250");
    }
    connection.send("QUIT\r\n");
    connection.reply("221");
  }
}

}  // namespace

void deliver(Arguments given) {
  const Delivery job{Server(given[0]), given[1] == "lmtp", given[2],
                     number(given[4]), number(given[5]),   number(given[6])};
  std::atomic<std::uint64_t> next{0};
  const Seconds took =
      together(static_cast<unsigned>(number(given[3])), [&](unsigned /*client*/) { hand_in(job, next); });
  tell({{"count", job.messages}, {"seconds", took.count()}});
}

void log_in_often(Arguments given) {
  const Server server(given[0]);
  const Account account{given[1], given[2]};
  const std::uint64_t logins = number(given[4]);
  std::atomic<std::uint64_t> next{0};
  const auto client = [&](unsigned /*number*/) {
    while (next++ < logins) {
      ImapClient connection(server);
      connection.log_in(account);
      connection.command("LOGOUT");
    }
  };
  const Seconds took = together(static_cast<unsigned>(number(given[3])), client);
  tell({{"count", logins}, {"seconds", took.count()}});
}

void download(Arguments given) {
  Client connection{Server(given[0])};
  const auto ask = [&](const std::string& command) {
    connection.send(command + "\r\n");
    std::string answer(connection.line());
    if (!answer.starts_with("+OK")) give_up("wanted +OK to " + command, answer);
    return answer;
  };
  connection.line();
  ask("USER " + given[1]);
  ask("PASS " + given[2]);
  const std::uint64_t count = number(ask("STAT").substr(4));
  const auto began = Clock::now();
  for (std::uint64_t message = 1; message <= count; ++message) {
    ask("RETR " + std::to_string(message));
    while (connection.line() != ".") {
    }
  }
  const Seconds took = Clock::now() - began;
  tell({{"count", count}, {"seconds", took.count()}, {"octets", connection.octets()}});
}

}  // namespace load
