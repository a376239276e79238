#include "protocols/imap/reply.h"

namespace posthorn::imap {

Reply reply_to(const Error& error) {
  switch (error.code) {
    case Errc::malformed: return bad("The arguments are not valid");
    case Errc::too_large: return no("[LIMIT] That passes a limit of this server");
    case Errc::not_found: return no("[NONEXISTENT] No such mailbox");
    case Errc::already_exists: return no("[ALREADYEXISTS] There is such a mailbox already");
    case Errc::over_quota: return no("[OVERQUOTA] Over quota");
    case Errc::denied: return no("[NOPERM] Permission denied");
    case Errc::not_allowed: return no("[CANNOT] That can not be done with this mailbox name");
    case Errc::unavailable: return no("[UNAVAILABLE] Not available");
    case Errc::busy: return no("[UNAVAILABLE] Too busy, try again later");
    case Errc::in_use: return no("[INUSE] In use by another session");
    case Errc::disk_full: return no("[UNAVAILABLE] No space left on the server");
    case Errc::corrupt: return no("[CORRUPTION] Stored data is damaged; the server's log says more");
    case Errc::io: break;
  }
  return no("[UNAVAILABLE] Internal failure; the server's log says more");
}

Reply reply_for_target(const Error& error) {
  if (error.code == Errc::not_found) return no("[TRYCREATE] No such mailbox");
  return reply_to(error);
}

Reply reply_to_unparsed(const Error& error) {
  switch (error.code) {
    case Errc::not_allowed: return no("[CANNOT] " + error.detail);
    case Errc::too_large: return no(error.detail.starts_with('[') ? error.detail : "[LIMIT] " + error.detail);
    default: return bad(error.detail);
  }
}

void append_tagged(std::string& out, std::string_view tag, const Reply& reply) {
  if (reply.status == Reply::Status::none) return;
  out += tag;
  switch (reply.status) {
    case Reply::Status::ok: out += " OK "; break;
    case Reply::Status::no: out += " NO "; break;
    case Reply::Status::bad: out += " BAD "; break;
    case Reply::Status::none: break;
  }
  out += reply.text;
  out += "\r\n";
}

}  // namespace posthorn::imap
