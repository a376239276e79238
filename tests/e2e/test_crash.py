"""kill -9 in the middle of everything: what was answered with 250 is there exactly once, and UIDs are never reused."""

import random
import threading
import time

import pytest

from support.messages import message
from support.server import DOMAIN, Server, folder
from support.wire import ImapWire, SmtpWire

pytestmark = pytest.mark.sanitized
CONNECTIONS = 10
DELIVERIES = 500
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


class Deliveries:
    """Ten clients that deliver numbered messages until all are through or the server is gone."""

    def __init__(self):
        self.lock = threading.Lock()
        self.left = list(range(DELIVERIES))
        self.acknowledged = set()
        self.attempts = {}  # number -> how often it was sent

    def take(self):
        with self.lock:
            if not self.left:
                return None
            number = self.left.pop()
            self.attempts[number] = self.attempts.get(number, 0) + 1
            return number

    def run(self, server):
        number = None
        try:
            with SmtpWire(server) as client:
                client.greeting()
                client.ehlo()
                while (number := self.take()) is not None:
                    recipients = [ALICE, BOB] if number % 5 == 0 else [ALICE]
                    client.deliver(message(f"crash-{number}", 300 + number * 37 % 6000), *recipients)
                    with self.lock:
                        self.acknowledged.add(number)
                    number = None
        except (OSError, AssertionError):
            # The server is gone; its answer may be lost, so the message is sent again.
            if number is not None:
                with self.lock:
                    self.left.append(number)

    def start(self, server):
        threads = [threading.Thread(target=self.run, args=(server,)) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        return threads


def watch(server, account, seen, stop):
    """Notes each UID and the message that it was shown for."""
    try:
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            client.select()
            known = 0
            while not stop.is_set():
                client.command("NOOP")
                answer = client.command(f"UID FETCH {known + 1}:* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
                for uid, items in answer.by_uid().items():
                    seen[uid] = items["BODY[HEADER.FIELDS (MESSAGE-ID)]"]
                    known = max(known, uid)
    except (OSError, AssertionError):
        pass


def numbers_of(found):
    return [int(items["BODY[HEADER.FIELDS (MESSAGE-ID)]"].split(b"crash-")[1].split(b"@")[0]) for items in found.values()]


@pytest.mark.limit(150)
@pytest.mark.parametrize("kills", [8, pytest.param(60, marks=pytest.mark.heavy)])
def test_kill_during_500_deliveries(kills):
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    deliveries = Deliveries()
    with folder() as base:
        server = Server(base, {"log": {"level": "info"}})
        try:
            accounts = {name: server.add_account(name) for name in (ALICE, BOB)}
            validity, seen = {}, {name: {} for name in accounts}
            for _ in range(kills):
                server.start()
                stop = threading.Event()
                threads = deliveries.start(server)
                threads += [threading.Thread(target=watch, args=(server, accounts[name], seen[name], stop)) for name in accounts]
                for thread in threads[CONNECTIONS:]:
                    thread.start()
                time.sleep(chance.uniform(0.01, 8 / kills * 0.25))
                server.kill()
                stop.set()
                for thread in threads:
                    thread.join()
                server.start()
                check(server, accounts, deliveries, seen, validity)
                server.kill() if chance.random() < 0.5 else server.stop()
            server.start()
            for thread in deliveries.start(server):
                thread.join()
            assert len(deliveries.acknowledged) == DELIVERIES
            check(server, accounts, deliveries, seen, validity)
            for name in accounts:
                assert list((server.maildir(name) / "tmp").iterdir()) == [], "left-over files are mended away"
            server.stop()
        finally:
            server.kill()


def check(server, accounts, deliveries, seen, validity):
    for name, account in accounts.items():
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            selected = client.select()
            found = client.command("UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)] BODY.PEEK[])").by_uid()
            uid_validity = int(selected.code_value("UIDVALIDITY"))
            uid_next = int(selected.code_value("UIDNEXT"))
        assert validity.setdefault(name, uid_validity) == uid_validity
        numbers = numbers_of(found)
        wanted = {n for n in deliveries.acknowledged if name == ALICE or n % 5 == 0}
        assert wanted <= set(numbers), f"lost: {sorted(wanted - set(numbers))}"
        for number in numbers:
            most = deliveries.attempts[number]
            assert 1 <= numbers.count(number) <= most, f"{number} is there {numbers.count(number)} times after {most} attempts"
        for uid, items in found.items():
            number = int(items["BODY[HEADER.FIELDS (MESSAGE-ID)]"].split(b"crash-")[1].split(b"@")[0])
            assert items["BODY[]"].endswith(message(f"crash-{number}", 300 + number * 37 % 6000)), "a broken message"
        for uid, head in seen[name].items():
            assert uid in found and found[uid]["BODY[HEADER.FIELDS (MESSAGE-ID)]"] == head, f"UID {uid} changed its message"
        seen[name].update({uid: items["BODY[HEADER.FIELDS (MESSAGE-ID)]"] for uid, items in found.items()})
        assert uid_next > max(seen[name], default=0)


class Drafts:
    """A client that replaces its only message again and again, from mailbox to mailbox."""

    def __init__(self):
        self.answered = None  # (mailbox, token) of the message that an OK stands for
        self.under_way = None
        self.number = 0

    def run(self, server, account, chance):
        try:
            with ImapWire(server) as client:
                client.greeting()
                client.login(*account)
                while True:
                    name, _ = self.answered
                    client.select(name)
                    [uid] = client.fetch_all("UID")
                    for _ in range(chance.randint(1, 8)):
                        self.number += 1
                        target = chance.choice(["Drafts", "Drafts", "Sent"])
                        self.under_way = (target, f"draft-{self.number}")
                        answer = client.uid_replace(uid, message(self.under_way[1], 300 + self.number % 5000), target, r"\Draft")
                        self.answered = self.under_way
                        uid = int(answer.code_value("APPENDUID").split(" ")[1])
                        if target != name:
                            break
        except OSError:
            pass


@pytest.mark.limit(150)
@pytest.mark.parametrize("kills", [12, pytest.param(80, marks=pytest.mark.heavy)])
def test_kill_during_replace(kills):
    """RFC 8508 §3.4: never both messages, never none; of a REPLACE that was answered, the new one."""
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    with folder() as base:
        server = Server(base)
        try:
            account = server.add_account(ALICE)
            server.start()
            with ImapWire(server) as client:
                client.greeting()
                client.login(*account)
                client.append(message("draft-0", 300), "Drafts")
            drafts = Drafts()
            drafts.answered = drafts.under_way = ("Drafts", "draft-0")
            for _ in range(kills):
                worker = threading.Thread(target=drafts.run, args=(server, account, chance))
                worker.start()
                time.sleep(chance.uniform(0.02, 0.3))
                server.kill()
                worker.join()
                if chance.random() < 0.3:
                    for path in server.account_folder(ALICE).glob("index.sqlite*"):
                        path.unlink()
                server.start()
                found = found_drafts(server, account)
                assert found in ([drafts.answered], [drafts.under_way]), f"{found}, answered {drafts.answered}"
                drafts.answered = drafts.under_way = found[0]
            assert drafts.number > kills
            server.stop()
            assert list((server.account_folder(ALICE) / "replacing").iterdir()) == []
        finally:
            server.kill()


def found_drafts(server, account):
    found = []
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for name in ("Drafts", "Sent"):
            for items in client.fetch_all("BODY.PEEK[]", name).values():
                token = items["BODY[]"].split(b"Message-ID: <")[1].split(b"@")[0].decode()
                found.append((name, token))
    return found
