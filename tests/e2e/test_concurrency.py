"""Several sessions of one mailbox at once (RFC 3501 §5.2, §5.5, §7.4.1), and change that is pushed."""

import random
import statistics
import threading
import time

import pytest

from support.messages import bodies, message
from support.server import is_sanitized
from support.wire import ImapWire, SmtpWire

pytestmark = pytest.mark.sanitized
# Commands during which no EXPUNGE may come, for the sequence numbers in them would change their meaning.
NUMBERED = ("FETCH", "STORE", "SEARCH")


@pytest.fixture
def sessions(server, account):
    opened = []

    def make(count=2, mailbox="INBOX"):
        for _ in range(count):
            client = ImapWire(server)
            client.greeting()
            client.login(*account)
            if mailbox:
                client.select(mailbox)
            opened.append(client)
        return opened[-count:] if count > 1 else opened[-1]

    yield make
    for client in opened:
        client.close()


class View:
    """A session's sequence numbers as it was told of them: the list of UIDs, by position."""

    def __init__(self, client):
        self.client = client
        self.uids = []
        self.refresh()

    def refresh(self):
        """Asks for all anew; what is told beside the answer, before and after it, counts too."""
        self.uids = []
        for response in self.client.command("UID FETCH 1:* (UID)").untagged:
            if response.kind == "EXPUNGE":
                del self.uids[response.number - 1:response.number]
            elif response.kind in ("EXISTS", "FETCH"):
                self.uids += [None] * (response.number - len(self.uids))
                if response.kind == "FETCH":
                    self.uids[response.number - 1] = response.value.get("UID", self.uids[response.number - 1])

    def take(self, answer, command):
        for response in answer.untagged:
            if response.kind == "EXPUNGE":
                assert not command.startswith(NUMBERED), f"an EXPUNGE during {command}"
                assert 1 <= response.number <= len(self.uids)
                del self.uids[response.number - 1]
            elif response.kind == "EXISTS":
                assert response.number >= len(self.uids), "EXISTS never takes messages away"
                self.uids += [None] * (response.number - len(self.uids))
            elif response.kind == "FETCH":
                assert 1 <= response.number <= len(self.uids)
                if "UID" in response.value:
                    known = self.uids[response.number - 1]
                    assert known in (None, response.value["UID"]), f"number {response.number} was UID {known}"
                    self.uids[response.number - 1] = response.value["UID"]

    def command(self, command, status="OK"):
        answer = self.client.command(command, status)
        self.take(answer, command)
        return answer


def test_an_expunge_waits_for_a_command_that_may_tell_it(sessions):
    one, two = sessions()
    for number in range(4):
        one.append(message(f"wait-{number}"))
    one.command("NOOP")
    two.command("NOOP")
    one.command(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    one.command("EXPUNGE")
    time.sleep(0.2)
    for command in ("FETCH 1:4 FLAGS", "FETCH 3 UID", r"STORE 4 +FLAGS (\Seen)", "SEARCH ALL"):
        answer = two.command(command)
        assert not answer.of("EXPUNGE"), command
    assert two.command("FETCH 4 UID").fetched()[4]["UID"] == 4, "numbers stay until the EXPUNGE is told"
    assert two.command("FETCH 2 UID").status == "OK"
    answer = two.command("NOOP")
    assert [response.number for response in answer.of("EXPUNGE")] == [2]
    assert two.command("FETCH 3 UID").fetched()[3]["UID"] == 4


def test_uid_commands_may_tell_an_expunge(sessions):
    one, two = sessions()
    for number in range(3):
        one.append(message(f"uid-{number}"))
    two.command("NOOP")
    one.command("NOOP")
    one.command(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    one.command("EXPUNGE")
    view = View.__new__(View)
    view.client, view.uids = two, [1, 2, 3]
    view.command("UID FETCH 1:* FLAGS")
    view.command("NOOP")
    assert view.uids == [2, 3]


def test_flags_are_told_to_the_others(sessions):
    one, two = sessions()
    one.append(message("flagged"))
    one.command("NOOP")
    two.command("NOOP")
    one.command(r"STORE 1 +FLAGS (\Flagged label)")
    told = two.command("NOOP").fetched()[1]["FLAGS"]
    assert {r"\Flagged", "label"} <= set(told)
    tag = two.idle()
    one.command(r"STORE 1 -FLAGS (\Flagged)")
    response, _ = two.wait_for("FETCH")
    assert r"\Flagged" not in response.value["FLAGS"]
    two.done(tag)


def test_new_keywords_are_told_in_flags(sessions):
    """RFC 3501 §7.2.6: before a FETCH names a flag, FLAGS has told it."""
    one, two = sessions()
    one.append(message("keyword"))
    two.command("NOOP")
    one.command("NOOP")
    one.command("STORE 1 +FLAGS (brandnew)")
    answer = two.command("NOOP")
    assert any("brandnew" in response.value for response in answer.of("FLAGS"))


def test_a_mailbox_deleted_under_a_session(sessions):
    one, two = sessions(2, None)
    one.command("CREATE Doomed")
    one.append(message("doomed"), "Doomed")
    two.select("Doomed")
    one.command("DELETE Doomed")
    two.start("NOOP")
    two.start("FETCH 1 BODY.PEEK[]")
    two.start("LOGOUT")
    assert b"* BYE" in two.rest(), "answered or ended, but not broken"


def test_a_mailbox_renamed_under_a_session(sessions):
    one, two = sessions(2, None)
    one.command("CREATE Before")
    one.append(message("renamed"), "Before")
    two.select("Before")
    one.command("RENAME Before After")
    two.start("FETCH 1 BODY.PEEK[]")
    two.start("LOGOUT")
    assert message("renamed") in (rest := two.rest()) or b" NO " in rest or b"* BYE" in rest
    assert one.status("After", "MESSAGES") == {"MESSAGES": 1}


def test_a_fetch_of_what_another_session_expunged(sessions):
    """RFC 2180 §4.1: the command may say NO, or leave it out; the session lives on with the right numbers."""
    one, two = sessions()
    for number in range(3):
        one.append(message(f"expunged-{number}"))
    one.command("NOOP")
    two.command("NOOP")
    one.command(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    one.command("EXPUNGE")
    answer = two.command("FETCH 1:3 (UID BODY.PEEK[])", None)
    assert answer.status in ("OK", "NO")
    fetched = answer.fetched()
    assert fetched.get(1, {}).get("BODY[]", message("expunged-0")) == message("expunged-0")
    assert fetched.get(3, {}).get("BODY[]", message("expunged-2")) == message("expunged-2")
    assert [r.number for r in two.command("NOOP").of("EXPUNGE")] == [2]


@pytest.mark.limit(100)
@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.heavy)])
def test_many_sessions_at_random(server, account, sessions, seconds):
    """Six IMAP sessions and two SMTP clients on one mailbox: each keeps a true picture of its numbers."""
    clients = sessions(6)
    for number in range(30):
        clients[0].append(message(f"start-{number}"))
    stop = time.monotonic() + seconds
    errors, delivered, appended = [], [], []

    def guarded(doing, *arguments):
        try:
            doing(*arguments)
        except BaseException as error:
            errors.append(error)

    def read(client, seed):
        chance = random.Random(seed)
        view = View(client)
        while time.monotonic() < stop and not errors:
            most = max(1, len(view.uids))
            number, other = chance.randint(1, most), chance.randint(1, most)
            if not view.uids:
                view.command("NOOP")
                continue
            command = chance.choice([
                f"FETCH {number}:{other} (UID FLAGS)", f"FETCH {number} (UID BODY.PEEK[HEADER])", "SEARCH UNSEEN",
                rf"STORE {number} +FLAGS (\Seen)", rf"STORE {other} -FLAGS.SILENT (\Seen)", "NOOP", "NOOP", "CHECK",
                f"UID FETCH {max((u for u in view.uids if u), default=1)}:* (UID FLAGS)", "UID SEARCH ALL",
                rf"STORE {number} +FLAGS.SILENT (\Deleted)", "EXPUNGE", f"COPY {number} Archive"])
            if command == "EXPUNGE" and len(view.uids) < 10:
                continue
            view.command(command, None if command.startswith(("COPY", "FETCH", "STORE")) else "OK")
        view.command("NOOP")
        view.command("NOOP")
        truth = sorted(client.command("UID FETCH 1:* (UID)").by_uid())
        assert None in view.uids or len(view.uids) <= len(truth)

    def deliver(name):
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            number = 0
            while time.monotonic() < stop and not errors:
                client.deliver(message(f"{name}-{number}"), account[0])
                delivered.append(f"{name}-{number}")
                number += 1
                time.sleep(0.01)

    threads = [threading.Thread(target=guarded, args=(read, client, seed)) for seed, client in enumerate(clients)]
    threads += [threading.Thread(target=guarded, args=(deliver, f"smtp{n}")) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    final = sessions(1)
    numbered = final.command("FETCH 1:* (UID FLAGS)").fetched()
    assert sorted(numbered) == list(range(1, len(numbered) + 1))
    uids = [numbered[n]["UID"] for n in sorted(numbered)]
    assert uids == sorted(set(uids))
    assert not appended


def test_idle_hears_of_a_delivery_within_milliseconds(server, account, imap, smtp):
    """Decision 9: change is pushed."""
    imap.select()
    tag = imap.idle()
    smtp.ehlo()
    delays = []
    for number in range(15):
        smtp.deliver(message(f"push-{number}"), account[0])
        began = time.monotonic()
        response, _ = imap.wait_for("EXISTS")
        delays.append(time.monotonic() - began)
        assert response.number == number + 1
    imap.done(tag)
    assert statistics.median(delays) < (0.5 if is_sanitized() else 0.1), delays


def test_idle_in_twenty_sessions(server, account, sessions, smtp):
    clients = sessions(20)
    tags = [client.idle() for client in clients]
    smtp.ehlo()
    smtp.deliver(message("for all"), account[0])
    for client, tag in zip(clients, tags, strict=True):
        assert client.wait_for("EXISTS")[0].number == 1
        client.done(tag)


def test_a_long_fetch_does_not_hold_up_the_others(server, account, sessions, smtp):
    """Readers don't block the writer, and nobody blocks the loop."""
    slow, other = sessions()
    for number in range(3):
        slow.append(message(f"long-{number}", 5_000_000))
    slow.command("NOOP")
    other.command("NOOP")
    tag = slow.start("FETCH 1:3 (BODY.PEEK[])")
    smtp.ehlo()
    began = time.monotonic()
    smtp.deliver(message("meanwhile"), account[0])
    other.command(r"STORE 1 +FLAGS (\Seen)")
    assert time.monotonic() - began < (5 if is_sanitized() else 1)
    assert len(slow.finish(tag).fetched()) == 3


def test_concurrent_appends_and_deliveries_all_count(server, account):
    def append(name):
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            for number in range(20):
                client.append(message(f"{name}-{number}"))

    def deliver(name):
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            for number in range(20):
                client.deliver(message(f"{name}-{number}"), account[0])

    threads = [threading.Thread(target=kind, args=(f"{kind.__name__}{n}",)) for kind in (append, deliver) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = bodies(server, account)
    assert len(found) == 160 and len({text.split(b"Message-ID: ")[1].split(b"\r\n")[0] for text in found}) == 160
