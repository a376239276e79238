"""CONDSTORE, QRESYNC (RFC 7162) and OBJECTID (RFC 8474): a client that comes back sees what the server has."""

import os
import random

import pytest

from support.messages import message
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized

FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded", "Work")


def ranges(numbers):
    """A set in the shortest form."""
    parts = []
    for number in sorted(numbers):
        if parts and parts[-1][1] + 1 == number:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}:{last}" for first, last in parts)


def connect(server, account):
    client = ImapWire(server)
    client.greeting()
    client.login(*account)
    return client


class Cache:
    """What a disconnected client keeps of a mailbox, and how it keeps that up to date (RFC 7162 §6)."""

    def __init__(self, server, account, chance):
        self.server, self.account, self.chance = server, account, chance
        self.validity = self.modseq = 0
        self.flags = {}       # by UID
        self.numbers = []     # UIDs by sequence number, None where not known; while connected
        self.client = None

    def connect(self):
        self.client = connect(self.server, self.account)
        assert self.client.command("ENABLE QRESYNC").of("ENABLED")[0].value == ["QRESYNC"]
        known = set(self.flags)
        parameters = f"{self.validity} {self.modseq}"
        kind = self.chance.choice(["plain", "known", "match"]) if known else "plain"
        if kind != "plain":
            parameters += f" {ranges(known)}"
        if kind == "match":
            uids = sorted(known)
            numbers = sorted(self.chance.sample(range(1, len(uids) + 1), self.chance.randint(1, len(uids))))
            parameters += f" ({ranges(numbers)} {ranges(uids[n - 1] for n in numbers)})"
        select = f"SELECT INBOX (QRESYNC ({parameters}))" if self.modseq else "SELECT INBOX"
        answer = self.client.command(select)
        assert int(answer.code_value("UIDVALIDITY")) == self.validity or not self.validity
        self.validity = int(answer.code_value("UIDVALIDITY"))
        before = set(self.flags)
        self.numbers = [None] * answer.of("EXISTS")[0].number
        self.take(answer, selecting=True)
        # RFC 7162 §3.2.6: of what it asked for, and nothing that is there.
        for response in answer.of("VANISHED"):
            assert response.value[0] and (kind == "plain" or set(response.value[1]) <= before)
        self.fetch_new()

    def take(self, answer, selecting=False):
        highest = 0
        for response in answer.untagged:
            if response.kind == "VANISHED":
                earlier, uids = response.value
                for uid in uids:
                    self.flags.pop(uid, None)
                    if not earlier:
                        # It refers to messages that this client was told of (§3.2.10.2).
                        assert uid in self.numbers or None in self.numbers
                        self.numbers.remove(uid if uid in self.numbers else None)
            elif response.kind == "EXPUNGE":
                raise AssertionError("EXPUNGE although QRESYNC is enabled")
            elif response.kind == "EXISTS" and not selecting:
                assert response.number >= len(self.numbers)
                self.numbers += [None] * (response.number - len(self.numbers))
            elif response.kind == "FETCH" and {"FLAGS", "UID"} <= set(response.value):
                self.numbers[response.number - 1] = response.value["UID"]
                self.flags[response.value["UID"]] = frozenset(response.value["FLAGS"]) - {"\\Recent"}
            if response.kind == "FETCH" and "MODSEQ" in response.value:
                highest = max(highest, response.value["MODSEQ"])
        said = answer.code_value("HIGHESTMODSEQ")
        if answer.code and answer.code.startswith("HIGHESTMODSEQ "):
            said = answer.code.split(" ")[1]
        self.modseq = max(self.modseq, int(said) if said else highest)

    def fetch_new(self):
        first = max(self.flags, default=0) + 1
        self.take(self.client.command(f"UID FETCH {first}:* (FLAGS MODSEQ)"))
        # A client that was told of no UIDs asks for all.
        if None in self.numbers:
            self.take(self.client.command("UID FETCH 1:* (FLAGS MODSEQ)"))

    def work(self):
        """A command, as it is done while others change the mailbox."""
        pick = self.chance.random()
        count = len(self.numbers)
        if pick < 0.3 or not count:
            answer = self.client.command("NOOP")
        elif pick < 0.6:
            answer = self.client.command(f"FETCH {self.chance.randint(1, count)} (UID FLAGS MODSEQ)", None)
        elif pick < 0.8:
            answer = self.client.command(f"STORE {self.chance.randint(1, count)} (UNCHANGEDSINCE {self.modseq}) "
                                         f"+FLAGS ({self.chance.choice(FLAGS)})", None)
        else:
            answer = self.client.command("EXPUNGE")
        self.take(answer)

    def leave(self):
        self.client.close()
        self.client = None

    def equals(self, truth):
        mine = {uid: set(flags) for uid, flags in self.flags.items()}
        assert mine == truth


class Other:
    """Somebody else who works in the same mailbox, without any of the extensions."""

    def __init__(self, server, account, chance):
        self.chance = chance
        self.client = connect(server, account)
        self.client.select()

    def uids(self):
        return sorted(self.client.fetch_all("UID"))

    def step(self):
        uids = self.uids()
        some = ranges(self.chance.sample(uids, self.chance.randint(1, min(4, len(uids))))) if uids else ""
        pick = self.chance.random()
        if pick < 0.35 or not some:
            self.client.append(message("more"), flags=self.chance.choice(("", "\\Seen", "Work")))
        elif pick < 0.75:
            sign = self.chance.choice(("+", "-", ""))
            self.client.command(f"UID STORE {some} {sign}FLAGS.SILENT ({self.chance.choice(FLAGS)})", None)
        elif pick < 0.85:
            self.client.command(f"UID MOVE {some} Archive", None)
        else:
            self.client.command(f"UID STORE {some} +FLAGS.SILENT (\\Deleted)", None)
            self.client.command("EXPUNGE")

    def truth(self):
        self.client.command("NOOP")
        return {uid: set(items["FLAGS"]) - {"\\Recent"} for uid, items in self.client.fetch_all("FLAGS").items()}


def reconnect_again_and_again(server, account, rounds, each_round=lambda number: None):
    seed = int(os.environ.get("POSTHORN_SEED", random.SystemRandom().randrange(1 << 32)))
    print("POSTHORN_SEED", seed)
    chance = random.Random(seed)
    others = [Other(server, account, chance) for _ in range(2)]
    caches = [Cache(server, account, chance) for _ in range(2)]
    for number in range(rounds):
        for _ in range(chance.randint(0, 6)):
            chance.choice(others).step()
        each_round(number)
        cache = chance.choice(caches)
        cache.connect()
        cache.equals(others[0].truth())
        for _ in range(chance.randint(0, 5)):
            chance.choice(others).step()
            cache.work()
        cache.leave()
    for cache in caches:
        cache.connect()
        cache.equals(others[0].truth())


@pytest.mark.limit(240)
def test_a_client_that_comes_back_sees_what_the_server_has(server, account):
    """RFC 7162 §3.2.5, §6: after random changes by others, and random ends of the connection."""
    reconnect_again_and_again(server, account, 40)


@pytest.mark.limit(240)
def test_the_same_where_the_index_is_lost_now_and_then(server, account):
    """RFC 7162 §3.2.6: what is not remembered is told to have vanished, if it is not there."""

    def lose(number):
        if number % 5 == 4:
            server.index(account[0]).unlink(missing_ok=True)

    reconnect_again_and_again(server, account, 25, lose)


def test_ids(server, account, imap):
    """RFC 8474 §4, §5.1."""
    created = imap.command("CREATE foo").code
    assert created.startswith("MAILBOXID (") and created.endswith(")")
    imap.append(message("one"), mailbox="foo")
    imap.select("foo")
    imap.command("COPY 1 INBOX")
    here = imap.command("FETCH 1 EMAILID").fetched()[1]["EMAILID"]
    imap.command("RENAME foo bar")
    assert f"MAILBOXID {imap.select('bar').code_value('MAILBOXID')}" == created
    imap.select()
    assert imap.command("FETCH 1 EMAILID").fetched()[1]["EMAILID"] == here


def test_a_conditional_store_between_two_clients(server, account, imap):
    """RFC 7162 §3.1.3."""
    for number in range(3):
        imap.append(message(str(number)))
    answer = imap.command("SELECT INBOX (CONDSTORE)")
    modseq = int(answer.code_value("HIGHESTMODSEQ"))
    with connect(server, account) as other:
        other.select()
        other.command("STORE 2 +FLAGS (\\Flagged)")
    stored = imap.command(f"STORE 1:3 (UNCHANGEDSINCE {modseq}) FLAGS (\\Seen)")
    assert stored.code == "MODIFIED 2"
    found = stored.fetched()
    assert {"\\Seen"} == set(found[1]["FLAGS"]) - {"\\Recent"} and "\\Flagged" in found[2]["FLAGS"]
    assert all(items["MODSEQ"] > modseq and items["UID"] == number for number, items in found.items())
