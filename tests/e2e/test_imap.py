"""IMAP: the commands of RFC 3501 and the extensions that are offered, each on the real server."""

import re
import time

import pytest

from support.messages import message
from support.server import DOMAIN
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized

MULTIPART = (b"From: Ann <ann@elsewhere.test>\r\nTo: Group: bob@example.test, \"C. D.\" <cd@example.test>;\r\n"
             b"Cc: eve@example.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <m1@elsewhere.test>\r\n"
             b"In-Reply-To: <m0@elsewhere.test>\r\nDate: Mon, 02 Mar 2026 08:00:00 -0800\r\nMIME-Version: 1.0\r\n"
             b"Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\nprologue\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n"
             b"\r\nfirst part\r\nsecond line\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\n"
             b"Subject: inner\r\nFrom: inner@elsewhere.test\r\n\r\ninner body\r\n--b1\r\n"
             b"Content-Type: application/octet-stream; name=\"x.bin\"\r\nContent-Disposition: attachment; filename=\"x.bin\"\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--b1--\r\nepilogue\r\n")


def capabilities(client):
    return set(client.command("CAPABILITY").of("CAPABILITY")[0].value)


def fetch(client, items, number=1):
    return client.command(f"FETCH {number} ({items})").fetched()[number]


def test_capabilities_before_and_after_login(server, account):
    wanted = {"IMAP4REV1", "IDLE", "NAMESPACE", "UIDPLUS", "UNSELECT", "LITERAL+", "ENABLE", "ID", "SPECIAL-USE",
              "CHILDREN", "MOVE"}
    with ImapWire(server) as client:
        client.greeting()
        before = capabilities(client)
        assert {"IMAP4REV1", "STARTTLS", "AUTH=PLAIN", "SASL-IR", "LITERAL+", "ID", "ENABLE"} <= before
        client.login(*account)
        after = capabilities(client)
        assert wanted <= after and "STARTTLS" not in after


def test_authenticate(server, account):
    import base64
    token = base64.b64encode(f"\0{account[0]}\0{account[1]}".encode()).decode()
    with ImapWire(server) as client:
        client.greeting()
        client.command(f"AUTHENTICATE PLAIN {token}")  # RFC 4959
    with ImapWire(server) as client:
        client.greeting()
        tag = client.start("AUTHENTICATE PLAIN")
        client.continuation()
        client.send_line("*")
        assert client.finish(tag, "BAD")
        tag = client.start("AUTHENTICATE PLAIN")
        client.continuation()
        client.send_line(token)
        client.finish(tag)
    with ImapWire(server) as client:
        client.greeting()
        tag = client.start("AUTHENTICATE LOGIN")
        for word in account:
            client.continuation()
            client.send_line(base64.b64encode(word.encode()))
        client.finish(tag)


def test_wrong_password_and_unknown_user_get_the_same_words(server, account):
    answers = []
    for address in (account[0], f"nobody-here@{DOMAIN}"):
        with ImapWire(server) as client:
            client.greeting()
            answer = client.login(address, "wrong", "NO")
            answers.append((answer.code, answer.text))
    assert answers[0] == answers[1] and answers[0][0] == "AUTHENTICATIONFAILED"  # RFC 5530


def test_login_with_literals(server, account):
    with ImapWire(server) as client:
        client.greeting()
        client.send(f"a1 LOGIN {{{len(account[0])}}}\r\n")
        client.continuation()
        client.send(f"{account[0]} {{{len(account[1])}+}}\r\n{account[1]}\r\n")
        client.finish("a1")


def test_a_new_account_has_its_mailboxes(imap):
    """RFC 6154."""
    found = {response.value[2]: set(response.value[0]) for response in imap.command('LIST "" "*"').of("LIST")}
    assert set(found) == {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"}
    for name in ("Drafts", "Sent", "Junk", "Trash", "Archive"):
        assert f"\\{name}" in found[name]


def test_select_tells_all(imap):
    imap.append(message("one"))
    imap.append(message("two"), flags=r"\Seen")
    answer = imap.select()
    assert answer.code == "READ-WRITE"
    assert answer.of("EXISTS")[0].number == 2 and answer.of("RECENT")
    assert {r"\Answered", r"\Flagged", r"\Deleted", r"\Seen", r"\Draft"} <= set(answer.of("FLAGS")[0].value)
    assert answer.code_value("UNSEEN") == "1"
    assert answer.code_value("UIDNEXT") == "3"
    assert 0 < int(answer.code_value("UIDVALIDITY")) < 1 << 31
    assert r"\*" in answer.code_value("PERMANENTFLAGS")
    assert imap.command("EXAMINE INBOX").code == "READ-ONLY"
    imap.command(r"STORE 1 +FLAGS (\Seen)", "NO")
    imap.command("EXPUNGE", "NO")


def test_select_of_nothing_leaves_nothing_selected(imap):
    imap.select()
    imap.select("no such mailbox", "NO")
    imap.command("FETCH 1 FLAGS", "BAD")


def test_states(server, account):
    with ImapWire(server) as client:
        client.greeting()
        for line in ("SELECT INBOX", 'LIST "" *', "FETCH 1 FLAGS", "IDLE", "STATUS INBOX (MESSAGES)", "NAMESPACE"):
            client.command(line, "BAD")
        client.command("NOOP")
        client.login(*account)
        client.command("LOGIN again again", "BAD")
        for line in ("FETCH 1 FLAGS", "CHECK", "CLOSE", "EXPUNGE", "SEARCH ALL", "UNSELECT", "MOVE 1 INBOX"):
            client.command(line, "BAD")
        answer = client.command("LOGOUT")
        assert answer.of("BYE") and client.at_end()


def test_append_tells_the_uid_and_keeps_flags_and_date(imap):
    """RFC 3501 §6.3.11, RFC 4315 §3."""
    answer = imap.append(message("kept"), flags=r"\Seen \Flagged custom", date=" 5-Feb-2024 03:04:05 +0200")
    found = re.fullmatch(r"APPENDUID (\d+) (\d+)", answer.code)
    imap.select()
    items = fetch(imap, "UID FLAGS INTERNALDATE RFC822.SIZE")
    assert items["UID"] == int(found.group(2)) and items["RFC822.SIZE"] == len(message("kept"))
    assert {r"\Seen", r"\Flagged", "custom"} <= set(items["FLAGS"])
    shown = items["INTERNALDATE"].strip('"')
    then = time.strptime(shown[:20].strip(), "%d-%b-%Y %H:%M:%S")
    zone = int(shown[-5:-2]) * 3600 + int(shown[-5] + shown[-2:]) * 60
    import calendar
    assert calendar.timegm(then) - zone == calendar.timegm((2024, 2, 5, 1, 4, 5))
    assert imap.append(b"x", "nowhere", status="NO").code == "TRYCREATE"


def test_fetch_sections(imap):
    imap.append(MULTIPART)
    imap.select()
    head, _, body = MULTIPART.partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    expected = {
        "BODY[]": MULTIPART, "BODY[HEADER]": head, "BODY[TEXT]": body,
        "BODY[1]": b"first part\r\nsecond line", "BODY[1.MIME]": b"Content-Type: text/plain; charset=utf-8\r\n\r\n",
        "BODY[2]": b"Subject: inner\r\nFrom: inner@elsewhere.test\r\n\r\ninner body",
        "BODY[2.HEADER]": b"Subject: inner\r\nFrom: inner@elsewhere.test\r\n\r\n", "BODY[2.TEXT]": b"inner body",
        "BODY[2.1]": b"inner body", "BODY[3]": b"AAECAw==",
        "BODY[HEADER.FIELDS (SUBJECT)]": b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n",
        "BODY[2.HEADER.FIELDS (FROM)]": b"From: inner@elsewhere.test\r\n\r\n",
        "BODY[2.HEADER.FIELDS.NOT (FROM)]": b"Subject: inner\r\n\r\n",
        "BODY[]<5>": MULTIPART[5:15], "BODY[TEXT]<0>": body[:4], "BODY[]<999999>": b"",
    }
    ask = {"BODY[]<5>": "BODY.PEEK[]<5.10>", "BODY[TEXT]<0>": "BODY.PEEK[TEXT]<0.4>",
           "BODY[]<999999>": "BODY.PEEK[]<999999.10>"}
    for name, value in expected.items():
        items = fetch(imap, ask.get(name, name.replace("BODY[", "BODY.PEEK[")))
        assert items[name] == value, name
    assert fetch(imap, "BODY.PEEK[9]").get("BODY[9]") in (None, b"")
    assert r"\Seen" not in fetch(imap, "FLAGS")["FLAGS"]
    items = fetch(imap, "RFC822.HEADER")
    assert items["RFC822.HEADER"] == head
    assert fetch(imap, "RFC822")["RFC822"] == MULTIPART
    assert fetch(imap, "RFC822.TEXT")["RFC822.TEXT"] == body
    assert r"\Seen" in fetch(imap, "FLAGS")["FLAGS"]


def test_fetch_sets_seen_and_tells(imap):
    imap.append(message("seen"))
    imap.select()
    items = fetch(imap, "BODY[TEXT]")
    assert r"\Seen" in items["FLAGS"]


def test_envelope_and_bodystructure(imap):
    imap.append(MULTIPART)
    imap.select()
    items = fetch(imap, "ENVELOPE BODYSTRUCTURE BODY")
    envelope = items["ENVELOPE"]
    assert envelope["subject"] == b"=?utf-8?q?Gr=C3=BC=C3=9Fe?="
    assert envelope["from"] == envelope["sender"] == envelope["reply_to"] == [(b"Ann", None, b"ann", b"elsewhere.test")]
    assert envelope["to"] == [(None, None, b"Group", None), (None, None, b"bob", b"example.test"),
                              (b"C. D.", None, b"cd", b"example.test"), (None, None, None, None)]
    assert envelope["bcc"] is None and envelope["in_reply_to"] == b"<m0@elsewhere.test>"
    structure = items["BODYSTRUCTURE"]
    assert (structure.type, structure.subtype, structure.parameters) == (b"MULTIPART", b"MIXED", [(b"BOUNDARY", b"b1")])
    text, inner, attachment = structure.parts
    assert (text.type, text.octets, text.lines, text.parameters) == (b"TEXT", 23, 2, [(b"CHARSET", b"utf-8")])
    assert inner.envelope["subject"] == b"inner" and inner.message.type == b"TEXT"
    assert attachment.disposition == (b"attachment", [(b"FILENAME", b"x.bin")]) and attachment.octets == 8
    assert attachment.encoding.upper() == b"BASE64"


@pytest.mark.parametrize("macro, names", [
    ("ALL", {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}), ("FAST", {"FLAGS", "INTERNALDATE", "RFC822.SIZE"}),
    ("FULL", {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"})])
def test_fetch_macros(imap, macro, names):
    imap.append(message("macro"))
    imap.select()
    assert set(imap.command(f"FETCH 1 {macro}").fetched()[1]) == names


def test_store(imap):
    for number in range(3):
        imap.append(message(f"store-{number}"))
    imap.select()
    answer = imap.command(r"STORE 1:2 +FLAGS (\Seen $Label one)")
    assert {n: set(i["FLAGS"]) - {r"\Recent"} for n, i in answer.fetched().items()} == {
        1: {r"\Seen", "$Label", "one"}, 2: {r"\Seen", "$Label", "one"}}
    assert not imap.command(r"STORE 1 -FLAGS.SILENT (one)").of("FETCH")
    assert set(imap.command(r"STORE 1 FLAGS (\Draft)").fetched()[1]["FLAGS"]) - {r"\Recent"} == {r"\Draft"}
    assert set(imap.command(r"UID STORE 2 -FLAGS (\Seen)").fetched()[2]) >= {"UID", "FLAGS"}
    imap.command("STORE 9 FLAGS ()", "BAD")
    imap.command("UID STORE 999 FLAGS ()")
    assert set(fetch(imap, "FLAGS", 2)["FLAGS"]) - {r"\Recent"} == {"$Label", "one"}


def test_expunge_close_unselect(imap):
    for number in range(6):
        imap.append(message(f"gone-{number}"))
    imap.select()
    imap.command(r"STORE 2,4 +FLAGS.SILENT (\Deleted)")
    assert [r.number for r in imap.command("EXPUNGE").of("EXPUNGE")] in ([2, 3], [4, 2])
    imap.command(r"STORE 1,2 +FLAGS.SILENT (\Deleted)")
    assert [r.number for r in imap.command("UID EXPUNGE 1").of("EXPUNGE")] == [1]  # RFC 4315 §2.1
    imap.command("UNSELECT")
    assert imap.status("INBOX", "MESSAGES") == {"MESSAGES": 3}
    imap.select()
    assert not imap.command("CLOSE").untagged
    assert sorted(imap.fetch_all("FLAGS", "INBOX")) == [5, 6]


def test_copy_and_move(imap):
    for number in range(4):
        imap.append(message(f"copy-{number}"), flags=r"\Flagged kept", date="01-Jan-2020 10:00:00 +0000")
    imap.select()
    answer = imap.command("COPY 2:3 Archive")
    validity = imap.status("Archive", "UIDVALIDITY")["UIDVALIDITY"]
    assert answer.code == f"COPYUID {validity} 2:3 1:2"
    moved = imap.command("UID MOVE 1,4 Archive")
    copy_code = moved.code_value("COPYUID") or moved.code.partition(" ")[2]
    assert copy_code in (f"{validity} 1,4 3:4", f"{validity} 1,4 3,4")
    assert [r.number for r in moved.of("EXPUNGE")] in ([1, 3], [4, 1])
    assert imap.command("COPY 1 nowhere", "NO").code == "TRYCREATE"
    assert sorted(imap.fetch_all("FLAGS")) == [2, 3]
    items = imap.fetch_all("FLAGS INTERNALDATE BODY.PEEK[]", "Archive")
    assert [items[uid]["BODY[]"] for uid in sorted(items)] == [message(f"copy-{n}") for n in (1, 2, 0, 3)]
    assert all({r"\Flagged", "kept"} <= set(i["FLAGS"]) for i in items.values())
    assert len({i["INTERNALDATE"] for i in items.values()}) == 1


def test_search(imap):
    imap.append(message("alpha"), flags=r"\Seen", date="01-Jan-2020 10:00:00 +0000")
    imap.append(MULTIPART, flags=r"\Flagged label", date="05-Feb-2022 10:00:00 +0000")
    imap.append(message("gamma", 5000), flags=r"\Answered \Deleted", date="06-Mar-2024 10:00:00 +0000")
    imap.append(message("delta"), flags=r"\Draft")
    imap.select()
    cases = {
        "ALL": [1, 2, 3, 4], "SEEN": [1], "UNSEEN": [2, 3, 4], "FLAGGED": [2], "UNFLAGGED": [1, 3, 4],
        "ANSWERED": [3], "DELETED": [3], "UNDELETED": [1, 2, 4], "DRAFT": [4], "UNDRAFT": [1, 2, 3],
        "KEYWORD label": [2], "UNKEYWORD label": [1, 3, 4], "BEFORE 1-Jan-2021": [1], "ON 5-Feb-2022": [2],
        "SINCE 5-Feb-2022": [2, 3, 4], "SENTON 2-Mar-2026": [2], "SENTBEFORE 5-Mar-2026": [2],
        "SENTSINCE 5-Mar-2026": [1, 3, 4], "LARGER 4000": [3], "SMALLER 1000": [1, 4] if len(MULTIPART) >= 1000 else [1, 2, 4],
        "FROM ann": [2], "FROM SENDER": [1, 3, 4], "TO bob@example": [2], "CC eve": [2], "BCC nobody": [],
        'SUBJECT "test gam"': [3], 'BODY "SECOND LINE"': [2], 'TEXT "alpha"': [1], "HEADER Message-ID m1@": [2],
        'HEADER In-Reply-To ""': [2], "2:3": [2, 3], "UID 3:*": [3, 4], "NOT SEEN FLAGGED": [2],
        "OR SEEN FLAGGED": [1, 2], "OR (SEEN ALL) (NOT (FLAGGED) DELETED)": [1, 3], "NEW": None, "OLD": None,
        "RECENT": None, "CHARSET UTF-8 SUBJECT alpha": [1]}
    for line, wanted in cases.items():
        found = imap.command(f"SEARCH {line}").of("SEARCH")[0].value
        assert wanted is None or found == wanted, line
    assert imap.command("UID SEARCH 2").of("SEARCH")[0].value == [2]
    imap.send("s1 SEARCH CHARSET UTF-8 SUBJECT {7+}\r\n" + "Grüße" + "\r\n")
    assert imap.finish("s1").of("SEARCH")[0].value == [2], "encoded words are decoded (RFC 3501 §6.4.4)"
    assert imap.command("SEARCH CHARSET X-NO-SUCH-CHARSET ALL", "NO").code.startswith("BADCHARSET")
    for line in ("SEARCH", "SEARCH FROBNICATE", "SEARCH NOT", "SEARCH (ALL", "SEARCH ON yesterday"):
        imap.command(line, "BAD")


def test_mailbox_commands(imap):
    imap.command("CREATE Projects/2026/March")
    names = imap.mailboxes()
    assert {"Projects", "Projects/2026", "Projects/2026/March"} <= set(names), "parents are made (RFC 3501 §6.3.3)"
    attributes = {r.value[2]: r.value[0] for r in imap.command('LIST "" "Projects*"').of("LIST")}
    assert r"\HasChildren" in attributes["Projects"] and r"\HasNoChildren" in attributes["Projects/2026/March"]
    assert [r.value[2] for r in imap.command('LIST "" "Projects/%"').of("LIST")] == ["Projects/2026"]
    assert [r.value[2] for r in imap.command('LIST "Projects/" "%"').of("LIST")] == ["Projects/2026"]
    assert [r.value[:2] for r in imap.command('LIST "" ""').of("LIST")] and imap.command('LIST "" ""').of("LIST")[0].value[1] == "/"
    imap.append(message("in the tree"), "Projects/2026/March")
    imap.command("RENAME Projects/2026 Projects/old")
    assert {"Projects/old", "Projects/old/March"} <= set(imap.mailboxes()) and "Projects/2026" not in imap.mailboxes()
    assert imap.status("Projects/old/March", "MESSAGES") == {"MESSAGES": 1}
    imap.command("CREATE INBOX", "NO")
    imap.command("CREATE Projects", "NO")
    imap.command("DELETE INBOX", "NO")
    imap.command("DELETE nowhere", "NO")
    imap.command("RENAME nowhere elsewhere", "NO")
    imap.command("RENAME Projects Sent", "NO")
    imap.command("DELETE Projects/old/March")
    assert "Projects/old/March" not in imap.mailboxes()
    imap.command("CREATE trailing/")
    assert "trailing" in imap.mailboxes()


def test_rename_of_inbox_moves_its_messages(imap):
    """RFC 3501 §6.3.5."""
    imap.append(message("moved"))
    imap.command("RENAME INBOX Old")
    assert imap.status("INBOX", "MESSAGES") == {"MESSAGES": 0}
    assert imap.status("Old", "MESSAGES") == {"MESSAGES": 1}


def test_a_mailbox_made_again_has_another_uidvalidity(imap):
    seen = set()
    for _ in range(4):
        imap.command("CREATE Again")
        seen.add(imap.status("Again", "UIDVALIDITY")["UIDVALIDITY"])
        imap.append(message("again"), "Again")
        imap.command("DELETE Again")
    assert len(seen) == 4


def test_subscriptions(imap):
    imap.command("SUBSCRIBE Sent")
    imap.command("CREATE Lists/deep")
    imap.command("SUBSCRIBE Lists/deep")
    assert {"Sent", "Lists/deep"} <= set(imap.subscriptions())
    parents = imap.command('LSUB "" "%"').of("LSUB")
    assert any(r.value[2] == "Lists" and r"\Noselect" in r.value[0] for r in parents), "RFC 3501 §6.3.9"
    imap.command("DELETE Lists/deep")
    assert "Lists/deep" in imap.subscriptions(), "RFC 3501 §6.3.6: DELETE keeps the subscription"
    imap.command("UNSUBSCRIBE Lists/deep")
    assert "Lists/deep" not in imap.subscriptions()


def test_status(imap):
    imap.append(message("status"), "Archive", flags=r"\Seen")
    imap.append(message("status"), "Archive")
    found = imap.status("Archive", "MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN")
    assert (found["MESSAGES"], found["UIDNEXT"], found["UNSEEN"]) == (2, 3, 1) and found["UIDVALIDITY"] > 0
    imap.command("STATUS nowhere (MESSAGES)", "NO")
    imap.command("STATUS INBOX (FROB)", "BAD")
    imap.command("STATUS INBOX ()", "BAD")


def test_recent_is_shown_to_one_session(server, account, imap):
    imap.append(message("recent"))
    assert imap.select().of("RECENT")[0].number == 1
    assert r"\Recent" in fetch(imap, "FLAGS")["FLAGS"]
    with ImapWire(server) as other:
        other.greeting()
        other.login(*account)
        assert other.select().of("RECENT")[0].number == 0


def test_namespace_id_enable_check(imap):
    assert imap.command("NAMESPACE").of("NAMESPACE")[0].value == [
        [("", "/")], [("Other Users/", "/")], [("Shared/", "/")]]
    assert imap.command('ID ("name" "test" "version" NIL)').of("ID")
    assert imap.command("ID NIL").of("ID")
    assert all(response.value == [] for response in imap.command("ENABLE X-NONSUCH").of("ENABLED"))
    imap.select()
    imap.command("CHECK")


def test_idle(server, account, imap):
    imap.select()
    tag = imap.idle()
    with ImapWire(server) as other:
        other.greeting()
        other.login(*account)
        other.append(message("pushed"))
    response, _ = imap.wait_for("EXISTS")
    assert response.number == 1
    imap.done(tag)
    tag = imap.idle()
    imap.send_line("NOT DONE")
    imap.finish(tag, "BAD")


def test_malformed_commands(imap):
    imap.select()
    for line in ("FROBNICATE", "FETCH", "FETCH x FLAGS", "FETCH 1", "FETCH 1 FROB", "FETCH 0 FLAGS", "FETCH 1: FLAGS",
                 'SELECT "unclosed', "STORE 1 FLAGS", "LIST", "UID", "UID NOOP", "FETCH 1 BODY[", "NOOP extra"):
        imap.command(line, "BAD")
    imap.send_line("onlyatag")
    assert re.match(rb"(onlyatag|\*) BAD ", imap.read_response())
    imap.command("NOOP")


def test_sequence_sets(imap):
    for number in range(5):
        imap.append(message(f"set-{number}"))
    imap.select()
    for wanted, numbers in {"1:*": [1, 2, 3, 4, 5], "*": [5], "*:4": [4, 5], "5:3,1": [1, 3, 4, 5], "2,2,2": [2],
                            "4:*": [4, 5]}.items():
        assert sorted(imap.command(f"FETCH {wanted} FLAGS").fetched()) == numbers, wanted
    assert sorted(imap.command("UID FETCH 9:* FLAGS").fetched()) == [5], "RFC 3501 §6.4.8: * is the last one"
    assert not imap.command("UID FETCH 9:10 FLAGS").of("FETCH")


def test_pipelined_commands_are_answered_in_order(imap):
    imap.append(message("pipe"))
    tags = [imap.start(line) for line in ("SELECT INBOX", "FETCH 1 FLAGS", r"STORE 1 +FLAGS (\Seen)", "SEARCH SEEN",
                                          "NOOP", "CLOSE")]
    answers = [imap.finish(tag) for tag in tags]
    assert answers[3].of("SEARCH")[0].value == [1]
