"""IMAP where the standard is strict and servers differ: what must be refused, and what a refusal leaves behind."""

import pytest

from support.messages import message
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized


@pytest.fixture
def second(server, account):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.select()
        yield client


def test_a_message_with_nul_is_refused(imap):
    """RFC 3501 §4.3.1, §9 (CHAR8)."""
    text = b"From: a@b.test\r\n\r\nx\0y\r\n"
    answer = imap.append(text, status="NO")
    assert answer.code == "CANNOT"
    imap.append(message("after it"))
    imap.select()
    assert len(imap.fetch_all("UID")) == 1


def test_nul_in_a_foreign_file_is_not_sent(server, account, imap):
    imap.command("NOOP")
    folder = server.maildir(account[0]) / "new"
    (folder / "1700000000.1.elsewhere").write_bytes(b"Subject: a\0b\r\n\r\nx\0y\r\n")
    imap.select()
    got = imap.command("FETCH 1 (BODY.PEEK[] BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE)").fetched()[1]
    assert got["BODY[]"] == b"Subject: a\x80b\r\n\r\nx\x80y\r\n"
    assert got["BODY[HEADER.FIELDS (SUBJECT)]"] == b"Subject: a\x80b\r\n\r\n"


@pytest.mark.parametrize("name", ["nope", "a//b", "&bad", "../x"])
@pytest.mark.parametrize("command", ["SELECT", "EXAMINE"])
def test_a_select_that_fails_leaves_nothing_selected(imap, command, name):
    """RFC 3501 §6.3.1."""
    imap.select()
    imap.command(f'{command} "{name}"', "NO")
    imap.command("CHECK", "BAD")


def test_the_longest_id_before_login(server):
    """RFC 2971 §3.3: 30 pairs of 30 and 1,024 octets."""
    pairs = " ".join(f'"{"k" * 28}{number:02}" "{"v" * 1024}"' for number in range(30))
    with ImapWire(server) as client:
        client.greeting()
        client.command(f"ID ({pairs})")


def test_a_refused_store_takes_no_place_in_the_keyword_table(imap):
    imap.append(message("keywords"))
    imap.select()
    imap.command(f"STORE 1 FLAGS ({' '.join(f'a{number}' for number in range(150))})")
    imap.command("STORE 1 FLAGS ()")
    answer = imap.command(f"STORE 1 FLAGS ({' '.join(f'b{number}' for number in range(150))})", "NO")
    assert answer.code == "LIMIT"
    imap.command("STORE 1 +FLAGS (fresh)")
    assert "fresh" in imap.command("FETCH 1 FLAGS").fetched()[1]["FLAGS"]


def test_copy_leaves_a_keyword_out_rather_than_the_message(imap):
    """RFC 3501 §6.4.7: flags SHOULD be preserved; the message is what matters."""
    imap.append(message("full"), "Archive")
    imap.append(message("moved"))
    imap.select("Archive")
    for begin in (0, 128):
        imap.command(f"STORE 1 +FLAGS ({' '.join(f'k{number}' for number in range(begin, begin + 128))})")
    imap.select()
    imap.command(r"STORE 1 FLAGS (\Seen k7 unknown)")
    imap.command("MOVE 1 Archive")
    imap.select("Archive")
    assert set(imap.command("FETCH 2 FLAGS").fetched()[2]["FLAGS"]) - {r"\Recent"} == {r"\Seen", "k7"}


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
def test_copy_of_what_another_expunged_copies_nothing(imap, second, command):
    """RFC 2180 §4.4.1, RFC 5530 §3; by UID, what is gone is left out (RFC 3501 §6.4.8)."""
    for number in range(3):
        imap.append(message(f"gone-{number}"))
    imap.command("NOOP")
    second.command("NOOP")
    imap.select()
    second.command(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    second.command("EXPUNGE")
    answer = imap.command(f"{command} 1:3 Archive", "NO")
    assert answer.code == "EXPUNGEISSUED"
    assert imap.status("Archive", "MESSAGES")["MESSAGES"] == 0
    imap.command(f"UID {command} 1:3 Archive")
    assert imap.status("Archive", "MESSAGES")["MESSAGES"] == 2


def test_uid_expunge_answers_by_uid(imap, second):
    """RFC 3501 §6.4.8: what comes with a UID command bears UIDs."""
    for number in range(3):
        imap.append(message(f"uid-{number}"))
    imap.select()
    second.command("NOOP")
    second.command(r"STORE 3 +FLAGS.SILENT (\Flagged)")
    second.command(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    answer = imap.command("UID EXPUNGE 1")
    assert {items.get("UID") for items in answer.fetched().values()} <= {1, 3}
    assert answer.of("EXPUNGE")


def test_a_new_account_is_subscribed_to_its_mailboxes(imap):
    assert imap.subscriptions() == ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]
    imap.command("UNSUBSCRIBE Junk")
    assert "Junk" not in imap.subscriptions()
