#include "protocols/imap/not_offered.h"

#include "protocols/imap/grammar.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace posthorn;
using namespace posthorn::imap;

namespace {

bool refused(std::string_view arguments) {
  const auto command = parse_command("t " + std::string(arguments));
  REQUIRE(command.has_value());
  return uses_what_is_not_offered(*command);
}

}  // namespace

TEST_CASE("imap: what the grammar reads and CAPABILITY does not promise is refused") {
  for (const std::string_view command : {"REPLACE 1 x UTF8 (~{1}\r\n)", "REPLACE 1 x {1}\r\n"}) {
    CAPTURE(command);
    CHECK(refused(command));
  }
}

TEST_CASE("imap: what was offered all along is not refused") {
  for (const std::string_view command : {"NOOP",
                                         "SELECT x",
                                         "LIST \"\" *",
                                         "LIST (SPECIAL-USE) \"\" *",
                                         "LIST \"\" * RETURN (SPECIAL-USE)",
                                         "LSUB \"\" *",
                                         "XLIST \"\" *",
                                         "STATUS x (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)",
                                         "APPEND x {1}\r\n () {1}\r\n",
                                         "EXPUNGE",
                                         "UID EXPUNGE 1",
                                         "UID EXPUNGE $",
                                         "COPY $ x",
                                         "STORE $ FLAGS ()",
                                         "FETCH $ FLAGS",
                                         "LIST (SUBSCRIBED RECURSIVEMATCH REMOTE) \"\" (a b) RETURN "
                                         "(CHILDREN STATUS (SIZE DELETED APPENDLIMIT))",
                                         "UID FETCH 1 FLAGS (PARTIAL 1:2)",
                                         "SEARCH RETURN (SAVE PARTIAL 1:2) UID $",
                                         "COPY 1 x",
                                         "STORE 1 FLAGS ()",
                                         "FETCH 1 FULL",
                                         "FETCH 1 BODY.PEEK[]<0.1>",
                                         "SEARCH OR SEEN (NOT SENTON 1-Feb-2020)",
                                         "CREATE x (USE (\\Sent))",
                                         "ENABLE CONDSTORE"}) {
    CAPTURE(command);
    CHECK_FALSE(refused(command));
  }
}
