#pragma once

#include "base/result.h"
#include "message/binary_edit.h"
#include "message/common_fields.h"
#include "message/structure.h"
#include "message/summary_view.h"
#include "protocols/imap/command.h"
#include "protocols/imap/enabled.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/places.h"
#include "storage/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a FETCH takes to be answered. Pure.
namespace posthorn::imap {

// What a FETCH asks for, seen from what it takes to answer.
struct FetchPlan {
  FetchPlan(const Fetch& fetch, const Enabled& enabled);

  bool asks(FetchAttribute attribute) const;
  bool from_summary() const { return envelope || structure || parts || preview || !fields.empty(); }
  // Whether the octets that are asked for lie in the header.
  bool header_only() const;
  // How much work the summaries are worth.
  storage::Effort effort() const;

  std::vector<FetchItem> items;                 // UID first where the command was UID FETCH
  std::vector<std::string> names;               // of each item in a response, with the space behind it
  std::vector<message::CommonFieldSet> fields;  // that items of octets ask for, if all of these are kept
  bool flags = false;
  bool modseq = false;
  bool uid = false;
  bool email_id = false;
  bool envelope = false;
  bool structure = false;  // itself, with extension data or without
  bool parts = false;      // where they are
  bool preview = false;
  bool origin = false;
  bool octets = false;  // of the message itself
  bool binary = false;  // with sections decoded
  bool sets_seen = false;
  // The least that has all that is wanted of summaries.
  storage::Form form = storage::Form::summary;
};

// What the index keeps of a message, as far as a plan wants it.
struct KnownMessage {
  std::optional<std::string_view> printed;  // the value of ENVELOPE or BODYSTRUCTURE, the one that is wanted
  std::optional<message::EnvelopeView> envelope;
  std::optional<message::BodyPartView> structure;
  std::optional<message::BodyPart> parts;
  // What append_common_fields() takes, where that has the values of all items of octets.
  std::optional<std::string_view> fields;
  std::vector<message::BinaryEdit> edits;
  std::string email_id;
  std::optional<std::string> preview;
  std::optional<storage::Mailbox::Origin> origin;
};

// What a summary as storage keeps it in plan.form says; it has to outlive that. Errors: corrupt.
Result<KnownMessage> known_from(std::string_view encoded, const FetchPlan& plan, Dialect dialect);

// The pieces whose messages are marked \Seen together, before the first of them is sent: small ones, as a
// client that hangs up meanwhile has not read the rest. `places` are of `messages`.
std::vector<Places> pieces_to_mark(const Places& places, Order order, const storage::Snapshot& messages);

}  // namespace posthorn::imap
