"""UIDONLY (RFC 9586) on the real server, with QRESYNC, CONDSTORE, COMPRESS, SEARCHRES, PARTIAL and IMAP4rev2."""

import random

import pytest

from support.deflated import compress
from support.messages import message
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized

FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded")


def connect(server, account, *capabilities):
    client = ImapWire(server)
    client.greeting()
    client.login(*account)
    if capabilities:
        assert set(client.enable(*capabilities)) >= {name.upper() for name in capabilities}
    return client


def uidfetch(answer):
    """{uid: items} of UIDFETCH responses; there are no others about messages."""
    assert not answer.of("FETCH") and not answer.of("EXPUNGE")
    found = {}
    for response in answer.of("UIDFETCH"):
        found.setdefault(response.number, {}).update(response.value)
    return found


def vanished(answer):
    return sorted(uid for response in answer.of("VANISHED") for uid in response.value[1])


@pytest.fixture
def mailbox(server, account):
    """UIDs 3 to 6 in INBOX."""
    with connect(server, account, "UIDONLY") as client:
        for number in range(6):
            client.append(message(f"m{number}"))
        client.select()
        client.command(r"UID STORE 1:2 +FLAGS.SILENT (\Deleted)")
        assert vanished(client.command("EXPUNGE")) == [1, 2]
        yield client


def test_capability(imap):
    assert "UIDONLY" in imap.command("CAPABILITY").of("CAPABILITY")[0].value


@pytest.mark.parametrize("command", ["FETCH 1 UID", "FETCH $ UID", r"STORE 1 +FLAGS (\Seen)", "COPY 1 Archive",
                                     "MOVE 1 Archive", "SEARCH ALL", "UID SEARCH 1:*", "UID SEARCH NOT (SEEN 1)",
                                     "REPLACE 1 INBOX {1}"])
def test_sequence_numbers_are_refused(mailbox, command):
    """§3.2, §3.5."""
    assert mailbox.command(command, "BAD").code == "UIDREQUIRED"
    assert mailbox.status("INBOX", "MESSAGES") == {"MESSAGES": 4}


def test_by_uid(mailbox):
    """§3.3 to §3.6."""
    answer = mailbox.select()
    assert answer.of("EXISTS")[0].number == 4 and answer.code_value("UNSEEN") is None
    assert uidfetch(mailbox.command("UID FETCH 1:* FLAGS")) == {uid: {"FLAGS": []} for uid in range(3, 7)}
    assert uidfetch(mailbox.command("UID FETCH 5 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")) == {
        5: {"UID": 5, "BODY[HEADER.FIELDS (SUBJECT)]": b"Subject: test m4\r\n\r\n"}}
    assert uidfetch(mailbox.command(r"UID STORE 3,5 +FLAGS (\Flagged)")) == {
        3: {"FLAGS": ["\\Flagged"]}, 5: {"FLAGS": ["\\Flagged"]}}
    mailbox.command("UID SEARCH RETURN (SAVE) FLAGGED")
    assert sorted(uidfetch(mailbox.command("UID FETCH $ (FLAGS) (PARTIAL -1:-1)"))) == [5]
    moved = mailbox.command("UID MOVE $ Archive")
    assert vanished(moved) == [3, 5] and moved.code_value("COPYUID").split(" ")[1:] == ["3,5", "1:2"]


def test_what_others_do_is_told_by_uid(server, account, mailbox):
    with connect(server, account) as other:
        other.select()
        tag = mailbox.idle()
        other.command(r"STORE 2 +FLAGS (\Deleted)")
        response, _ = mailbox.wait_for("UIDFETCH")
        assert (response.number, set(response.value["FLAGS"])) == (4, {"\\Deleted", "\\Recent"})
        other.command("EXPUNGE")
        assert mailbox.wait_for("VANISHED")[0].value == (False, [4])
        other.append(message("new"))
        assert mailbox.wait_for("EXISTS")[0].number == 4
        mailbox.done(tag)


def test_match_data_is_refused(server, account, mailbox):
    """§3.7."""
    validity = mailbox.select().code_value("UIDVALIDITY")
    with connect(server, account, "UIDONLY", "QRESYNC") as client:
        assert client.command(f"SELECT INBOX (QRESYNC ({validity} 1 1:9 (1 3)))", "BAD").code == "UIDREQUIRED"
        client.command(f"SELECT INBOX (QRESYNC ({validity} 1 1:9))")


class Cache:
    """A client that comes back with what it knows by UID alone, never by number."""

    def __init__(self, server, account, more, compress):
        self.server, self.account, self.compress = server, account, compress
        self.capabilities = ("UIDONLY", "QRESYNC", *more)
        self.validity, self.modseq, self.exists = None, 0, 0
        self.flags = {}
        self.client = None

    def connect(self):
        self.client = connect(self.server, self.account, *self.capabilities)
        if self.compress:
            compress(self.client)
        known = f" 1:{max(self.flags)}" if self.flags else ""
        resync = f" (QRESYNC ({self.validity} {self.modseq}{known}))" if self.modseq else ""
        answer = self.client.command("SELECT INBOX" + resync)
        self.validity = answer.code_value("UIDVALIDITY")
        self.exists = 0
        self.take(answer, selecting=True)
        self.fetch_new()

    def take(self, answer, selecting=False):
        assert not answer.of("FETCH") and not answer.of("EXPUNGE")
        for response in answer.untagged:
            if response.kind == "VANISHED":
                earlier, uids = response.value
                assert earlier == selecting
                for uid in uids:
                    self.flags.pop(uid, None)
                if not earlier:
                    self.exists -= len(uids)
            elif response.kind == "EXISTS":
                self.exists = response.number
            elif response.kind == "UIDFETCH" and "FLAGS" in response.value:
                assert "UID" not in response.value
                self.flags[response.number] = set(response.value["FLAGS"]) - {"\\Recent"}
                self.modseq = max(self.modseq, response.value["MODSEQ"])
        name, _, value = (answer.code or "").partition(" ")
        highest = value if name == "HIGHESTMODSEQ" else answer.code_value("HIGHESTMODSEQ")
        self.modseq = max(self.modseq, int(highest or 0))

    def fetch_new(self):
        first = max(self.flags, default=0) + 1
        self.take(self.client.command(f"UID FETCH {first}:* (FLAGS MODSEQ)"))

    def command(self, line, status="OK"):
        self.take(self.client.command(line, status))

    def check(self):
        self.command("NOOP")
        self.fetch_new()
        found = uidfetch(self.client.command("UID FETCH 1:* FLAGS")) if self.flags else {}
        assert {uid: set(items["FLAGS"]) - {"\\Recent"} for uid, items in found.items()} == self.flags
        assert self.exists == len(self.flags)


@pytest.mark.parametrize("more, compress", [((), False), ((), True), (("IMAP4rev2",), True)],
                         ids=["alone", "compressed", "IMAP4rev2, compressed"])
def test_the_view_of_one_that_comes_back(server, account, more, compress):
    """QRESYNC and UIDONLY: after random changes by another, the client's view is the server's."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    cache = Cache(server, account, more, compress)
    with connect(server, account) as other:
        for number in range(10):
            other.append(message(f"m{number}"))
        other.select()
        for _ in range(8):
            cache.connect()
            for step in range(12):
                client = chance.choice([other, cache])
                uid = chance.randint(1, 30)
                flag = chance.choice(FLAGS)
                line = chance.choice([f"UID STORE {uid} {chance.choice('+-')}FLAGS ({flag})",
                                      f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)", "EXPUNGE", "NOOP",
                                      f"UID EXPUNGE {uid}:*", f"UID MOVE {uid} Archive", f"UID COPY {uid} INBOX"])
                if "SILENT" in line and client is cache:
                    line = line.replace(".SILENT", "")
                client.command(line, None)  # NO [EXPUNGEISSUED], where the other was first
                if step % 4 == 3:
                    cache.check()
            cache.client.close()
            for _ in range(4):
                other.append(message("more"))
                other.command(f"UID STORE {chance.randint(1, 40)} +FLAGS ({chance.choice(FLAGS)})")
                other.command(chance.choice(["EXPUNGE", "NOOP"]))
        cache.connect()
        cache.check()
        cache.client.close()
