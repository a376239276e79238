#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"

#include <array>
#include <cassert>
#include <utility>

namespace posthorn::imap {

namespace {

void append_literal(std::string& out, const AppendLiteral& literal) {
  if (literal.form == AppendLiteral::Form::utf8) out.append("UTF8 (");
  if (literal.form != AppendLiteral::Form::text) out.push_back('~');
  append_literal_header(out, literal.octets);
  if (literal.form == AppendLiteral::Form::utf8) out.push_back(')');
}

void append_part(std::string& out, const AppendPart& part) {
  if (const auto* url = std::get_if<AppendUrl>(&part)) {
    out.append("URL ");
    append_astring(out, url->url);
    return;
  }
  const auto& literal = std::get<AppendLiteral>(part);
  if (literal.form != AppendLiteral::Form::utf8) out.append("TEXT ");
  append_literal(out, literal);
}

void append_partial_range(std::string& out, const PartialRange& range) {
  const std::string_view sign = range.from == PartialRange::From::newest ? "-" : "";
  out.append("PARTIAL ").append(sign);
  append_number(out, range.first);
  out.append(":").append(sign);
  append_number(out, range.last);
}

void append_status_items(std::string& out, const std::vector<StatusItem>& items) {
  Spaced list(out);
  for (const StatusItem item : items) list.next().append(name_of(item));
}

// The arguments of each command, each with its space before it.
class ArgumentPrinter {
 public:
  ArgumentPrinter(std::string& out, Dialect dialect) : out_(out), dialect_(dialect) {}

  template <class Plain>
  void operator()(const Plain&) {
    static_assert(std::is_empty_v<Plain>, "a command with arguments needs a print function");
  }

  void operator()(const Id& id) {
    out_.push_back(' ');
    if (id.fields.empty()) {
      out_.append("NIL");
      return;
    }
    Spaced list(out_);
    for (const auto& [field, value] : id.fields) {
      append_string(list.next(), field);
      append_nstring(list.next(), value);
    }
  }
  void operator()(const Authenticate& authenticate) {
    word(authenticate.mechanism);
    if (!authenticate.initial_response) return;
    word(authenticate.initial_response->empty() ? "=" : std::string_view(*authenticate.initial_response));
  }
  void operator()(const Login& login) {
    text(login.user);
    text(login.password);
  }
  void operator()(const Select& select) {
    mailbox(select.mailbox);
    if (!select.condstore && !select.resync) return;
    out_.push_back(' ');
    Spaced parameters(out_);
    if (select.condstore) parameters.next().append("CONDSTORE");
    if (select.resync) {
      parameters.next().append("QRESYNC ");
      resync(*select.resync);
    }
  }
  void operator()(const Create& create) {
    // Where the name itself ends in a separator, the parser is to take off another one.
    const bool ends_in_separator = create.mailbox.size() > 1 && create.mailbox.ends_with('/');
    mailbox(ends_in_separator ? create.mailbox + '/' : create.mailbox);
    if (create.special_use.empty()) return;
    out_.append(" (USE ");
    {
      Spaced list(out_);
      for (const std::string& attribute : create.special_use) list.next().append(attribute);
    }
    out_.push_back(')');
  }
  void operator()(const Delete& command) { mailbox(command.mailbox); }
  void operator()(const Rename& rename) {
    mailbox(rename.from);
    mailbox(rename.to);
  }
  void operator()(const Subscribe& command) { mailbox(command.mailbox); }
  void operator()(const Unsubscribe& command) { mailbox(command.mailbox); }
  void operator()(const List& list) {
    // Extended syntax shows in parentheses, empty ones if need be (RFC 5258 §3).
    if (list.syntax == List::Syntax::extended) selection(list.selection);
    mailbox(list.reference);
    if (list.patterns.size() == 1) {
      pattern(list.patterns.front());
    } else {
      out_.push_back(' ');
      Spaced patterns(out_);
      for (const std::string& each : list.patterns) append_mailbox(patterns.next(), each, dialect_);
    }
    if (list.returned != List::Return()) returned(list.returned);
  }
  void operator()(const Lsub& list) {
    mailbox(list.reference);
    pattern(list.pattern);
  }
  void operator()(const Xlist& list) {
    mailbox(list.reference);
    pattern(list.pattern);
  }
  void operator()(const SetAcl& command) {
    mailbox(command.mailbox);
    text(command.identifier);
    std::string change = storage::to_string(command.change.rights);
    if (command.change.how == storage::RightsChange::How::add) change.insert(0, "+");
    if (command.change.how == storage::RightsChange::How::remove) change.insert(0, "-");
    text(change);
  }
  void operator()(const DeleteAcl& command) {
    mailbox(command.mailbox);
    text(command.identifier);
  }
  void operator()(const GetAcl& command) { mailbox(command.mailbox); }
  void operator()(const ListRights& command) {
    mailbox(command.mailbox);
    text(command.identifier);
  }
  void operator()(const MyRights& command) { mailbox(command.mailbox); }
  void operator()(const Status& status) {
    mailbox(status.mailbox);
    out_.push_back(' ');
    append_status_items(out_, status.items);
  }
  void operator()(const Append& append) {
    mailbox(append.mailbox);
    for (const AppendMessage& each : append.messages) message(each);
  }
  void operator()(const Enable& enable) {
    for (const std::string& capability : enable.capabilities) word(capability);
  }
  void operator()(const Compress&) { word("DEFLATE"); }
  void operator()(const Expunge& expunge) {
    if (expunge.uids) numbers(*expunge.uids);
  }
  void operator()(const Search& search) {
    if (search.returned) returned(*search.returned);
    if (!search.charset.empty()) {
      out_.append(" CHARSET");
      text(search.charset);
    }
    out_.push_back(' ');
    append_search_key(out_, search.key);
  }
  void operator()(const Sort& sort) {
    if (sort.search.returned) returned(*sort.search.returned);
    out_.push_back(' ');
    {
      Spaced list(out_);
      for (const SortCriterion& criterion : sort.criteria) {
        if (criterion.reverse) list.next().append("REVERSE");
        list.next().append(name_of(criterion.key));
      }
    }
    criteria(sort.search);
  }
  void operator()(const Thread& thread) {
    word(name_of(thread.algorithm));
    criteria(thread.search);
  }
  void operator()(const Fetch& fetch) {
    numbers(fetch.messages);
    out_.push_back(' ');
    {
      Spaced list(out_);
      for (const FetchItem& item : fetch.items) append_request(list.next(), item);
    }
    if (!fetch.changed_since && !fetch.vanished && !fetch.partial) return;
    out_.push_back(' ');
    Spaced modifiers(out_);
    if (fetch.changed_since) append_number(modifiers.next().append("CHANGEDSINCE "), *fetch.changed_since);
    if (fetch.vanished) modifiers.next().append("VANISHED");
    if (fetch.partial) append_partial_range(modifiers.next(), *fetch.partial);
  }
  void operator()(const Store& store) {
    numbers(store.messages);
    out_.push_back(' ');
    if (store.unchanged_since) {
      out_.append("(UNCHANGEDSINCE ");
      append_number(out_, *store.unchanged_since);
      out_.append(") ");
    }
    if (store.mode == Store::Mode::add) out_.push_back('+');
    if (store.mode == Store::Mode::remove) out_.push_back('-');
    out_.append(store.answer == Store::Answer::silent ? "FLAGS.SILENT " : "FLAGS ");
    append_flags(out_, store.flags);
  }
  void operator()(const Copy& copy) {
    numbers(copy.messages);
    mailbox(copy.mailbox);
  }
  void operator()(const Move& move) {
    numbers(move.messages);
    mailbox(move.mailbox);
  }
  void operator()(const Replace& replace) {
    numbers({{{replace.number, replace.number}}});
    mailbox(replace.mailbox);
    message(replace.message);
  }

 private:
  // search-criteria of RFC 5256 §5.
  void criteria(const Search& search) {
    text(search.charset);
    out_.push_back(' ');
    append_search_key(out_, search.key);
  }
  void resync(const QuickResync& known) {
    Spaced arguments(out_);
    append_number(arguments.next(), known.uid_validity);
    append_number(arguments.next(), known.mod_sequence);
    if (known.known_uids) append_sequence_set(arguments.next(), *known.known_uids);
    if (!known.match) return;
    Spaced match(arguments.next());
    append_sequence_set(match.next(), known.match->numbers);
    append_sequence_set(match.next(), known.match->uids);
  }
  void selection(const List::Selection& selection) {
    out_.push_back(' ');
    Spaced options(out_);
    if (selection.subscribed) options.next().append("SUBSCRIBED");
    if (selection.remote) options.next().append("REMOTE");
    if (selection.recursive_match) options.next().append("RECURSIVEMATCH");
    if (selection.special_use) options.next().append("SPECIAL-USE");
  }
  void returned(const List::Return& returned) {
    out_.append(" RETURN ");
    Spaced options(out_);
    if (returned.subscribed) options.next().append("SUBSCRIBED");
    if (returned.children) options.next().append("CHILDREN");
    if (returned.special_use) options.next().append("SPECIAL-USE");
    if (returned.my_rights) options.next().append("MYRIGHTS");
    if (!returned.status.empty()) append_status_items(options.next().append("STATUS "), returned.status);
  }
  void returned(const SearchReturn& returned) {
    out_.append(" RETURN ");
    Spaced options(out_);
    if (returned.min) options.next().append("MIN");
    if (returned.max) options.next().append("MAX");
    if (returned.all) options.next().append("ALL");
    if (returned.count) options.next().append("COUNT");
    if (returned.save) options.next().append("SAVE");
    if (returned.partial) append_partial_range(options.next(), *returned.partial);
  }
  void message(const AppendMessage& message) {
    out_.push_back(' ');
    append_flags(out_, message.flags);
    out_.push_back(' ');
    if (message.date) {
      append_internal_date(out_, *message.date);
      out_.push_back(' ');
    }
    if (!message.catenated) {
      append_literal(out_, std::get<AppendLiteral>(message.parts.front()));
      return;
    }
    out_.append("CATENATE ");
    Spaced parts(out_);
    for (const AppendPart& part : message.parts) append_part(parts.next(), part);
  }
  void word(std::string_view atom) {
    out_.push_back(' ');
    out_.append(atom);
  }
  void text(std::string_view text) {
    out_.push_back(' ');
    append_astring(out_, text);
  }
  void mailbox(std::string_view name) {
    out_.push_back(' ');
    append_mailbox(out_, name, dialect_);
  }
  void pattern(std::string_view pattern) { mailbox(pattern); }
  void numbers(const SequenceSet& set) {
    out_.push_back(' ');
    append_sequence_set(out_, set);
  }

  std::string& out_;
  Dialect dialect_;
};

// The name of each command.
struct Name {
  static std::string_view with(Numbering numbering, std::string_view uid_name) {
    return uid_name.substr(numbering == Numbering::uid ? 0 : std::string_view("UID ").size());
  }
  std::string_view operator()(const Capability&) const { return "CAPABILITY"; }
  std::string_view operator()(const Noop&) const { return "NOOP"; }
  std::string_view operator()(const Logout&) const { return "LOGOUT"; }
  std::string_view operator()(const Id&) const { return "ID"; }
  std::string_view operator()(const Starttls&) const { return "STARTTLS"; }
  std::string_view operator()(const Authenticate&) const { return "AUTHENTICATE"; }
  std::string_view operator()(const Login&) const { return "LOGIN"; }
  std::string_view operator()(const Select& select) const {
    return select.access == Select::Access::read_only ? "EXAMINE" : "SELECT";
  }
  std::string_view operator()(const Create&) const { return "CREATE"; }
  std::string_view operator()(const Delete&) const { return "DELETE"; }
  std::string_view operator()(const Rename&) const { return "RENAME"; }
  std::string_view operator()(const Subscribe&) const { return "SUBSCRIBE"; }
  std::string_view operator()(const Unsubscribe&) const { return "UNSUBSCRIBE"; }
  std::string_view operator()(const List&) const { return "LIST"; }
  std::string_view operator()(const Lsub&) const { return "LSUB"; }
  std::string_view operator()(const Xlist&) const { return "XLIST"; }
  std::string_view operator()(const Namespace&) const { return "NAMESPACE"; }
  std::string_view operator()(const SetAcl&) const { return "SETACL"; }
  std::string_view operator()(const DeleteAcl&) const { return "DELETEACL"; }
  std::string_view operator()(const GetAcl&) const { return "GETACL"; }
  std::string_view operator()(const ListRights&) const { return "LISTRIGHTS"; }
  std::string_view operator()(const MyRights&) const { return "MYRIGHTS"; }
  std::string_view operator()(const Status&) const { return "STATUS"; }
  std::string_view operator()(const Append&) const { return "APPEND"; }
  std::string_view operator()(const Idle&) const { return "IDLE"; }
  std::string_view operator()(const Enable&) const { return "ENABLE"; }
  std::string_view operator()(const Compress&) const { return "COMPRESS"; }
  std::string_view operator()(const Unauthenticate&) const { return "UNAUTHENTICATE"; }
  std::string_view operator()(const Check&) const { return "CHECK"; }
  std::string_view operator()(const Close&) const { return "CLOSE"; }
  std::string_view operator()(const Unselect&) const { return "UNSELECT"; }
  std::string_view operator()(const Expunge& expunge) const {
    return expunge.uids ? "UID EXPUNGE" : "EXPUNGE";
  }
  std::string_view operator()(const Search& search) const { return with(search.numbering, "UID SEARCH"); }
  std::string_view operator()(const Sort& sort) const { return with(sort.search.numbering, "UID SORT"); }
  std::string_view operator()(const Thread& thread) const {
    return with(thread.search.numbering, "UID THREAD");
  }
  std::string_view operator()(const Fetch& fetch) const { return with(fetch.numbering, "UID FETCH"); }
  std::string_view operator()(const Store& store) const { return with(store.numbering, "UID STORE"); }
  std::string_view operator()(const Copy& copy) const { return with(copy.numbering, "UID COPY"); }
  std::string_view operator()(const Move& move) const { return with(move.numbering, "UID MOVE"); }
  std::string_view operator()(const Replace& replace) const { return with(replace.numbering, "UID REPLACE"); }
};

}  // namespace

std::string_view name_of(StatusItem item) {
  switch (item) {
    case StatusItem::messages: return "MESSAGES";
    case StatusItem::recent: return "RECENT";
    case StatusItem::uid_next: return "UIDNEXT";
    case StatusItem::uid_validity: return "UIDVALIDITY";
    case StatusItem::unseen: return "UNSEEN";
    case StatusItem::deleted: return "DELETED";
    case StatusItem::size: return "SIZE";
    case StatusItem::highest_mod_sequence: return "HIGHESTMODSEQ";
    case StatusItem::mailbox_id: return "MAILBOXID";
    case StatusItem::append_limit: return "APPENDLIMIT";
  }
  return "";
}

std::string_view name_of(SortCriterion::Key key) {
  switch (key) {
    case SortCriterion::Key::arrival: return "ARRIVAL";
    case SortCriterion::Key::cc: return "CC";
    case SortCriterion::Key::date: return "DATE";
    case SortCriterion::Key::display_from: return "DISPLAYFROM";
    case SortCriterion::Key::display_to: return "DISPLAYTO";
    case SortCriterion::Key::from: return "FROM";
    case SortCriterion::Key::size: return "SIZE";
    case SortCriterion::Key::subject: return "SUBJECT";
    case SortCriterion::Key::to: return "TO";
  }
  return "";
}

std::string_view name_of(Thread::Algorithm algorithm) {
  switch (algorithm) {
    case Thread::Algorithm::ordered_subject: return "ORDEREDSUBJECT";
    case Thread::Algorithm::references: return "REFERENCES";
    case Thread::Algorithm::refs: return "REFS";
  }
  return "";
}

std::string_view name_of(const Command::Body& body) { return std::visit(Name(), body); }

std::string to_string(const Command& command, Dialect dialect) {
  std::string out = command.tag;
  out.push_back(' ');
  out.append(name_of(command.body));
  std::visit(ArgumentPrinter(out, dialect), command.body);
  return out;
}

}  // namespace posthorn::imap
