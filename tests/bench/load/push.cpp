// How long after a delivery's 250 a session in IDLE hears of the message.
#include "commands.h"
#include "imap_client.h"
#include "report.h"

namespace load {

// One thread has both connections: it hands a message in, reads the 250, and then the EXISTS. What the server
// said before its 250 counts as said at once.
void push(Arguments given) {
  const bool lmtp = given[4] == "lmtp";
  const std::uint64_t messages = number(given[5]);
  const auto until = Clock::now() + std::chrono::seconds(number(given[6]));
  ImapClient idler{Server(given[0])};
  idler.log_in({given[1], given[2]});
  idler.command("SELECT INBOX");
  idler.idle();
  Client sender{Server(given[3])};
  sender.reply("220");
  sender.send(lmtp ? "LHLO client.test\r\n" : "EHLO client.test\r\n");
  sender.reply("250");
  std::vector<double> samples;
  for (std::uint64_t message = 0; message < messages && Clock::now() < until; ++message) {
    sender.send("MAIL FROM:<ann@elsewhere.test>\r\nRCPT TO:<" + given[1] + ">\r\nDATA\r\n");
    sender.reply("250");
    sender.reply("250");
    sender.reply("354");
    sender.send(letter(number(given[7]), message) + ".\r\n");
    sender.reply("250");
    const auto accepted = Clock::now();
    while (!idler.line().ends_with(" EXISTS")) {
    }
    samples.push_back(Seconds(Clock::now() - accepted).count());
  }
  idler.done();
  tell({{"count", samples.size()}, {"p50", quantile(samples, 0.5)}, {"p99", quantile(samples, 0.99)}});
}

}  // namespace load
