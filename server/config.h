#pragma once

#include "auth/password_authenticator.h"
#include "base/log.h"
#include "protocols/imap/literals.h"
#include "server/keys.h"
#include "server/network.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The configuration: every key is declared here and nowhere else, with its default, unit and text;
// etc/posthorn.toml is printed from this.
namespace posthorn::server {

// What is expected instead, if `value` is not a host's name (RFC 1123 §2.1); empty is allowed.
std::optional<std::string> check_hostname(std::string_view value);

// A certificate and its key, of [tls] more.
struct CertificatePair {
  std::string certificate;
  std::string key;

  static Result<CertificatePair> read(const Value& value);
  std::string toml() const;
};

class Settings {
 public:
  // `file` is where they come from: relative paths start at its folder.
  explicit Settings(std::string file) : file_(std::move(file)) {}
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

 private:
  KeyList keys_;
  std::string file_;

 public:
  using Addresses = ListKey<ListenAddress>;
  static constexpr std::string_view an_address = R"("ADDRESS:PORT", "[IPV6]:PORT" or "unix:/PATH")";

  struct Server : Section {
    using Section::Section;
    TextKey hostname{*this, "hostname", "",
                     "The name by which this server greets, as in its DNS records and its certificate. "
                     "Empty: the machine's own name.",
                     check_hostname};
    TextKey data{
        *this, "data", "/var/lib/posthorn",
        "The data directory: accounts, mail, control socket. A relative path starts at this file's "
        "folder. One server at a time owns it; it is made, 0700, by the first command that needs it."};
    TextKey user{
        *this, "user", "",
        "When started by root, the server becomes this user once its ports are bound, and refuses to "
        "start without one. Without effect for an ordinary user."};
    TextKey group{*this, "group", "", "The group that goes with user. Empty: the user's own group."};
    NumberKey grace_seconds{
        *this,     "grace_seconds",
        10,        "seconds",
        {0, 3600}, "How long a stop (SIGTERM, SIGINT) waits for work in flight before it closes the rest."};
  } server{keys_, "server"};

  struct Listen : Section {
    using Section::Section;
    Addresses smtp{*this,
                   "smtp",
                   {},
                   an_address,
                   "Mail from other servers (SMTP). Usual: [\"0.0.0.0:25\", \"[::]:25\"]. Everywhere in this "
                   "section \"unix:/PATH\" is a Unix socket, open to all who may enter its folder."};
    Addresses submission{*this,
                         "submission",
                         {},
                         an_address,
                         "Mail from our own users, TLS by STARTTLS. Usual: [\"0.0.0.0:587\", \"[::]:587\"]"};
    Addresses submissions{
        *this,
        "submissions",
        {},
        an_address,
        "Mail from our own users, TLS from the start. Usual: [\"0.0.0.0:465\", \"[::]:465\"]"};
    Addresses pop3{
        *this, "pop3", {}, an_address, "POP3, TLS by STLS. Usual: [\"0.0.0.0:110\", \"[::]:110\"]"};
    Addresses pop3s{
        *this, "pop3s", {}, an_address, "POP3, TLS from the start. Usual: [\"0.0.0.0:995\", \"[::]:995\"]"};
    Addresses imap{
        *this, "imap", {}, an_address, "IMAP, TLS by STARTTLS. Usual: [\"0.0.0.0:143\", \"[::]:143\"]"};
    Addresses imaps{
        *this, "imaps", {}, an_address, "IMAP, TLS from the start. Usual: [\"0.0.0.0:993\", \"[::]:993\"]"};
  } listen{keys_, "listen"};

  struct Tls : Section {
    using Section::Section;
    TextKey certificate{
        *this, "certificate", "",
        "The certificate with its chain, PEM. Empty: no TLS; the ports that need it must be off."};
    TextKey key{*this, "key", "", "The certificate's private key, PEM."};
    ListKey<CertificatePair> more{
        *this,
        "more",
        {},
        R"(["CERTIFICATE", "KEY"])",
        "Further certificates, for clients that ask for one of their names (SNI), each a pair of files: "
        "[[\"/etc/ssl/other.pem\", \"/etc/ssl/private/other.key\"]]"};
  } tls{keys_, "tls"};

  struct Auth : Section {
    using Section::Section;
    ChoiceKey<auth::AllowPlaintext, 3> allow_plaintext{
        *this,
        "allow_plaintext",
        auth::AllowPlaintext::loopback,
        {{{"never", auth::AllowPlaintext::never},
          {"loopback", auth::AllowPlaintext::loopback},
          {"always", auth::AllowPlaintext::always}}},
        "Where passwords are taken without TLS: \"never\", \"loopback\" (from this machine only) or "
        "\"always\"."};
    NumberKey hash_ops{*this,
                       "hash_ops",
                       2,
                       "passes",
                       {1, 1000},
                       "The cost in time of a password's hash (argon2id). A password whose hash was made at "
                       "another cost gets a new hash at its next login; until then, the time that a refusal "
                       "takes tells that account from one that does not exist."};
    NumberKey hash_memory_kib{
        *this, "hash_memory_kib", 19456,
        "KiB", {8, 4194303},      "The cost in memory of a password's hash (argon2id), while it is checked."};
    NumberKey scram_iterations{*this,
                               "scram_iterations",
                               65536,
                               "iterations",
                               {4096, 10000000},
                               "The cost of the verifier that is kept of a password for SCRAM-SHA-256."};
    NumberKey hash_threads{*this,     "hash_threads", 2,
                           "threads", {1, 64},        "At most so many passwords are hashed at once."};
    NumberKey logins_waiting{*this,
                             "logins_waiting",
                             1024,
                             "logins",
                             {1, 100000},
                             "At most so many logins wait until their password is hashed; who is known goes "
                             "before strangers, others are told to come back later."};
    NumberKey logins_waiting_per_address{
        *this,       "logins_waiting_per_address",
        256,         "logins",
        {1, 100000}, "At most so many of these from one IPv4 address or one IPv6 network of 64 bits."};
    NumberKey guess_delay_max{
        *this,
        "guess_delay_max",
        15,
        "seconds",
        {0, 300},
        "A wrong password is answered late, ever later from the same address, but at most so late."};
    NumberKey guess_block_seconds{
        *this,
        "guess_block_seconds",
        600,
        "seconds",
        {0, 86400},
        "How long a network is refused outright once 20 guesses came from it, less one for each minute; an "
        "IPv6 network of 48 bits after about 150. Accounts that have logged in from there before are let in "
        "still, each until 100 guesses at it came from there. The log says auth.blocked or "
        "auth.account_blocked (docs/log.md). 0: never."};
  } auth{keys_, "auth"};

  struct Limits : Section {
    using Section::Section;
    NumberKey connections{*this,        "connections",
                          4000,         "connections",
                          {1, 1000000}, "At most so many clients at once, all protocols together."};
    NumberKey connections_per_address{
        *this,
        "connections_per_address",
        100,
        "connections",
        {1, 1000000},
        "At most so many from one IPv4 address or one IPv6 network of 64 bits; four times as many from an "
        "IPv6 network of 48 bits."};
    NumberKey connections_per_account{*this,
                                      "connections_per_account",
                                      50,
                                      "connections",
                                      {1, 1000000},
                                      "At most so many logins of one account at once; a mail program keeps "
                                      "about five a device."};
    ListKey<Network> trusted{*this,
                             "trusted",
                             {},
                             R"("ADDRESS" or "ADDRESS/BITS")",
                             "Networks without limits on connections and guesses, as [\"192.0.2.0/24\"]."};
    NumberKey message_size{
        *this,    "message_size",      64 << 20,
        "octets", {65536, 2147483647}, "The largest message that is taken, by SMTP and by IMAP's APPEND."};
    NumberKey discard_size{
        *this,
        "discard_size",
        256 << 20,
        "octets",
        {0, 1LL << 40},
        "How much of a message that is too large is read, so that its sender gets the reason, "
        "before the line is cut."};
    NumberKey free_space_reserve{
        *this,
        "free_space_reserve",
        64 << 20,
        "octets",
        {0, 1LL << 40},
        "SMTP takes no message (452) while less than this is free on the disk of the data directory: what "
        "strangers send is not to fill it. 0: no reserve."};
  } limits{keys_, "limits"};

  struct Timeout : Section {
    using Section::Section;
    NumberKey tls_handshake{*this,     "tls_handshake", 30,
                            "seconds", {1, 3600},       "A TLS handshake ends within this time."};
    NumberKey line{*this, "line", 60, "seconds", {1, 3600}, "A command once begun ends within this time."};
    NumberKey body{*this,     "body",    180,
                   "seconds", {1, 3600}, "The longest silence inside a message that is on its way in."};
    NumberKey write{*this,     "write",   300,
                    "seconds", {1, 3600}, "A client that takes nothing of a reply for so long is cut off."};
    NumberKey smtp_idle{*this,     "smtp_idle", 300,
                        "seconds", {1, 86400},  "The longest silence between commands."};
    NumberKey smtp_message{*this,     "smtp_message", 7200,
                           "seconds", {1, 86400},     "All of a message comes within this time."};
    NumberKey pop3_idle{*this,     "pop3_idle", 600,
                        "seconds", {1, 86400},  "The longest silence between commands."};
    NumberKey pop3_login{*this,     "pop3_login", 600,
                         "seconds", {1, 86400},   "A session that has not logged in by then is ended."};
    NumberKey imap_login{*this,     "imap_login", 600,
                         "seconds", {1, 86400},   "A session that has not logged in by then is ended."};
    NumberKey imap_idle_before_login{*this,      "imap_idle_before_login",
                                     180,        "seconds",
                                     {1, 86400}, "The longest silence between commands, before a login."};
    NumberKey imap_idle{*this,      "imap_idle",
                        1800,       "seconds",
                        {1, 86400}, "The longest silence after a login; RFC 3501 asks for at least 1800."};
  } timeout{keys_, "timeout"};

  struct Smtp : Section {
    using Section::Section;
    NumberKey recipients{
        *this,
        "recipients",
        1000,
        "recipients",
        {100, 100000},
        "At most so many a message; and so many accounts, where aliases lead to more than one."};
    NumberKey command_line{*this, "command_line", 2048, "octets", {512, 65536}, "The longest command."};
    NumberKey auth_line{*this,    "auth_line",   12288,
                        "octets", {1024, 65536}, "The longest line of a login (RFC 4954 asks for 12288)."};
    NumberKey hops{
        *this,      "hops",
        100,        "Received fields",
        {20, 1000}, "A message that has come through more servers than this goes round in a loop."};
    NumberKey errors{*this,      "errors",    20,
                     "commands", {1, 100000}, "A session with so many refused commands is ended."};
    NumberKey refused_recipients{*this,       "refused_recipients",
                                 100,         "recipients",
                                 {1, 100000}, "A session with so many refused recipients is ended."};
    NumberKey failed_logins{*this,    "failed_logins", 3,
                            "logins", {1, 1000},       "A session with so many failed logins is ended."};
    NumberKey commands_between_messages{
        *this,        "commands_between_messages",
        200,          "commands",
        {10, 100000}, "A session with so many commands since its last message is ended."};
  } smtp{keys_, "smtp"};

  struct Imap : Section {
    using Section::Section;
    NumberKey command_octets{
        *this,    "command_octets", 65536,
        "octets", {8192, 16 << 20}, "The longest command with its literals, but for messages."};
    NumberKey command_octets_before_login{
        *this,           "command_octets_before_login",
        40960,           "octets",
        {1024, 1 << 20}, "The same before a login. The longest ID of RFC 2971 has 32 KB."};
    ChoiceKey<imap::Literals, 2> literals{
        *this,
        "literals",
        imap::Literals::plus,
        {{{"plus", imap::Literals::plus}, {"minus", imap::Literals::minus}}},
        "What clients may send without waiting to be asked (RFC 7888): \"plus\", all of a message "
        "(LITERAL+), or \"minus\", at most 4096 octets at a time (LITERAL-)."};
    NumberKey bad_commands{*this,       "bad_commands",
                           20,          "commands",
                           {1, 100000}, "A session with so many refused commands in a row is ended."};
    NumberKey message_limit{
        *this,
        "message_limit",
        2'000'000,
        "messages",
        {1, 0xffffffff},
        "FETCH, SEARCH, STORE, MOVE and UID EXPUNGE work on at most so many at a time, the newest, and say "
        "so (RFC 9738). Few clients expect it: it had better be more than any mailbox has."};
    NumberKey save_limit{*this,
                         "save_limit",
                         2'000'000,
                         "messages",
                         {1, 0xffffffff},
                         "A COPY or APPEND of more than so many at once is refused (RFC 9738), as is one of "
                         "more than message_limit."};
  } imap{keys_, "imap"};

  struct Pop3 : Section {
    using Section::Section;
    NumberKey command_line{*this, "command_line", 1024, "octets", {255, 65536}, "The longest command."};
    NumberKey auth_line{*this, "auth_line", 12288, "octets", {1024, 65536}, "The longest line of a login."};
    NumberKey errors{*this,      "errors",    20,
                     "commands", {1, 100000}, "A session with so many refused commands is ended."};
    NumberKey failed_logins{*this,    "failed_logins", 3,
                            "logins", {1, 1000},       "A session with so many failed logins is ended."};
    NumberKey commands_before_login{*this,       "commands_before_login",
                                    100,         "commands",
                                    {5, 100000}, "A session with so many commands and no login is ended."};
  } pop3{keys_, "pop3"};

  struct Storage : Section {
    using Section::Section;
    NumberKey spool_memory{
        *this,    "spool_memory", 65536,
        "octets", {0, 16 << 20},  "A message on its way in is held in memory up to this size, then on disk."};
    NumberKey open_indexes{*this,      "open_indexes", 200,
                           "accounts", {10, 100000},   "At most so many accounts' indexes are open at once."};
    NumberKey mailboxes_per_account{*this,       "mailboxes_per_account", 10000,
                                    "mailboxes", {10, 1000000},           "At most so many an account."};
    NumberKey remembered_expunges{
        *this,
        "remembered_expunges",
        100'000,
        "messages",
        {1, 10'000'000},
        "Of at most so many messages a mailbox it is remembered when they were expunged, for clients that "
        "synchronise quickly (QRESYNC); one that was away for longer is told of more than it needs."};
    NumberKey thread_keys{
        *this,
        "thread_keys",
        1'000'000,
        "Message-IDs",
        {1, 100'000'000},
        "At most so many an account are kept to tell which thread a reply belongs to; those that no message "
        "names for longest go first."};
    NumberKey acl_entries{*this,     "acl_entries", 100,
                          "entries", {1, 1000},     "At most so many may be given rights on one mailbox."};
    NumberKey disk_threads{*this,     "disk_threads", 16,
                           "threads", {1, 256},       "At most so many disk operations at once."};
  } storage{keys_, "storage"};

  struct Search : Section {
    using Section::Section;
    FlagKey index{*this, "index", true,
                  "SEARCH for texts is answered from an index, which is filled in the background: "
                  "search.sqlite in each account's folder. Without it, all messages are read each time."};
  } search{keys_, "search"};

  struct Log : Section {
    using Section::Section;
    ChoiceKey<LogLevel, 5> level{
        *this,
        "level",
        LogLevel::info,
        {{{"error", LogLevel::error},
          {"warning", LogLevel::warning},
          {"info", LogLevel::info},
          {"debug", LogLevel::debug},
          {"trace", LogLevel::trace}}},
        "How much is logged: \"error\", \"warning\", \"info\", \"debug\" or \"trace\"."};
    ChoiceKey<LogFormat, 2> format{*this,
                                   "format",
                                   LogFormat::text,
                                   {{{"text", LogFormat::text}, {"json", LogFormat::json}}},
                                   "The notation of the log, on standard error: \"text\" or \"json\"."};
  } log{keys_, "log"};

  const KeyList& keys() const { return keys_; }
  const std::string& file() const { return file_; }
  // `path` as seen from the folder of the configuration file; empty stays empty.
  std::string resolved(const std::string& path) const;
  // The host's name: that of the file, or the machine's.
  std::string hostname() const;
  auth::PasswordCost password_cost() const;
};

// A configuration as far as it could be read, and all that is wrong with it.
struct Loaded {
  std::shared_ptr<Settings> settings;  // never null; where there are problems, not to be used
  // Each a line "FILE:LINE: [section] key: expected ..., got ...".
  std::vector<std::string> problems;
};

// Reads the file; one that is missing or cannot be read is a problem like others.
Loaded load_settings(const std::string& file);
// The same for its content.
Loaded parse_settings(std::string_view content, std::string file);

// Whether a running server keeps the former value of a key until it is started again.
bool read_at_start_only(const Key& key);

// A complaint about a key's value, in the form of Loaded::problems.
std::string problem_with(const Settings& settings, const Key& key, std::string_view complaint);

// A whole configuration file: every key with its text, unit and present value.
std::string print_settings(const Settings& settings);

}  // namespace posthorn::server
