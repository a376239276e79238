"""What adds messages: CATENATE (RFC 4469), REPLACE (RFC 8508), APPENDLIMIT (RFC 7889), SAVELIMIT
(RFC 9738), literals (RFC 7888)."""

import pytest

from support.messages import message
from support.server import DOMAIN
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized
ALICE = f"alice@{DOMAIN}"


def literal(text):
    return b"{%d+}\r\n" % len(text) + text


def bodies(client):
    return [items["BODY[]"] for _uid, items in sorted(client.fetch_all("BODY.PEEK[]", "INBOX").items())]


def test_catenate_joins_what_is_there_with_what_is_sent(imap):
    text = b"From: a@b.test\r\nSubject: one\r\n\r\nbody\r\n" + b"x" * 300_000 + b"\r\n"
    validity = imap.append(text).code.split(" ")[1]
    header = b"Subject: two\r\n\r\n"
    answer = imap.command(b"APPEND INBOX (\\Draft) CATENATE (TEXT " + literal(header) +
                          b' URL "/INBOX;UIDVALIDITY=%s/;UID=1/;SECTION=TEXT")' % validity.encode())
    assert answer.code == f"APPENDUID {validity} 2"
    assert bodies(imap) == [text, header + text.partition(b"\r\n\r\n")[2]]


def test_catenate_and_multiappend(imap):
    first = message("first")
    imap.append(first)
    answer = imap.command(b"APPEND INBOX CATENATE (URL /INBOX/;UID=1) " + literal(b"second\r\n") +
                          b" CATENATE (TEXT " + literal(b"X: y\r\n") + b" URL /INBOX/;UID=1)")
    assert answer.code.endswith(" 2:4")
    assert bodies(imap) == [first, first, b"second\r\n", b"X: y\r\n" + first]


def test_a_bad_url_adds_nothing(imap):
    imap.append(message("first"))
    answer = imap.command("APPEND INBOX CATENATE (URL /INBOX/;UID=1 URL /INBOX/;UID=2)", "NO")
    assert answer.code == "BADURL /INBOX/;UID=2"
    assert imap.status("INBOX")["MESSAGES"] == 1


def test_replace(server, imap, account):
    """RFC 8508 §3.2, §3.4: in the same mailbox and in another; another session sees both at once."""
    for token in ("one", "two", "three"):
        imap.append(message(token))
    imap.select()
    with ImapWire(server) as other:
        other.greeting()
        other.login(*account)
        other.select()
        validity, new = imap.uid_replace(2, message("better"), "INBOX", r"\Draft").code_value("APPENDUID").split(" ")
        assert new == "4" and bodies(imap) == [message("one"), message("three"), message("better")]
        assert imap.status("INBOX")["UIDVALIDITY"] == int(validity)
        assert [response.kind for response in other.command("NOOP").untagged][:2] == ["EXPUNGE", "EXISTS"]
    imap.select()
    imap.uid_replace(4, message("sent"), "Sent")
    assert imap.status("INBOX")["MESSAGES"] == 2 and imap.status("Sent")["MESSAGES"] == 1
    imap.uid_replace(4, message("again"), "Sent", status="NO")
    assert imap.uid_replace(1, message("lost"), "nowhere", status="NO").code == "TRYCREATE"
    imap.command("EXAMINE INBOX")
    assert imap.uid_replace(1, message("not here"), "Sent", status="NO").code == "READ-ONLY"
    assert imap.status("INBOX")["MESSAGES"] == 2 and imap.status("Sent")["MESSAGES"] == 1


def test_message_limits(own):
    """RFC 9738 §3, §3.1."""
    server = own({"imap": {"message_limit": 3, "save_limit": 2}}, accounts=[ALICE])
    with ImapWire(server) as client:
        client.greeting()
        client.login(ALICE, server.accounts[ALICE])
        assert {"MESSAGELIMIT=3", "SAVELIMIT=2"} <= set(client.command("CAPABILITY").of("CAPABILITY")[0].value)
        for number in range(5):
            client.append(message(f"m{number}"))
        client.select()
        answer = client.command("UID FETCH 1:* (UID)")
        assert answer.code == "MESSAGELIMIT 3 3" and list(answer.by_uid()) == [5, 4, 3]
        assert list(client.command("UID FETCH 1:2 (UID)").by_uid()) == [1, 2]
        assert client.command("UID SEARCH ALL").code == "MESSAGELIMIT 3 3"
        assert client.command("UID COPY 1:3 Sent", "NO").code == "MESSAGELIMIT 2 2"
        assert client.command("UID MOVE 1:* Sent").code == "MESSAGELIMIT 3 3"
        assert client.status("INBOX")["MESSAGES"] == 2 and client.status("Sent")["MESSAGES"] == 3
        assert client.command(b"APPEND INBOX " + b" ".join([literal(b"x")] * 3), "NO").code == "MESSAGELIMIT 2"
        assert client.status("INBOX")["MESSAGES"] == 2


def test_the_limit_is_told_and_holds(own):
    """RFC 7889 §2, §3.1, §4."""
    server = own({"limits": {"message_size": 100_000}}, accounts=[ALICE])
    with ImapWire(server) as client:
        client.greeting()
        client.login(ALICE, server.accounts[ALICE])
        assert "APPENDLIMIT=100000" in client.command("CAPABILITY").of("CAPABILITY")[0].value
        client.command("STATUS INBOX (APPENDLIMIT)")
        assert client.append(b"x" * 100_001, status="NO").code == "TOOBIG"
        client.append(b"x" * 100_000)
        answer = client.command("APPEND INBOX CATENATE (URL /INBOX/;UID=1 TEXT {1+}\r\nx)", "NO")
        assert answer.code == "TOOBIG"


def test_literal_minus(own):
    """RFC 7888 §5."""
    server = own({"imap": {"literals": "minus"}}, accounts=[ALICE])
    with ImapWire(server) as client:
        client.greeting()
        client.login(ALICE, server.accounts[ALICE])
        found = client.command("CAPABILITY").of("CAPABILITY")[0].value
        assert "LITERAL-" in found and "LITERAL+" not in found
        client.command(b"APPEND INBOX " + literal(b"x" * 4096))
        assert client.command(b"APPEND INBOX " + literal(b"x" * 4097), "BAD").code == "TOOBIG"
        client.append(b"x" * 4097)


@pytest.mark.parametrize("size", [100, 100_016])
def test_a_malformed_append_is_refused_before_its_message(imap, size):
    imap.command(f'APPEND INBOX "yesterday" {{{size}}}', "BAD")
    imap.command(f"APPEND INBOX (\\Recent) {{{size}}}", "BAD")
    imap.command("NOOP")


def test_flags_that_are_not_permanent_are_passed_over(imap):
    """RFC 3501 §7.1, §9."""
    imap.append(message("one"), flags=r"\Forwarded \Seen")
    imap.select()
    imap.command(r"STORE 1 +FLAGS (\XYZ \Flagged)")
    assert {r"\Seen", r"\Flagged"} <= set(imap.command("FETCH 1 FLAGS").fetched()[1]["FLAGS"])
