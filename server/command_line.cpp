#include "server/command_line.h"

#include "server/keys.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

namespace posthorn::server {
namespace {

constexpr std::string_view examples =
    "Examples:\n"
    "  posthorn init /etc/posthorn --data /var/lib/posthorn --user posthorn --domain example.org\n"
    "  posthorn check\n"
    "  posthorn account add ann@example.org\n"
    "  posthorn alias add info@example.org ann@example.org\n"
    "  posthorn serve\n"
    "  posthorn serve --config /srv/mail/posthorn.toml\n"
    "\n"
    "Commands that change accounts work while the server runs, and take effect at once.\n"
    "Exit status: 0 done, 1 failed, 2 wrong arguments.";

class Parser {
 public:
  Parser() {
    app_.footer(std::string(examples));
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "posthorn " POSTHORN_VERSION);
    config_option(app_);
    add_init();
    add_serve();
    add_check();
    add_domain();
    add_account();
    add_alias();
    add_mailbox();
  }

  std::expected<CommandLine, EarlyEnd> parse(std::span<const char* const> arguments) {
    // CLI11 takes the arguments from the back.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app_.parse(reversed);
    } catch (const CLI::ParseError& error) {
      std::ostringstream out;
      std::ostringstream problem;
      const bool help = app_.exit(error, out, problem) == 0;
      if (help) return std::unexpected(EarlyEnd{0, out.str()});
      const std::string surplus = not_understood();
      return std::unexpected(EarlyEnd{2, surplus.empty() ? problem.str() : surplus});
    }
    if (auto* init = std::get_if<InitCommand>(&line_.command); init != nullptr && config_given()) {
      init->config = line_.config;
    }
    return line_;
  }

 private:
  bool config_given() const {
    return app_.count("--config") > 0 || app_.get_subcommand("init")->count("--config") > 0;
  }

  // The first word that nothing was made of, in words that say so; CLI11 would rather say what is missing
  // for the want of it.
  std::string not_understood() const {
    const CLI::App* at = &app_;
    std::string name = "posthorn";
    while (!at->get_subcommands().empty()) {
      at = at->get_subcommands().front();
      name += " " + at->get_name();
    }
    const auto left = app_.remaining(true);
    if (left.empty()) return {};
    const std::string& word = left.front();
    const bool group = !at->get_subcommands([](const CLI::App*) { return true; }).empty();
    std::string text =
        "unknown option " + toml_string(word) + "; an argument that begins with - goes after --";
    if (!word.starts_with('-'))
      text = (group ? "unknown command " : "one argument too many: ") + toml_string(word);
    return text + "\n`" + name + " --help` says what there is.\n";
  }

  // An empty argument is a mistake, such as a variable that is not set, and not one that is not given.
  static CLI::Option* filled(CLI::Option* option) {
    return option->check(CLI::Validator(
        [](const std::string& text) {
          return text.empty() ? std::string("must not be empty") : std::string();
        },
        ""));
  }

  void config_option(CLI::App& command) {
    filled(command.add_option("--config", line_.config, "The configuration file"))
        ->type_name("FILE")
        ->capture_default_str()
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }

  CLI::App& command(CLI::App& parent, const std::string& name, const std::string& text) {
    CLI::App& added = *parent.add_subcommand(name, text);
    added.footer("");
    config_option(added);
    return added;
  }

  void add_init() {
    CLI::App& init = *app_.add_subcommand(
        "init", "Write a commented configuration, a data directory and a self-signed certificate");
    filled(init.add_option("DIR", init_.folder, "The folder to fill; made if it is missing"))->required();
    filled(init.add_option("--domain", init_.domain, "The first mail domain"))->type_name("DOMAIN");
    filled(init.add_option("--hostname", init_.hostname,
                           "The server's name (default: mail.DOMAIN, or the machine's)"))
        ->type_name("NAME");
    filled(init.add_option("--data", init_.data, "The data directory (default: DIR/data)"))
        ->type_name("PATH");
    filled(init.add_option("--user", init_.user, "The user that the server becomes when root starts it"))
        ->type_name("USER");
    init.add_flag(
        "--loopback", init_.loopback,
        "Listen on 127.0.0.1 alone, on ports that need no root (2525, 2587, 2465, 2110, 2995, 2143, "
        "2993): to try it out");
    config_option(init);
    init.footer(
        "Examples:\n"
        "  posthorn init ~/mail --domain example.test --loopback\n"
        "  posthorn init /etc/posthorn --data /var/lib/posthorn --user posthorn --domain example.org \\\n"
        "    --hostname mail.example.org");
    init.callback([this] { line_.command = init_; });
  }

  void add_serve() {
    CLI::App& serve = command(app_, "serve", "Run the server in the foreground; it logs to standard error");
    serve.footer(
        "SIGHUP reads configuration and certificates again. SIGTERM and SIGINT end it in good order;\n"
        "a second one ends it at once. As root it needs [server] user, and becomes that user.");
    serve.callback([this] { line_.command = ServeCommand{}; });
  }

  void add_check() {
    CLI::App& check = command(app_, "check", "Say what is wrong with the configuration, and where");
    check.callback([this] { line_.command = CheckCommand{}; });
  }

  CLI::App& group(const std::string& name, const std::string& text) {
    CLI::App& added = command(app_, name, text);
    added.require_subcommand(1);
    added.footer("`posthorn " + name + " COMMAND --help` says more of each.");
    return added;
  }

  // One that becomes a request; its arguments are added to what this returns.
  CLI::App& request(CLI::App& group, const std::string& name, const std::string& text) {
    CLI::App& added = command(group, name, text);
    added.callback([this, full = group.get_name() + "." + name] {
      admin_.request.command = full;
      // Options that were not given stay out of the request.
      std::erase_if(admin_.request.arguments, [](const auto& argument) { return argument.second.empty(); });
      line_.command = admin_;
    });
    return added;
  }

  CLI::Option& argument(CLI::App& command, const std::string& name, const std::string& key,
                        const std::string& text) {
    return *filled(command.add_option(name, admin_.request.arguments[key], text));
  }

  void add_domain() {
    CLI::App& domain = group("domain", "Domains whose mail is kept here");
    argument(request(domain, "add", "Add a domain"), "DOMAIN", "domain", "Such as example.org").required();
    CLI::App& remove = request(domain, "remove", "Remove a domain and its aliases");
    argument(remove, "DOMAIN", "domain", "Such as example.org").required();
    remove.add_flag_callback(
        "--with-accounts", [this] { admin_.request.arguments["with_accounts"] = "yes"; },
        "Remove its accounts and all their mail too");
    request(domain, "list", "List all domains");
  }

  void add_password(CLI::App& command) {
    command.add_flag("--password-stdin", admin_.password_from_stdin,
                     "Take the password from the first line of standard input instead of asking for it");
    command.preparse_callback([this](std::size_t) { admin_.needs_password = true; });
  }

  void add_account() {
    CLI::App& account = group("account", "Accounts, each with a mailbox and a password");
    CLI::App& add = request(account, "add", "Add an account in one of the domains");
    argument(add, "ADDRESS", "address", "Such as ann@example.org").required();
    add_password(add);
    add.add_flag_callback(
        "--adopt-mail", [this] { admin_.request.arguments["adopt_mail"] = "yes"; },
        "Give it the mail that is there under its name without an account");
    argument(request(account, "remove", "Remove an account and all its mail"), "ADDRESS", "address",
             "Such as ann@example.org")
        .required();
    argument(request(account, "list", "List accounts"), "DOMAIN", "domain", "Only those of this domain");
    CLI::App& password = request(account, "password", "Change an account's password");
    argument(password, "ADDRESS", "address", "Such as ann@example.org").required();
    add_password(password);
    CLI::App& search =
        request(account, "search-index", "Switch the index by which an account's mail is searched");
    argument(search, "ADDRESS", "address", "Such as ann@example.org").required();
    argument(search, "STATE", "on", "on or off: without the index, searches read all messages")
        .required()
        ->check(CLI::IsMember({"on", "off"}));
  }

  void add_alias() {
    CLI::App& alias = group("alias", "Addresses whose mail goes to others");
    CLI::App& add =
        request(alias, "add", "Let mail for ALIAS go to TARGET; several targets are several commands");
    argument(add, "ALIAS", "alias", "Such as info@example.org").required();
    argument(add, "TARGET", "target", "Where its mail goes").required();
    CLI::App& remove = request(alias, "remove", "Remove one target of an alias, or the whole alias");
    argument(remove, "ALIAS", "alias", "Such as info@example.org").required();
    argument(remove, "TARGET", "target", "The one target to remove");
    request(alias, "list", "List all aliases and their targets");
  }

  // A command on one mailbox of an account or an organisation.
  CLI::App& mailbox_request(CLI::App& group, const std::string& name, const std::string& text) {
    CLI::App& command = request(group, name, text);
    argument(command, "OWNER", "owner", "An account, or a domain for what its users see as Shared/")
        .required();
    argument(command, "MAILBOX", "mailbox", "Its name, levels separated by /").required();
    return command;
  }

  void add_mailbox() {
    CLI::App& mailbox = group("mailbox", "Mailboxes, and who else has rights on them");
    mailbox_request(mailbox, "add", "Make a mailbox");
    mailbox_request(mailbox, "remove", "Remove a mailbox and all its mail");
    argument(request(mailbox, "list", "List mailboxes"), "OWNER", "owner",
             "An account, or a domain for what its users see as Shared/")
        .required();
    CLI::App& share = mailbox_request(mailbox, "share", "Give somebody rights on a mailbox, or take them");
    argument(share, "WHO", "who", "The address of an account, or anyone").required();
    argument(
        share, "RIGHTS", "rights",
        "Letters: l see it, r read, s mark as read, w other flags, i put messages in, t mark as deleted, "
        "e expunge, k make mailboxes below, x delete or rename, a administer; +LETTERS adds, -LETTERS "
        "takes away, none takes all away")
        .required();
    mailbox_request(mailbox, "rights", "List who else has which rights on a mailbox");
  }

  CLI::App app_{"Posthorn, a mail server: SMTP, POP3 and IMAP in one program", "posthorn"};
  CommandLine line_;
  InitCommand init_;
  AdminCommand admin_;
};

}  // namespace

std::expected<CommandLine, EarlyEnd> parse_command_line(std::span<const char* const> arguments) {
  Parser parser;
  return parser.parse(arguments);
}

}  // namespace posthorn::server
