#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/places.h"
#include "storage/snapshot.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// What a SEARCH with RETURN answers and saves, from what it found (RFC 4731, RFC 5182, RFC 9394). Pure.
namespace posthorn::imap {

// Whether there is an ESEARCH response at all: SAVE alone asks for none (RFC 5182 §2.1, example 1), UPDATE
// and CONTEXT alone for one without data.
bool is_answered(const SearchReturn& returned);

// The messages that the answer speaks of. They are what `$` stands for after SAVE (RFC 5182 §2.4, RFC 9394
// §3.2), and MODSEQ is the highest among them (RFC 4731 §3.2).
Places spoken_of(const Places& found, const SearchReturn& returned);

// The same of what a SORT found, MIN and MAX being its first and its last (RFC 5267 §3.1).
Places spoken_of(std::span<const std::uint32_t> sorted, const SearchReturn& returned);

// Those that `range` names in the order of a SORT.
std::span<const std::uint32_t> partial_of(std::span<const std::uint32_t> sorted, const PartialRange& range);

// 0 for no places.
storage::ModSeq highest_mod_sequence(const Places& places, const storage::Snapshot& messages);

// The numbers of the places, ascending, as ranges that do not touch.
std::vector<SequenceRange> numbers_of(const Places& places, Numbering numbering,
                                      const storage::Snapshot& messages);

// Appends " (MODSEQ 917162500)", where there is one, to a SEARCH or SORT response (RFC 7162 §3.1.6, §3.1.9).
void append_search_mod_sequence(std::string& out, std::optional<storage::ModSeq> mod_sequence);

// Appends "-1:-100".
void append_partial_range(std::string& out, const PartialRange& range);

}  // namespace posthorn::imap
