"""Names that must not leave the account, and names that must work (RFC 3501 §5.1)."""

import os

import pytest

from support.messages import bodies, message
from support.wire import ImapWire, quoted

pytestmark = pytest.mark.sanitized

FORBIDDEN = ["../x", "..", ".", "/etc", "/", "//", "a//b", "a/../b", "a/..", "a/.", "./a", "../../bob/Maildir", "a/./b",
             "INBOX/../../x", "tab\there", "bell\x07", "del\x7f"]
OVER_LONG = ["x" * 300, "/".join(["level"] * 80), "y" * 5000]
# Each with the name in place of %s; `selected` ones need a mailbox with a message.
COMMANDS = ["CREATE %s", "DELETE %s", "RENAME %s other", "RENAME Archive %s", "SELECT %s", "EXAMINE %s", "SUBSCRIBE %s",
            "STATUS %s (MESSAGES)", "COPY 1 %s", "MOVE 1 %s", "UID COPY 1 %s", "UID MOVE 1 %s", "APPEND %s {3+}\r\nx\r\n"]


def tree(server, account):
    """Everything but messages, which move on their own, SQLite's helpers, and the insides of other accounts."""
    own, found = server.account_folder(account[0]), []
    for where, folders, files in os.walk(server.data):
        if os.path.dirname(where) == str(own.parent) and where != str(own):
            folders.clear()
            continue
        if os.path.basename(where) not in ("new", "cur", "tmp", "deleted"):
            found += [os.path.join(where, name) for name in folders + files if not name.endswith(("-wal", "-shm"))]
    return sorted(found)


@pytest.fixture
def selected(imap):
    imap.append(message("kept"))
    imap.select()
    return imap


@pytest.mark.parametrize("name", FORBIDDEN + OVER_LONG, ids=lambda name: repr(name[:20]))
def test_forbidden_names_are_refused_by_every_command(server, account, selected, name):
    before = tree(server, account)
    for line in COMMANDS:
        selected.select()
        selected.command(line.replace("%s", quoted(name)), "NO")
    selected.command(f"UNSUBSCRIBE {quoted(name)}", None)
    assert tree(server, account) == before
    assert selected.subscriptions() == [n for n in selected.subscriptions() if n != name]
    assert bodies(server, account) == [message("kept")]


@pytest.mark.parametrize("line", COMMANDS)
def test_nul_and_line_ends_in_a_literal_are_refused(server, account, selected, line):
    before = tree(server, account)
    for name in (b"a\0b", b"\0", b"a\r\nb", b"a\nb"):
        tag = selected.next_tag()
        start, _, end = line.partition("%s")
        selected.send(f"{tag} {start}{{{len(name)}+}}\r\n".encode() + name + end.encode() + b"\r\n")
        answer = selected.finish(tag, None)
        assert answer.status in ("NO", "BAD"), (name, answer)
    selected.command("NOOP")
    assert tree(server, account) == before


@pytest.mark.parametrize("pattern", ["../*", "/*", "../../*", "/etc/%"])
def test_patterns_reach_nothing_outside(imap, pattern):
    for verb in ("LIST", "LSUB"):
        assert imap.command(f'{verb} "" {quoted(pattern)}').of(verb) == []
        assert imap.command(f'{verb} "../" "*"').of(verb) == []


@pytest.mark.parametrize("name", [
    "Grüße", "日本語", "Ünïcode/Näme", "a & b", "a&b/c&d", "~home", "star*", "per%cent", 'quo"te', "back\\slash", "a.b.c",
    "...", ".hidden", "..x", "x..", "co:lon", "new", "cur", "tmp", "sp ace ", " leading", "{brace}", "(paren)", "NIL", "[x]",
    "emoji 😀", "plus+minus-", "UPPER and lower", "x" * 100, "inbox2"])
def test_names_that_work(server, account, imap, name):
    """Modified UTF-7 on the wire; what the file system minds is encoded."""
    wire = quoted(modified_utf7(name))
    imap.command(f"CREATE {wire}")
    assert modified_utf7(name) in imap.mailboxes()
    imap.command(f"SUBSCRIBE {wire}")
    assert modified_utf7(name) in imap.subscriptions()
    text = message("named")
    tag = imap.next_tag()
    imap.send(f"{tag} APPEND {wire} {{{len(text)}+}}\r\n".encode() + text + b"\r\n")
    imap.finish(tag)
    with ImapWire(server) as other:
        other.greeting()
        other.login(*account)
        other.command(f"SELECT {wire}")
        assert other.command("FETCH 1 BODY.PEEK[]").fetched()[1]["BODY[]"] == text
    imap.command(f"RENAME {wire} renamed")
    imap.command(f"RENAME renamed {wire}")
    imap.command(f"DELETE {wire}")
    assert modified_utf7(name) not in imap.mailboxes()
    folders = [entry.name for entry in server.maildir(account[0]).iterdir()]
    assert {"tmp", "new", "cur"} <= set(folders)


def modified_utf7(text):
    """RFC 3501 §5.1.3."""
    import base64
    out, run = [], ""

    def flush():
        if run:
            encoded = base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            out.append(f"&{encoded}-")

    for character in text:
        if 0x20 <= ord(character) <= 0x7e:
            flush()
            run = ""
            out.append("&-" if character == "&" else character)
        else:
            run += character
    flush()
    return "".join(out)


@pytest.mark.parametrize("wire", ["&", "&abc", "&Jjo!-", "&AGE-", "&2AA-", "a&b", "&-&"])
def test_broken_modified_utf7_is_refused(imap, wire):
    assert imap.command(f"CREATE {quoted(wire)}", None).status in ("NO", "BAD")


def test_inbox_in_any_case_is_one(imap):
    imap.append(message("in"), "iNbOx")
    assert imap.status("INBOX", "MESSAGES") == {"MESSAGES": 1}
    imap.command("CREATE inbox", "NO")
    assert [name for name in imap.mailboxes() if name.upper() == "INBOX"] == ["INBOX"]
    imap.command("CREATE Inbox/sub")
    assert "INBOX/sub" in imap.mailboxes()


def test_an_account_cannot_reach_another(server, account, imap):
    other = server.add_account()
    with ImapWire(server) as client:
        client.greeting()
        client.login(*other)
        client.append(message("private"))
    user = other[0].partition("@")[0]
    for name in (f"../{user}/Maildir", f"user/{user}", f"~{user}/INBOX", f"../../example.test/{user}/Maildir"):
        assert imap.command(f"SELECT {quoted(name)}", None).status == "NO"
        imap.command(f"COPY 1 {quoted(name)}", None)
    assert bodies(server, other) == [message("private")]
