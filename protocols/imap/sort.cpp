#include "protocols/imap/esearch.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/search_answer.h"
#include "protocols/imap/session.h"
#include "protocols/imap/slice.h"
#include "protocols/imap/sorting.h"

#include <span>
#include <utility>

// SORT and UID SORT (RFC 5256 §3), with RETURN (RFC 5267 §3).
namespace posthorn::imap {
namespace {

// "* SORT 2 84 882"
Task<void> print(Connection& connection, const View& view, std::span<const std::uint32_t> sorted,
                 Numbering numbering, std::optional<storage::ModSeq> mod_sequence) {
  Slice slice(connection);
  connection.queue("* SORT");
  for (const std::uint32_t place : sorted) {
    co_await slice;
    append_number(connection.output() += ' ',
                  numbering == Numbering::uid ? view.messages().at(place).uid : place + 1);
    co_await connection.flush_if_large();
  }
  append_search_mod_sequence(connection.output(), mod_sequence);
  connection.queue("\r\n");
}

}  // namespace

Task<Reply> Session::on(const Sort& sort) {
  const Numbering numbering = sort.search.numbering;
  const std::string_view name = numbering == Numbering::uid ? "UID SORT" : "SORT";
  auto findings = co_await find_messages(sort.search, name);
  if (!findings) co_return findings.error();
  Sorting sorting(connection_, *view_, sort.criteria);
  const std::vector<std::uint32_t> sorted = co_await sorting.run(findings->found);
  findings->failed = findings->failed || sorting.failed();

  if (!sort.search.returned) {
    const auto mod_sequence = mod_sequence_of(*findings, findings->found);
    co_await print(connection_, *view_, sorted, numbering, mod_sequence);
    co_return reply_to_found(*findings, name);
  }
  const SearchReturn& returned = *sort.search.returned;
  if (returned.save && findings->failed) {
    co_return no("[NOTSAVED] " + std::string(name) + " could not read all messages");
  }
  const Places told = spoken_of(sorted, returned);
  if (returned.save) view_->save_search(uids_of(told, view_->messages()));
  if (is_answered(returned)) {
    Esearch answer(connection_, *view_, tag_, numbering);
    co_await answer.send(sorted, returned, mod_sequence_of(*findings, told));
  }
  co_return reply_to_found(*findings, name);
}

}  // namespace posthorn::imap
