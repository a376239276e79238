"""The Maildir alone suffices, and other programs may work in it (design.md, decisions 6 and 8)."""

import os
import shutil
import sqlite3
import time

import pytest

from support.messages import bodies, message, read_all
from support.server import DOMAIN, hand_over
from support.wire import ImapWire, PopWire, SmtpWire

pytestmark = pytest.mark.sanitized
SOON = 5.0


def fill(server, account):
    """An account with a bit of everything."""
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for number in range(8):
            client.append(message(f"fill-{number}"), date=f"{number + 1:2}-Mar-2021 10:00:00 +0000")
        client.command("CREATE Work/deep")
        client.command('CREATE "a.b &- c"')
        client.append(message("work"), "Work/deep", r"\Flagged $Label1 Custom")
        client.append(message("odd"), "a.b &- c", r"\Answered")
        client.select()
        client.command(r"STORE 1,3 +FLAGS (\Seen)")
        client.command(r"STORE 2 +FLAGS (\Flagged kw1 kw2 \Draft)")
        client.command(" ".join(["STORE 4 +FLAGS ("] + [f"many{n}" for n in range(40)] + [")"]).replace("( ", "(").replace(" )", ")"))
        client.command(r"STORE 5,8 +FLAGS.SILENT (\Deleted)")
        client.command("EXPUNGE")
        client.command("COPY 1 Archive")
        client.command("MOVE 2 Sent")
        client.command("SUBSCRIBE Work/deep")
        client.command("SUBSCRIBE Sent")
        client.command("SUBSCRIBE gone/before")


def snapshot(server, account):
    """All that a client is shown: mailboxes with UIDVALIDITY, UIDNEXT, UIDs, flags, dates and texts; subscriptions."""
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        found = {"subscribed": client.subscriptions()}
        listed = {r.value[2]: sorted(r.value[0]) for r in client.command('LIST "" "*"').of("LIST")}
        for name in client.mailboxes():
            answer = client.command(f'EXAMINE "{name}"')
            items = client.fetch_all("FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]")
            found[name] = (listed[name], answer.code_value("UIDVALIDITY"), answer.code_value("UIDNEXT"),
                           {uid: (sorted(set(i["FLAGS"]) - {r"\Recent"}), i["INTERNALDATE"], i["RFC822.SIZE"], i["BODY[]"])
                            for uid, i in items.items()})
    return found


def remove(index):
    for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
        index.with_name(name).unlink(missing_ok=True)


def rubbish(index):
    for name in ("index.sqlite", "index.sqlite-wal"):
        path = index.with_name(name)
        if path.exists():
            size = max(path.stat().st_size, 8192)
            path.write_bytes(os.urandom(size))
            hand_over(path)


def empty(index):
    for name in ("index.sqlite", "index.sqlite-wal"):
        if index.with_name(name).exists():
            os.truncate(index.with_name(name), 0)


def half(index):
    """Rubbish after a good first page, as a bad disk leaves it."""
    with open(index, "r+b") as file:
        size = index.stat().st_size
        file.seek(4096)
        file.write(os.urandom(max(0, size - 4096)))
    index.with_name("index.sqlite-wal").unlink(missing_ok=True)


DAMAGES = [remove, rubbish, empty, half]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_index_damaged_while_stopped(own, damage):
    server = own(accounts=[f"alice@{DOMAIN}"])
    account = (f"alice@{DOMAIN}", server.accounts[f"alice@{DOMAIN}"])
    fill(server, account)
    before = snapshot(server, account)
    server.stop()
    damage(server.index(account[0]))
    server.start()
    assert snapshot(server, account) == before
    assert sqlite3.connect(server.index(account[0])).execute("PRAGMA quick_check").fetchone() == ("ok",)


@pytest.mark.parametrize("damage", [remove, rubbish], ids=lambda damage: damage.__name__)
def test_index_damaged_while_running(server, account, damage):
    fill(server, account)
    before = snapshot(server, account)
    time.sleep(2.5)  # names follow flags within 2 s
    damage(server.index(account[0]))
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("after"), "Junk")
    after = snapshot(server, account)
    assert [text[3] for text in after.pop("Junk")[3].values()] == [message("after")]
    before.pop("Junk")
    assert after == before


def test_index_deleted_under_an_open_session(server, account):
    fill(server, account)
    before = snapshot(server, account)
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.select()
        time.sleep(2.5)
        remove(server.index(account[0]))
        with SmtpWire(server) as smtp:
            smtp.greeting()
            smtp.ehlo()
            smtp.deliver(message("delivered after the loss"), account[0])
        client.command("NOOP")
        uids = sorted(client.command("UID FETCH 1:* (UID)").by_uid())
    known = sorted(before["INBOX"][3])
    assert uids[:-1] == known and uids[-1] >= int(before["INBOX"][2])
    after = snapshot(server, account)
    assert {uid: after["INBOX"][3][uid] for uid in known} == before["INBOX"][3]
    assert {name: value for name, value in after.items() if name != "INBOX"} == \
        {name: value for name, value in before.items() if name != "INBOX"}


def test_expunged_uids_do_not_come_back_with_a_new_index(own):
    server = own(accounts=[f"alice@{DOMAIN}"])
    account = (f"alice@{DOMAIN}", server.accounts[f"alice@{DOMAIN}"])
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for number in range(3):
            client.append(message(f"gone-{number}"))
        client.select()
        client.command(r"STORE 1:* +FLAGS.SILENT (\Deleted)")
        client.command("EXPUNGE")
    server.stop()
    remove(server.index(account[0]))
    server.start()
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        assert client.append(message("new")).code.endswith(" 4")


def foreign(server, account, name, data, part="new", mailbox="INBOX"):
    """Puts a file into the Maildir as another program does: written in tmp/, renamed."""
    root = server.maildir(account[0], mailbox)
    written = root / "tmp" / name
    written.write_bytes(data)
    hand_over(written)
    written.rename(root / part / name)


def wait_for(condition, seconds=SOON):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "not seen in time"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("part, name, flags", [
    ("new", "1700000000.M1P1.elsewhere", set()),
    ("cur", "1700000000.M1P1.elsewhere:2,FS", {r"\Flagged", r"\Seen"}),
    ("cur", "1700000000.M1P1.elsewhere:2,", set()),
    ("cur", "odd name without a colon", set()),
    ("new", "1700000000.M1P1.elsewhere,U=1,S=99999", set())])
def test_a_foreign_file_is_taken_in_without_a_restart(server, account, imap, part, name, flags):
    imap.append(message("own"))
    imap.select()
    foreign(server, account, name, message("foreign"), part)

    def there():
        imap.command("NOOP")
        found = imap.fetch_all("FLAGS RFC822.SIZE BODY.PEEK[]")
        return found if len(found) == 2 else None

    found = wait_for(there)
    assert sorted(found) == [1, 2]
    assert found[2]["BODY[]"] == message("foreign") and found[2]["RFC822.SIZE"] == len(message("foreign"))
    assert set(found[2]["FLAGS"]) - {r"\Recent"} == flags
    assert found[1]["BODY[]"] == message("own")


def test_a_foreign_file_is_pushed_to_idle(server, account, imap):
    imap.select()
    tag = imap.idle()
    foreign(server, account, "1700000000.pushed.elsewhere", message("foreign"))
    response, _ = imap.wait_for("EXISTS", SOON)
    assert response.number == 1
    imap.done(tag)


def test_a_foreign_file_is_there_for_the_next_pop3_login(server, account):
    read_all(server, account)  # makes the folders
    foreign(server, account, "1700000000.pop.elsewhere", message("foreign"))
    with PopWire(server) as client:
        client.greeting()
        client.login(*account)
        assert client.retrieve(1) == message("foreign")


def test_a_bare_lf_file_is_served_with_crlf(server, account, imap):
    """Decision 8: a foreign file whose first line ends in bare LF is LF throughout."""
    text = (b"From: a@elsewhere.test\nSubject: unix\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\none\ntwo\n--x\n"
            b"Content-Type: text/html\n\n<p>\n--x--\n")
    foreign(server, account, "1700000000.lf.elsewhere", text)
    wanted = text.replace(b"\n", b"\r\n")
    imap.select()
    items = imap.command("FETCH 1 (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[2] BODY.PEEK[HEADER])").fetched()[1]
    assert items["BODY[]"] == wanted and items["RFC822.SIZE"] == len(wanted)
    assert items["BODY[2]"] == b"<p>" and items["BODYSTRUCTURE"].parts[0].octets == len(b"one\r\ntwo")
    assert items["BODY[HEADER]"] == wanted.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert imap.command("FETCH 1 BODY.PEEK[]<10.30>").fetched()[1]["BODY[]<10>"] == wanted[10:40]
    with PopWire(server) as client:
        client.greeting()
        client.login(*account)
        assert client.command("STAT") == f"+OK 1 {len(wanted)}"
        assert client.retrieve(1) == wanted


def message_files(server, account, mailbox="INBOX"):
    root = server.maildir(account[0], mailbox)
    return sorted(path for part in ("new", "cur") for path in (root / part).iterdir())


def test_names_of_files(server, account, imap):
    """TIME.UNIQUE.HOST,S=<size>,W=<wire size>,U=<uid>:2,<flags>"""
    imap.append(message("named"), date=" 5-Feb-2024 03:04:05 +0000")
    imap.select()
    imap.command(r"STORE 1 +FLAGS (\Seen \Flagged)")
    size = len(message("named"))
    path, = wait_for(lambda: [p for p in message_files(server, account) if p.name.endswith(":2,FS")])
    fields = path.name.split(":2,")[0].split(",")
    assert fields[0].startswith("1707102245.") and {f"S={size}", f"W={size}", "U=1"} <= set(fields[1:])
    assert path.read_bytes() == message("named")


def test_flags_changed_by_a_rename(server, account, imap):
    imap.append(message("renamed"), flags=r"\Seen keyword")
    imap.select()
    path, = wait_for(lambda: [p for p in message_files(server, account) if ":2," in p.name and "S" in p.name.split(":2,")[1]])
    base, _, letters = path.name.partition(":2,")
    keywords = "".join(letter for letter in letters if letter.islower())
    path.rename(path.parent.parent / "cur" / f"{base}:2,FR{keywords}")

    def changed():
        imap.command("NOOP")
        return set(imap.command("FETCH 1 FLAGS").fetched()[1]["FLAGS"]) - {r"\Recent"} == {r"\Flagged", r"\Answered", "keyword"}

    wait_for(changed)
    assert sorted(imap.fetch_all("BODY.PEEK[]")) == [1]


def test_a_file_removed_is_expunged(server, account, imap):
    for number in range(3):
        imap.append(message(f"removed-{number}"))
    imap.select()
    victim = next(path for path in message_files(server, account) if b"removed-1" in path.read_bytes())
    victim.unlink()

    def gone():
        return [response.number for response in imap.command("NOOP").of("EXPUNGE")]

    assert wait_for(gone) == [2]
    assert len(bodies(server, account)) == 2
    assert imap.append(message("next")).code.endswith(" 4")


def test_what_another_program_does_never_changes_uidvalidity(server, account, imap):
    before = imap.status("INBOX", "UIDVALIDITY")
    for number in range(5):
        foreign(server, account, f"170000000{number}.v.elsewhere", message(f"v-{number}"))
    wait_for(lambda: imap.status("INBOX", "MESSAGES")["MESSAGES"] == 5)
    for path in message_files(server, account):
        path.unlink()
    wait_for(lambda: imap.status("INBOX", "MESSAGES")["MESSAGES"] == 0)
    assert imap.status("INBOX", "UIDVALIDITY") == before
    assert imap.status("INBOX", "UIDNEXT") == {"UIDNEXT": 6}


def test_a_maildir_folder_made_by_another_program(server, account, imap):
    root = server.maildir(account[0], "Elsewhere/sub")
    for part in ("tmp", "new", "cur"):
        (root / part).mkdir(parents=True)
    hand_over(root)
    foreign(server, account, "1700000000.folder.elsewhere", message("in a new folder"), mailbox="Elsewhere/sub")
    wait_for(lambda: "Elsewhere/sub" in imap.mailboxes())
    assert bodies(server, account, "Elsewhere/sub") == [message("in a new folder")]


def test_an_account_moved_to_another_server(own):
    """The Maildir is handed over without its index: mailboxes, UIDs and flags come along."""
    first, second = own(accounts=[f"alice@{DOMAIN}"]), own(accounts=[f"alice@{DOMAIN}"])
    account = (f"alice@{DOMAIN}", first.accounts[f"alice@{DOMAIN}"])
    fill(first, account)
    before = snapshot(first, account)
    first.stop()
    second.stop()
    target = second.account_folder(account[0])
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copytree(first.maildir(account[0]), target / "Maildir")
    hand_over(second.data)
    second.start()
    assert snapshot(second, account) == before


def test_left_over_tmp_files_are_mended_after_a_crash(own):
    server = own(accounts=[f"alice@{DOMAIN}"])
    account = (f"alice@{DOMAIN}", server.accounts[f"alice@{DOMAIN}"])
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("before the crash"))
        server.kill()
    left = server.maildir(account[0]) / "tmp/posthorn.left.over"
    left.write_bytes(b"half a message")
    hand_over(left)
    server.start()
    assert bodies(server, account) == [message("before the crash")]
    wait_for(lambda: not left.exists())
    server.wait_log("tmp")
