"""IMAP4rev2 (RFC 9051) on the real server: each point of appendix E that a server shows, on the wire."""

import unicodedata

import pytest

from support.messages import message
from support.wire import CRLF, ImapWire, quoted

pytestmark = pytest.mark.sanitized

COMPOSED = "Entwürfe"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def plain(server, account):
    """A client that enables nothing."""
    client = ImapWire(server)
    client.greeting()
    client.login(*account)
    return client


@pytest.fixture
def rev2(server, account):
    with plain(server, account) as client:
        assert client.enable("IMAP4rev2") == ["IMAP4REV2"]
        yield client


def capabilities(imap):
    return set(imap.command("CAPABILITY").of("CAPABILITY")[0].value)


def test_enable_changes_no_capability(imap):
    """§6.3.1; appendix A: both revisions are offered."""
    before = capabilities(imap)
    assert {"IMAP4REV1", "IMAP4REV2"} <= before
    imap.enable("IMAP4rev2")
    assert capabilities(imap) == before


# What appendix E says of a server, point by point: a command, and what has to be in its answer or must not.
POINTS = [
    ("E2 binary", "FETCH 2 (BINARY.SIZE[1] BINARY.PEEK[1])", "OK", [b"BINARY.SIZE[1] ", b"BINARY[1] "], []),
    ("E3 status size", "STATUS INBOX (SIZE DELETED)", "OK", [b"SIZE ", b"DELETED 1"], []),
    ("E4 esearch", "SEARCH ALL", "OK", [b'ESEARCH (TAG "'], [b"SEARCH 1"]),
    ("E4 esearch by uid", "UID SEARCH FLAGGED", "OK", [b'") UID ALL 2'], []),
    ("E7 copyuid of move", "MOVE 1 Archive", "OK", [b"OK [COPYUID "], []),
    ("E7 copyuid of uid move", "UID MOVE 1 Archive", "OK", [b"OK [COPYUID "], []),
    ("E8 trycreate of copy", "COPY 1 none", "NO TRYCREATE", [], []),
    ("E8 trycreate of move", "MOVE 1 none", "NO TRYCREATE", [], []),
    ("E9 closed", "SELECT Archive", "OK READ-WRITE", [b"[CLOSED]"], []),
    ("E10 list of select", "SELECT Archive", "OK READ-WRITE", [rb"LIST (\Subscribed \HasNoChildren \Archive)"], []),
    ("E10 list of examine", "EXAMINE inbox", "OK READ-ONLY", [b'"/" INBOX'], []),
    ("E11 unseen", "SELECT INBOX", "OK READ-WRITE", [], [b"UNSEEN"]),
    ("E12 recent of select", "SELECT INBOX", "OK READ-WRITE", [], [b"RECENT"]),
    ("E12 recent flag", "FETCH 1:* FLAGS", "OK", [], [b"Recent"]),
    ("E12 recent of status", "STATUS INBOX (RECENT)", "BAD", [], []),
    ("E12 search new", "SEARCH NEW", "BAD", [], []),
    ("E15 keywords", "STORE 1 +FLAGS ($MDNSent $Forwarded $Junk $NotJunk $Phishing)", "OK",
     [b"$MDNSent $Forwarded $Junk $NotJunk $Phishing"], []),
    ("E17 check", "CHECK", "OK", [], []),
    ("E18 rfc822", "FETCH 1 RFC822.SIZE", "OK", [b"RFC822.SIZE"], []),
    ("E19 lsub", 'LSUB "" INBOX', "OK", [b"LSUB"], []),
]


@pytest.mark.parametrize("command, status, there, absent", [point[1:] for point in POINTS],
                         ids=[point[0] for point in POINTS])
def test_appendix_e(rev2, command, status, there, absent):
    rev2.append(message("one"), flags=r"\Deleted")
    rev2.append(message("two"), flags=r"\Flagged")
    rev2.select()
    status, _, code = status.partition(" ")
    answer = rev2.command(command, status)
    raw = b"\n".join(response.raw for response in answer.untagged)
    assert (answer.code or "").split(" ")[0] == code or not code
    for part in there:
        assert part in raw, raw
    for part in absent:
        assert part not in raw, raw


def test_e2_what_is_folded_in(rev2):
    """NAMESPACE, UNSELECT, UIDPLUS, SEARCHRES, IDLE, MOVE, LIST-EXTENDED, LIST-STATUS in one session."""
    assert rev2.command("NAMESPACE").of("NAMESPACE")[0].value[0] == [("", "/")]
    first = rev2.append(message("one"))
    assert first.code.startswith("APPENDUID ")
    rev2.append(message("two"), flags=r"\Deleted")
    rev2.select()
    rev2.command("SEARCH RETURN (SAVE) DELETED")
    assert list(rev2.command("FETCH $ (UID FLAGS)").by_uid()) == [2]
    rev2.command("UID EXPUNGE $")
    rev2.done(rev2.idle())
    answer = rev2.command('LIST (SUBSCRIBED) "" INBOX RETURN (CHILDREN STATUS (MESSAGES))')
    assert answer.of("STATUS")[0].value == ("INBOX", {"MESSAGES": 1})
    rev2.command("UNSELECT")


def test_e16_names(server, account, rev2):
    """§5.1: UTF-8 here, modified UTF-7 for those who did not enable it; any form of a name finds its mailbox."""
    created = rev2.command(f"CREATE {quoted(DECOMPOSED)}")
    assert created.of("LIST")[0].value[2:] == (COMPOSED, {"OLDNAME": [DECOMPOSED]})
    assert COMPOSED in rev2.mailboxes() and DECOMPOSED not in rev2.mailboxes()
    rev2.append(message("one"), DECOMPOSED)
    assert rev2.status(DECOMPOSED, "MESSAGES") == {"MESSAGES": 1}
    selected = rev2.select(DECOMPOSED)
    assert selected.of("LIST")[0].value[2:] == (COMPOSED, {"OLDNAME": [DECOMPOSED]})
    rev2.command(f"COPY 1 {quoted(DECOMPOSED)}")
    renamed = rev2.command(f"RENAME {quoted(DECOMPOSED)} {quoted('Новое')}")
    assert renamed.of("LIST")[0].value[2:] == ("Новое", {"OLDNAME": [DECOMPOSED]})
    with plain(server, account) as old:
        assert "&BB0EPgQyBD4ENQ-" in old.mailboxes()
        assert old.status("&BB0EPgQyBD4ENQ-", "MESSAGES") == {"MESSAGES": 2}
    assert rev2.command(f"DELETE {quoted('Новое')}").of("LIST") == []


def test_e16_a_name_from_modified_utf7_stays_as_it_was(server, account, rev2):
    """Appendix A.1: also one that is not in NFC, which is found under its own name alone."""
    with plain(server, account) as old:
        old.command("CREATE cafe&AwE-")
        assert "cafe&AwE-" in old.mailboxes()
    assert "cafe\u0301" in rev2.mailboxes()
    rev2.select("cafe\u0301")
    rev2.select("caf\u00e9", status="NO")


@pytest.mark.parametrize("line", [b'SELECT "\xff"', b'LIST "" "\xc3"', b'SEARCH SUBJECT "\xe9"', b'CREATE "\xed\xa0\x80"'])
def test_what_is_not_utf8_is_bad(rev2, line):
    rev2.select()
    rev2.command(line, "BAD")


def test_e21_unsolicited_fetch_has_the_uid(server, account, rev2):
    rev2.append(message("one"))
    rev2.append(message("two"))
    rev2.select()
    with plain(server, account) as other:
        other.select()
        other.command(r"STORE 1 +FLAGS (\Answered)")
        told = rev2.command("NOOP").of("FETCH")
        assert [response.value for response in told] == [{"UID": 1, "FLAGS": ["\\Answered"]}]
        tag = rev2.idle()
        other.command(r"STORE 2 +FLAGS (\Flagged)")
        response, _ = rev2.wait_for("FETCH")
        assert response.value == {"UID": 2, "FLAGS": ["\\Flagged"]}
        rev2.done(tag)


def test_literals_without_waiting(rev2):
    """§4.3."""
    tag = rev2.next_tag()
    rev2.send(f"{tag} SELECT {{5+}}".encode() + CRLF + b"INBOX" + CRLF)
    assert rev2.finish(tag).code == "READ-WRITE"
