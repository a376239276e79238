"""Mailboxes that several users share (RFC 4314, RFC 8440), with the real binary."""

import threading

import pytest

from support.messages import message
from support.server import DOMAIN
from support.wire import ImapWire, SmtpWire

pytestmark = pytest.mark.sanitized
ALL = "lrswipkxtecda"


class Two:
    """Ann, who shares, and Ben, with a session each."""

    def __init__(self, server):
        self.server = server
        self.ann, self.ben = server.add_account(), server.add_account()
        self.clients = [self.client(self.ann), self.client(self.ben)]
        self.box = f"Other Users/{self.ann[0]}/Box"
        self.clients[0].command("CREATE Box")

    def client(self, account):
        client = ImapWire(self.server)
        client.__enter__()
        client.greeting()
        client.login(*account)
        return client

    def share(self, rights, mailbox="Box"):
        self.clients[0].command(f'SETACL {mailbox} {self.ben[0]} "{rights}"')

    def close(self):
        for client in self.clients:
            client.__exit__(None, None, None)


@pytest.fixture
def two(server):
    made = Two(server)
    yield made
    made.close()


def test_capabilities(imap):
    offered = set(imap.command("CAPABILITY").of("CAPABILITY")[0].value)
    assert {"ACL", "RIGHTS=TEXK", "LIST-MYRIGHTS"} <= offered


def test_namespaces(imap):
    """RFC 2342 §5."""
    assert imap.command("NAMESPACE").of("NAMESPACE")


def test_nothing_is_seen_before_it_is_shared_and_after(two):
    ann, ben = two.clients
    before = ben.mailboxes()
    assert two.box not in before
    two.share("lr")
    assert two.box in ben.mailboxes()
    assert ben.command(f'MYRIGHTS "{two.box}"').of("MYRIGHTS")[0].value == (two.box, ["lr"])
    assert ann.command("GETACL Box").of("ACL")[0].value == ("Box", [two.ann[0], ALL, two.ben[0], "lr"])
    ann.command(f"DELETEACL Box {two.ben[0]}")
    assert ben.mailboxes() == before
    for command in (f'SELECT "{two.box}"', f'MYRIGHTS "{two.box}"', f'STATUS "{two.box}" (MESSAGES)',
                    f'GETACL "{two.box}"', f'DELETE "{two.box}"'):
        assert ben.command(command, "NO").code == "NONEXISTENT", command


def test_both_work_in_one_mailbox(two):
    """What one does the other hears of, in IDLE too; \\Recent is the owner's."""
    ann, ben = two.clients
    two.share("lrswite")
    ben.select(two.box)
    idle = ben.idle()
    ann.append(message("from ann"), "Box")
    assert ben.wait_for("EXISTS")[0].number == 1
    ben.done(idle)
    ben.append(message("from ben"), two.box, r"\Seen")
    ann.select("Box")
    assert len(ann.fetch_all("FLAGS")) == 2
    ben.command(r"STORE 1 +FLAGS (\Flagged $Work)")
    assert {r"\Flagged", "$Work"} <= set(ann.fetch_all("FLAGS")[1]["FLAGS"])
    ben.command(r"STORE 2 +FLAGS (\Deleted)")
    ben.command("EXPUNGE")
    ann.command("NOOP")
    assert set(ann.fetch_all("UID")) == {1}
    ben.command("MOVE 1 INBOX")
    ann.command("NOOP")
    assert ann.status("Box", "MESSAGES")["MESSAGES"] == 0
    assert ben.status("INBOX", "MESSAGES")["MESSAGES"] == 1


def test_reading_alone_changes_nothing(two):
    ann, ben = two.clients
    ann.append(message("read me"), "Box")
    two.share("lr")
    assert ben.select(two.box).code == "READ-ONLY"
    ben.command("FETCH 1 BODY[]")
    ben.command(r"STORE 1 +FLAGS (\Seen)", "NO")
    ben.command("EXPUNGE", "NO")
    ben.append(message("no"), two.box, status="NO")
    ann.select("Box")
    assert r"\Seen" not in ann.fetch_all("FLAGS")[1]["FLAGS"]


def test_a_session_that_may_not_read_any_more_ends(two):
    ann, ben = two.clients
    two.share("lr")
    ben.select(two.box)
    ben.idle()
    two.share("l")
    ann.append(message("hidden"), "Box")
    assert ben.wait_for("BYE")


def test_rights_outlast_restart_rename_and_index(own):
    server = own()
    two = Two(server)
    two.share("lrk")
    two.clients[0].command("RENAME Box Projects")
    two.clients[1].command(f'CREATE "Other Users/{two.ann[0]}/Projects/new"')
    two.close()
    server.stop()
    server.index(two.ann[0]).unlink()
    for file in server.index(two.ann[0]).parents[3].glob("shares.sqlite*"):
        file.unlink()
    server.start()
    with ImapWire(server) as ben:
        ben.greeting()
        ben.login(*two.ben)
        listed = ben.command('LIST "" "Other Users/*" RETURN (MYRIGHTS)')
        rights = {response.value[0]: response.value[1] for response in listed.of("MYRIGHTS")}
        prefix = f"Other Users/{two.ann[0]}/Projects"
        assert rights == {prefix: ["lrkc"], f"{prefix}/new": ["lrkc"]}


def test_shared_mailboxes_of_the_domain(server, imap, account):
    """Made and shared by a command of the administrator, then by whoever was given `a`."""
    name = f"News{account[0].split('@')[0]}"
    server.command("mailbox", "add", DOMAIN, name)
    assert name in server.command("mailbox", "list", DOMAIN).stdout.splitlines()
    assert f"Shared/{name}" not in imap.mailboxes()
    server.command("mailbox", "share", DOMAIN, name, account[0], "lrswipkxtea")
    server.command("mailbox", "share", DOMAIN, name, "anyone", "lr")
    assert f"Shared/{name}" in imap.mailboxes()
    imap.append(message("news"), f"Shared/{name}")
    other = server.add_account()
    with ImapWire(server) as reader:
        reader.greeting()
        reader.login(*other)
        assert reader.select(f"Shared/{name}").code == "READ-ONLY"
        assert len(reader.fetch_all("ENVELOPE")) == 1
    imap.command(f'SETACL "Shared/{name}" anyone ""')
    assert server.command("mailbox", "rights", DOMAIN, name).stdout == f"{account[0]} lrswipkxtea\n"
    server.command("mailbox", "share", DOMAIN, name, account[0], "none")
    assert f"Shared/{name}" not in imap.mailboxes()
    server.command("mailbox", "remove", DOMAIN, name)


def test_commands_that_are_refused(server, account):
    for arguments, words in ((("list", "nowhere.example"), "there is no domain"),
                             (("list", f"nobody@{DOMAIN}"), "there is no account"),
                             (("rights", account[0], "Nothing"), "there is no mailbox Nothing"),
                             (("add", account[0], "Drafts"), "already"),
                             (("share", account[0], "INBOX", "anyone", "lrQ"), "RIGHTS"),
                             (("share", account[0], "INBOX", account[0], "lr"), "owner"),
                             (("remove", account[0], "INBOX"), "INBOX")):
        assert words in server.command("mailbox", *arguments, status=1).stderr, arguments


def test_who_gets_a_name_again_gets_no_rights(two):
    two.share("lr")
    address, password = two.ben
    server = two.server
    two.clients[1].command("LOGOUT")
    server.command("account", "remove", address)
    server.command("account", "add", address, "--password-stdin", stdin=password + "\n")
    with ImapWire(server) as ben:
        ben.greeting()
        ben.login(address, password)
        assert two.box not in ben.mailboxes()


def test_many_sessions_of_two_users_lose_nothing(two):
    """Both append, copy and move at once: every message is there once in the end."""
    ann, ben = two.clients
    two.share("lrswite")

    def work(account, mailbox, count):
        client = two.client(account)
        for number in range(count):
            client.append(message(f"{account[0]} {number}"), mailbox)
        client.__exit__(None, None, None)

    threads = [threading.Thread(target=work, args=arguments)
               for arguments in ((two.ann, "Box", 10), (two.ben, two.box, 10), (two.ben, two.box, 10))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ben.select(two.box)
    ben.command("UID MOVE 1:* INBOX")
    ann.command("NOOP")
    assert ann.status("Box", "MESSAGES")["MESSAGES"] == 0
    assert ben.status("INBOX", "MESSAGES")["MESSAGES"] == 30
