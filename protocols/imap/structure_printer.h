#pragma once

#include "message/structure.h"
#include "message/summary_view.h"
#include "protocols/imap/dialect.h"

#include <string>

// ENVELOPE, BODY and BODYSTRUCTURE of a FETCH response (RFC 3501 §7.4.2, §9). Pure; they append to `out` and
// allocate nothing beside it. What they append is well-formed for any value, not only for those that
// message::parse_summary() makes.
namespace posthorn::imap {

// envelope. A mailbox without a local part or host shows an empty string there, since NIL would make a group
// of it.
void append_envelope(std::string& out, const message::Envelope& envelope, Dialect dialect = {});
void append_envelope(std::string& out, const message::EnvelopeView& envelope, Dialect dialect = {});

// Whether extension data are given: BODYSTRUCTURE has them, BODY must not (§9, body-ext-1part).
enum class Extension { none, full };

// body. Numbers are octets and lines of the transfer encoded body. Media types with a grammar of their own
// that the value does not fit are shown as another type that it does: a multipart without parts as an empty
// text/plain inside it, message/rfc822 without envelope or content as application/octet-stream, and parts
// nested more than 1000 deep likewise.
//
// In a dialect with UTF-8 message/global is shown as message/rfc822 is (RFC 9755 §6, RFC 9051 §7.5.2). In
// IMAP4rev2 numbers have 63 bits instead of 32, parameters that were cut into sections are joined, and those
// with a charset are in UTF-8 (RFC 9051 §7.5.2, appendix E, 1 and 6).
void append_body_structure(std::string& out, const message::BodyPart& root, Extension extension,
                           Dialect dialect = {});
void append_body_structure(std::string& out, const message::BodyPartView& root, Extension extension,
                           Dialect dialect = {});

}  // namespace posthorn::imap
