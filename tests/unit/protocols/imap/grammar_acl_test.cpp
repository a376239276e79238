#include "tests/unit/protocols/imap/grammar_cases.h"

namespace posthorn::imap {

TEST_CASE("imap acl: commands parse and print (RFC 4314 §7)") {
  check_good({
      {"a setacl INBOX/Drafts David lrswida", "a SETACL INBOX/Drafts David lrswitea"},
      {"a SETACL INBOX/Drafts Chris +cda", "a SETACL INBOX/Drafts Chris +kxtea"},
      {"a SETACL inbox \"-a b\" -r", "a SETACL INBOX \"-a b\" -r"},
      {"a SETACL INBOX Fred \"\"", "a SETACL INBOX Fred \"\""},
      {"a SETACL INBOX {4}\r\nFred +", "a SETACL INBOX Fred +"},
      {"a DeleteAcl INBOX Fred", "a DELETEACL INBOX Fred"},
      {"a getacl \"Other Users/bob\"", "a GETACL \"Other Users/bob\""},
      {"a LISTRIGHTS ~/Mail/saved smith", "a LISTRIGHTS ~/Mail/saved smith"},
      {"a MyRights INBOX", "a MYRIGHTS INBOX"},
      {"a LIST \"\" % RETURN (MYRIGHTS)", "a LIST () \"\" \"%\" RETURN (MYRIGHTS)"},
      {"a LIST \"\" % RETURN (STATUS (MESSAGES) myrights CHILDREN)",
       "a LIST () \"\" \"%\" RETURN (CHILDREN MYRIGHTS STATUS (MESSAGES))"},
  });
}

TEST_CASE("imap acl: the value of a SETACL (RFC 4314 §3.1)") {
  const auto command = parsed_as<SetAcl>(
      "SETACL Drafts b\xc3\xb6"
      "b -lr");
  CHECK(command.mailbox == "Drafts");
  CHECK(command.identifier ==
        "b\xc3\xb6"
        "b");
  CHECK(command.change.how == storage::RightsChange::How::remove);
  CHECK(command.change.rights == (storage::Right::lookup | storage::Right::read));
}

TEST_CASE("imap acl: rights that are not known are BAD (RFC 4314 §3.1)") {
  check_bad({
      {"a SETACL INBOX/Drafts John lrQswicda", "unknown right"},
      {"a SETACL INBOX/Drafts John lrqswicda", "unknown right"},
      {"a SETACL INBOX John lr0", "unknown right"},
      {"a SETACL INBOX John", "space expected before rights"},
      {"a SETACL INBOX", "space expected before identifier"},
      {"a DELETEACL INBOX", "space expected before identifier"},
      {"a LISTRIGHTS INBOX", "space expected before identifier"},
      {"a GETACL", "space expected before mailbox name"},
      {"a MYRIGHTS", "space expected before mailbox name"},
      {"a GETACL INBOX Fred", "unexpected text after the command"},
  });
}

}  // namespace posthorn::imap
