"""mbsync and OfflineIMAP keep a tree of Maildirs and an account the same, whichever side changed."""

import os
import re
import shutil
import subprocess

import pytest

from support.maildir import LocalMail
from support.messages import message
from support.wire import quoted

pytestmark = pytest.mark.sanitized
# Names as IMAP4rev1 has them (RFC 3501 §5.1.3), and in UTF-8.
DRAFTS, JAPANESE, MARCH, ODD = "Entw&APw-rfe", "Entw&APw-rfe/&ZeVnLIqe-", "Projekte/2026/M&AOQ-rz &2Dzfig-", "R&-D (50 $)"
UTF8 = {DRAFTS: "Entwürfe", JAPANESE: "Entwürfe/日本語", MARCH: "Projekte/2026/März 🎊", ODD: "R&D (50 $)"}
NAMES = [DRAFTS, JAPANESE, "Projekte", "Projekte/2026", MARCH, ODD]
LETTERS = {"S": r"\Seen", "F": r"\Flagged", "R": r"\Answered", "D": r"\Draft", "T": r"\Deleted"}


class Mbsync:
    """It keeps the names as they come."""

    name = "mbsync"

    def __init__(self, path, server, account, folder):
        self.local = LocalMail(folder / "mail")
        self.line = [path, "-c", folder / "mbsyncrc", "all"]
        self.environment = dict(os.environ, HOME=str(folder))
        (folder / "state").mkdir()
        (folder / "mbsyncrc").write_text(f"""FSync no
IMAPStore remote
Host 127.0.0.1
Port {server.ports["imap"]}
User {account[0]}
Pass "{account[1]}"
SSLType None

MaildirStore local
Path {self.local.root}/
Inbox {self.local.root}/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Both
Remove Both
Expunge Both
CopyArrivalDate yes
SyncState {folder}/state/
""")


class OfflineImap:
    """It is told to have the names in UTF-8."""

    name = "offlineimap"

    def __init__(self, path, server, account, folder):
        self.local = LocalMail(folder / "mail")
        self.line = [path, "-c", folder / "offlineimaprc", "-o", "-u", "basic"]
        self.environment = dict(os.environ, HOME=str(folder), LC_ALL="C.UTF-8")
        (folder / "offlineimaprc").write_text(f"""[general]
accounts = test
metadata = {folder}/metadata
fsync = False

[Account test]
localrepository = local
remoterepository = remote
utf8foldernames = yes

[Repository local]
type = Maildir
localfolders = {self.local.root}
sep = /

[Repository remote]
type = IMAP
remotehost = 127.0.0.1
remoteport = {server.ports["imap"]}
remoteuser = {account[0]}
remotepass = {account[1]}
ssl = no
starttls = no
auth_mechanisms = PLAIN
""")


class Client:
    """Called, it makes both sides the same; `local` is the client's side, with mailboxes named as the server names them."""

    def __init__(self, made):
        self.made, self.local = made, made.local
        self.local.names = UTF8 if isinstance(made, OfflineImap) else {}

    def __call__(self):
        self.local.backdate()
        done = subprocess.run([str(part) for part in self.made.line], capture_output=True, text=True, timeout=50,
                              env=self.made.environment)
        said = done.stdout + done.stderr
        assert done.returncode == 0 and not re.search(r"(?i)\b(error|warning)\b", said), said


@pytest.fixture(params=["mbsync", pytest.param("offlineimap", marks=pytest.mark.heavy)])
def sync(request, program, server, account, base_folder):
    kind = {"mbsync": Mbsync, "offlineimap": OfflineImap}[request.param]
    return Client(kind(program(request.param), server, account, base_folder))


only_mbsync = pytest.mark.parametrize("sync", ["mbsync"], indirect=True)


class Remote:
    """The server's side."""

    def __init__(self, wire):
        self.wire = wire

    def add(self, token, mailbox="INBOX", flags="", **more):
        self.wire.append(message(token), mailbox, flags, **more)

    def tokens(self, mailbox="INBOX"):
        """{token: flags} of the messages; the flags are Maildir's letters."""
        found = {}
        for items in self.wire.fetch_all("FLAGS BODY.PEEK[]", mailbox).values():
            token = re.search(rb"This is ([^.]*)\.", items["BODY[]"])[1].decode()
            assert token not in found, f"{token} is in {mailbox} twice"
            found[token] = "".join(sorted(letter for letter, flag in LETTERS.items() if flag in items["FLAGS"]))
        return found

    def uid(self, token):
        return next(uid for uid, items in self.wire.fetch_all("BODY.PEEK[]").items() if f"This is {token}.".encode() in items["BODY[]"])

    def flag(self, token, change, mailbox="INBOX"):
        self.wire.select(mailbox)
        self.wire.command(f"UID STORE {self.uid(token)} {change}")

    def remove(self, token, mailbox="INBOX"):
        self.flag(token, r"+FLAGS.SILENT (\Deleted)", mailbox)
        self.wire.command("EXPUNGE")

    def state(self):
        """Changes when anything does."""
        self.wire.command("UNSELECT", None)
        return [(name, self.wire.status(name, "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ MAILBOXID"))
                for name in self.wire.mailboxes()]


@pytest.fixture
def remote(imap):
    return Remote(imap)


def assert_same(sync, remote):
    """Both sides hold the same, and another run changes neither."""
    assert sync.local.mailboxes() == remote.wire.mailboxes()
    for name in sync.local.mailboxes():
        assert sync.local.tokens(name) == remote.tokens(name), name
    before = sync.local.snapshot(), remote.state()
    sync()
    assert (sync.local.snapshot(), remote.state()) == before


def test_the_first_run(sync, remote):
    for name in NAMES:
        remote.wire.command(f"CREATE {quoted(name)}", None)
    remote.add("inbox")
    remote.add("deep", MARCH, r"\Seen \Flagged")
    remote.add("japanese", JAPANESE, r"\Answered")
    remote.add("odd", ODD, r"\Draft")
    sync()
    assert set(NAMES) < set(sync.local.mailboxes())
    assert sync.local.tokens(MARCH) == {"deep": "FS"} and sync.local.tokens(JAPANESE) == {"japanese": "R"}
    assert_same(sync, remote)


def test_mailboxes_and_letters_made_here(sync, remote):
    sync()
    for name in NAMES:
        sync.local.create(name)
    sync.local.add(message("deep"), MARCH, "FS")
    sync.local.add(message("japanese"), JAPANESE)
    sync.local.add(message("plain"))
    sync()
    assert set(NAMES) < set(remote.wire.mailboxes())
    assert remote.tokens(MARCH) == {"deep": "FS"} and remote.tokens(JAPANESE) == {"japanese": ""}
    assert_same(sync, remote)


def test_flags(sync, remote):
    for token in ("one", "two", "three", "four", "five"):
        remote.add(token)
    remote.flag("five", r"+FLAGS (\Seen \Flagged)")
    sync()
    sync.local.flag("one", "S")
    sync.local.flag("two", "FRS")
    remote.flag("three", r"+FLAGS (\Answered)")
    sync.local.flag("four", "S")
    remote.flag("four", r"+FLAGS (\Flagged)")
    sync.local.flag("five", "S")
    sync()
    assert remote.tokens() == {"one": "S", "two": "FRS", "three": "R", "four": "FS", "five": "S"}
    remote.flag("two", r"FLAGS ()")
    sync()
    assert sync.local.tokens()["two"] == ""
    assert_same(sync, remote)


def test_what_is_deleted(sync, remote):
    remote.wire.command(f"CREATE {quoted(JAPANESE)}")
    for name in ("INBOX", JAPANESE):
        for token in ("one", "two", "three", "four"):
            remote.add(token, name)
    sync()
    for name in ("INBOX", JAPANESE):
        sync.local.remove("one", name)
        remote.remove("three", name)
    sync()
    assert list(remote.tokens()) == list(remote.tokens(JAPANESE)) == ["two", "four"]
    assert_same(sync, remote)


@only_mbsync
def test_what_is_marked_deleted(sync, remote):
    """`Expunge Both`."""
    for token in ("one", "two", "three"):
        remote.add(token)
    sync()
    sync.local.flag("one", "ST")
    remote.flag("two", r"+FLAGS (\Deleted)")
    sync()
    assert list(remote.tokens()) == ["three"]
    assert_same(sync, remote)


def test_letters_moved(sync, remote):
    """Here from folder to folder; there by MOVE and COPY."""
    for token in ("one", "two", "three"):
        remote.add(token)
    sync()
    sync.local.add(sync.local.find("one").read_bytes(), "Archive", "S")
    sync.local.remove("one")
    remote.wire.select()
    remote.wire.command(f"UID MOVE {remote.uid('two')} Archive")
    remote.wire.command(f"UID COPY {remote.uid('three')} Archive")
    sync()
    assert set(remote.tokens()) == {"three"} and set(remote.tokens("Archive")) == {"one", "two", "three"}
    assert_same(sync, remote)


def test_both_sides_at_once(sync, remote):
    remote.add("one")
    sync()
    for number in range(10):
        remote.add(f"far-{number}")
        sync.local.add(message(f"near-{number}", 3000), flags="S" if number % 2 else "")
    remote.wire.command("CREATE Ours/Far")
    sync.local.create("Ours")
    sync.local.create("Ours/Near")
    sync.local.add(message("nested"), "Ours/Near")
    sync()
    assert len(remote.tokens()) == 21
    assert {"Ours/Far", "Ours/Near"} <= set(sync.local.mailboxes())
    assert_same(sync, remote)


@only_mbsync
def test_dates(sync, remote):
    """INTERNALDATE is the file's time, either way."""
    remote.add("there", date=" 1-Mar-2021 10:00:00 +0000")
    sync()
    assert sync.local.find("there").stat().st_mtime == 1614592800
    sync.local.add(message("here"))
    os.utime(sync.local.find("here"), (1614592800, 1614592800))
    sync()
    dates = {items["INTERNALDATE"] for items in remote.wire.fetch_all("INTERNALDATE", "INBOX").values()}
    assert len(dates) == 1 and "Mar-2021" in dates.pop()


@only_mbsync
def test_mailboxes_that_are_gone(sync, remote):
    """`Remove Both`: what was deleted on one side, and is empty, goes on the other."""
    for name in ("Away", "Home", "Home/Below"):
        remote.wire.command(f"CREATE {name}")
    sync()
    assert {"Away", "Home", "Home/Below"} <= set(sync.local.mailboxes())
    remote.wire.command("DELETE Away")
    shutil.rmtree(sync.local.root / "Home/Below")
    sync()
    assert "Away" not in sync.local.mailboxes()
    assert "Home/Below" not in remote.wire.mailboxes() and "Home" in remote.wire.mailboxes()
    assert_same(sync, remote)


@only_mbsync
@pytest.mark.heavy
def test_a_thousand_letters(sync, remote):
    for start in range(0, 1000, 100):
        letters = [message(f"number-{number:04}").decode() for number in range(start, start + 100)]
        remote.wire.command("APPEND INBOX" + "".join(f" {{{len(each)}+}}\r\n{each}" for each in letters))
    sync()
    files = {re.search(rb"This is (.*)\.", path.read_bytes())[1].decode(): path for path in sync.local.files()}
    assert len(files) == 1000
    for number in range(0, 1000, 10):
        path = files[f"number-{number:04}"]
        if number % 20:
            path.rename(path.parent.parent / "cur" / (path.name.partition(":2,")[0] + ":2,S"))
        else:
            path.unlink()
    sync()
    left = remote.tokens()
    assert len(left) == 950 and sum(flags == "S" for flags in left.values()) == 50
    assert_same(sync, remote)
