#include "message/charset.h"
#include "protocols/imap/esearch.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/printer.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/saved_search.h"
#include "protocols/imap/search_answer.h"
#include "protocols/imap/search_keys.h"
#include "protocols/imap/searching.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"

#include <utility>

// SEARCH and UID SEARCH (RFC 3501 §6.4.4), with RETURN (RFC 4731) and what it saves (RFC 5182).
namespace posthorn::imap {
namespace {

Reply bad_charset() {
  std::string text = "[BADCHARSET ";
  {
    Spaced list(text);
    for (const std::string& name : message::charset_names()) append_astring(list.next(), name);
  }
  return no(text + "] Unknown charset");
}

// "* SEARCH 2 84 882"
Task<void> print(Connection& connection, const View& view, const Places& found, Numbering numbering,
                 std::optional<storage::ModSeq> mod_sequence) {
  Slice slice(connection);
  connection.queue("* SEARCH");
  for (const Places::Range range : found.ranges()) {
    for (std::uint32_t place = range.begin; place < range.end; ++place) {
      co_await slice;
      std::string& out = connection.output();
      out += ' ';
      append_number(out, numbering == Numbering::uid ? view.messages().at(place).uid : place + 1);
      co_await connection.flush_if_large();
    }
  }
  append_search_mod_sequence(connection.output(), mod_sequence);
  connection.queue("\r\n");
}

}  // namespace

Task<std::expected<Session::Findings, Reply>> Session::find_messages(const Search& search,
                                                                     std::string_view command) {
  const bool saves = search.returned && search.returned->save;
  // What is searched is the present, which the client is told of first: numbers of messages stay.
  co_await view_->tell(connection_, Expunges::hold, search.numbering);
  auto saved = std::make_shared<const Places>();
  if (names_saved(search.key)) saved = co_await saved_places(connection_, *view_);
  const auto criteria = compile(search, *view_, saved, enabled_.dialect.utf8() ? "UTF-8" : "US-ASCII",
                                environment_.clock.seconds());
  const Limited limited =
      newest(searched(search.key, view_->messages(), *saved), settings_.message_limit, view_->messages());
  // RFC 5182 §2.1: a SEARCH that was to save and is refused leaves nothing saved.
  if (saves) view_->save_search({});
  if (!criteria) co_return std::unexpected(bad_charset());
  // RFC 9738 §3.4: what is saved is what was found among these.
  Searching searching(connection_, *view_, *criteria, limited.places);
  co_await searching.run();
  if (saves && searching.failed()) {
    co_return std::unexpected(no("[NOTSAVED] " + std::string(command) + " could not read all messages"));
  }
  limited_to_ = limited.lowest;
  co_return Findings{.found = searching.found(),
                     .some_gone = searching.some_gone(),
                     .failed = searching.failed(),
                     .by_mod_sequence = criteria->by_mod_sequence};
}

std::optional<storage::ModSeq> Session::mod_sequence_of(const Findings& findings, const Places& told) const {
  if (!findings.by_mod_sequence || told.empty()) return std::nullopt;
  return highest_mod_sequence(told, view_->messages());
}

Reply Session::reply_to_found(const Findings& findings, std::string_view command) const {
  if (findings.failed) return no("[UNAVAILABLE] " + std::string(command) + " could not read all messages");
  return ok((findings.some_gone ? "[EXPUNGEISSUED] " : "") + std::string(command) + " completed");
}

Task<Reply> Session::on(const Search& search) {
  const std::string_view name = search.numbering == Numbering::uid ? "UID SEARCH" : "SEARCH";
  const auto findings = co_await find_messages(search, name);
  if (!findings) co_return findings.error();
  const Places& found = findings->found;

  // In IMAP4rev2 there is no other answer than ESEARCH (RFC 9051 §6.4.4, appendix E).
  if (!search.returned && !enabled_.rev2()) {
    co_await print(connection_, *view_, found, search.numbering, mod_sequence_of(*findings, found));
  } else {
    const SearchReturn returned = search.returned.value_or(SearchReturn{.all = true});
    const Places told = spoken_of(found, returned);
    if (returned.save) view_->save_search(uids_of(told, view_->messages()));
    if (is_answered(returned)) {
      Esearch answer(connection_, *view_, tag_, search.numbering);
      co_await answer.send(found, returned, mod_sequence_of(*findings, told));
    }
  }
  co_return reply_to_found(*findings, name);
}

}  // namespace posthorn::imap
