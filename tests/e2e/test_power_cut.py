"""The power is cut between any two operations on the disk: every promise made by then is kept.

A workload runs on the real binary under tests/support/record_io.cpp. For cuts at random points, each in a state that
a disk could hold then (support/power_cut.py), the server starts on that state, and all that was acknowledged is there.
"""

import collections
import concurrent.futures
import itertools
import os
import random
import re
import shutil
import threading

import pytest

from support import recording
from support.messages import message
from support.power_cut import Disk
from support.promises import Promises
from support.server import DOMAIN, Server, folder, free_port, hand_over, is_sanitized
from support.wire import ImapWire, SmtpWire

ALICE, BOB, CAROL, DAVE = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol", "dave"))
FLAGS = (r"\Seen", r"\Flagged", r"\Answered", r"\Deleted", "label", "$Forwarded")
# More cuts near the ends of commands, where an answer that leaves too early shows.
AFTER_AN_ANSWER = 0.6

pytestmark = [pytest.mark.skipif(recording.library() is None, reason="librecord_io.so is not built"),
              pytest.mark.skipif(is_sanitized(), reason="a sanitizer's runtime and the recorder exclude each other")]


def deliver(server, promises, name, count, recipients):
    """One SMTP client; the messages go to INBOX."""
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        for number in range(count):
            token = f"{name}-{number}"
            promises.texts[token] = message(token, 200 + number * 1500 % 9000)
            sent = promises.now()
            client.deliver(promises.texts[token], *recipients)
            for account in recipients:
                promises.told(("copies", account, token), 1, sent)


class Worker:
    """One IMAP client that does a random thing at a time to its own account, and notes what it was promised."""

    def __init__(self, server, promises, account, password, seed):
        self.promises, self.account = promises, account
        self.chance = random.Random(seed)
        self.client = ImapWire(server)
        self.client.greeting()
        self.client.login(account, password)
        self.number = 0
        self.validity = {name: self.client.status(name, "UIDVALIDITY")["UIDVALIDITY"] for name in self.client.mailboxes()}
        self.held = collections.defaultdict(dict)  # mailbox -> {uid: (token, flags)}
        self.copies = collections.Counter()
        self.subscribed = set(self.client.subscriptions())
        # There before the record began.
        before = {("mailbox", account, name): validity for name, validity in self.validity.items()}
        before |= {("subscribed", account, name): True for name in self.subscribed}
        for key, value in before.items():
            promises.told(key, value, 0)
            promises.facts[key][-1].answered = 0

    def run(self, steps):
        doings = [self.append] * 6 + [self.store] * 5 + [self.copy] * 3 + [self.move] * 3 + [self.expunge] * 2 + \
                 [self.replace] * 4 + \
                 [self.create, self.rename, self.delete, self.subscribe, self.subscribe, self.rename_inbox]
        for _ in range(steps):
            self.chance.choice(doings)()
        self.client.close()

    # Each does one command; `told` comes right after the answer.

    def told(self, sent, **changes):
        for (kind, *rest), value in changes["facts"].items():
            self.promises.told((kind, self.account, *rest), value, sent)

    def pick(self):
        """(mailbox, some of its UIDs), selected; or None."""
        filled = [name for name, held in self.held.items() if held]
        if not filled:
            return None
        name = self.chance.choice(filled)
        self.client.select(name)
        uids = sorted(self.held[name])
        return name, sorted(self.chance.sample(uids, self.chance.randint(1, min(3, len(uids)))))

    def fresh_message(self):
        """(token, octets, flags) of a message that nobody has seen."""
        self.number += 1
        token = f"{self.account.partition('@')[0]}-{self.number}"
        text = self.promises.texts[token] = message(token, self.chance.randrange(200, 4000))
        return token, text, frozenset(self.chance.sample(FLAGS[:3], self.chance.randint(0, 2)))

    def append(self):
        token, text, flags = self.fresh_message()
        name = self.chance.choice(sorted(self.validity))
        sent = self.promises.now()
        answer = self.client.append(text, name, " ".join(flags))
        uid = int(re.fullmatch(r"APPENDUID \d+ (\d+)", answer.code).group(1))
        self.held[name][uid] = (token, flags)
        self.copies[token] = 1
        self.told(sent, facts={("message", name, uid): (token, flags), ("copies", token): 1})
        self.promises.highest.append((self.account, name, uid, self.promises.now()))

    def replace(self):
        if not (picked := self.pick()):
            return
        name, [uid, *_] = picked
        token, text, flags = self.fresh_message()
        target = name if self.chance.random() < 0.7 else self.chance.choice(sorted(self.validity))
        sent = self.promises.now()
        answer = self.client.uid_replace(uid, text, target, " ".join(flags))
        new = int(answer.code_value("APPENDUID").split(" ")[1])
        old, _ = self.held[name].pop(uid)
        self.held[target][new] = (token, flags)
        self.copies[old] -= 1
        self.copies[token] = 1
        self.told(sent, facts={("message", name, uid): None, ("message", target, new): (token, flags),
                               ("copies", old): self.copies[old], ("copies", token): 1})
        self.promises.one_of_two(self.account, (name, uid), (target, token), sent)
        self.promises.highest.append((self.account, target, new, self.promises.now()))

    def store(self):
        if not (picked := self.pick()):
            return
        name, uids = picked
        flag, sign = self.chance.choice(FLAGS), self.chance.choice("+-")
        sent = self.promises.now()
        self.client.command(f"UID STORE {','.join(map(str, uids))} {sign}FLAGS ({flag})")
        for uid in uids:
            token, flags = self.held[name][uid]
            self.held[name][uid] = (token, flags | {flag} if sign == "+" else flags - {flag})
        self.told(sent, facts={("message", name, uid): self.held[name][uid] for uid in uids})

    def copied(self, picked, command):
        name, uids = picked
        target = self.chance.choice(sorted(self.validity))
        sent = self.promises.now()
        answer = self.client.command(f'{command} {",".join(map(str, uids))} "{target}"')
        value = answer.code_value("COPYUID") or answer.code.partition(" ")[2]
        _, old, new = value.split(" ")
        facts = {}
        for uid, other in zip(numbers(old), numbers(new), strict=True):
            self.held[target][other] = self.held[name][uid]
            facts["message", target, other] = self.held[name][uid]
            self.promises.highest.append((self.account, target, other, self.promises.now()))
        return name, target, uids, sent, facts

    def copy(self):
        if not (picked := self.pick()):
            return
        name, _, uids, sent, facts = self.copied(picked, "UID COPY")
        for uid in uids:
            token = self.held[name][uid][0]
            self.copies[token] += 1
            facts["copies", token] = self.copies[token]
        self.told(sent, facts=facts)

    def move(self):
        if not (picked := self.pick()):
            return
        name, _, uids, sent, facts = self.copied(picked, "UID MOVE")
        tokens = {self.held[name][uid][0] for uid in uids}
        for uid in uids:
            del self.held[name][uid]
            facts["message", name, uid] = None
        # On the way both may be there, never neither.
        for token in tokens:
            self.promises.told(("copies", self.account, token), self.copies[token] + len(uids), sent)
        self.told(sent, facts=facts | {("copies", token): self.copies[token] for token in tokens})

    def expunge(self):
        if not (picked := self.pick()):
            return
        name, uids = picked
        listed = ",".join(map(str, uids))
        sent = self.promises.now()
        self.client.command(rf"UID STORE {listed} +FLAGS.SILENT (\Deleted)")
        for uid in uids:
            token, flags = self.held[name][uid]
            self.held[name][uid] = (token, flags | {r"\Deleted"})
        self.told(sent, facts={("message", name, uid): self.held[name][uid] for uid in uids})
        sent = self.promises.now()
        self.client.command(f"UID EXPUNGE {listed}")
        facts = {}
        for uid in uids:
            token, _ = self.held[name].pop(uid)
            self.copies[token] -= 1
            facts["message", name, uid] = None
            facts["copies", token] = self.copies[token]
        self.told(sent, facts=facts)

    def fresh_name(self):
        self.number += 1
        parent = self.chance.choice(["", "Tree/", "Tree/deep/"])
        return f"{parent}box {self.number}"

    def note_mailboxes(self, sent):
        """What is there now: parents may have been made, children moved."""
        answered = self.promises.now()
        names = self.client.mailboxes()
        found = {name: self.client.status(name, "UIDVALIDITY")["UIDVALIDITY"] for name in names}
        for name in sorted(set(self.validity) | set(found)):
            if self.validity.get(name) != found.get(name):
                key = ("mailbox", self.account, name)
                self.promises.told(key, found.get(name), sent)
                fact = self.promises.facts[key][-1]
                fact.answered = answered
                fact.made = fact.value is not None and fact.value not in self.validity.values()
        self.validity = found

    def create(self):
        sent = self.promises.now()
        self.client.command(f'CREATE "{self.fresh_name()}"')
        self.note_mailboxes(sent)

    def rename(self):
        names = [name for name in self.validity if "box" in name]
        if not names:
            return
        old, new = self.chance.choice(names), self.fresh_name()
        self.client.command("UNSELECT", None)
        sent = self.promises.now()
        self.client.command(f'RENAME "{old}" "{new}"')
        facts = {}
        for name in [name for name in self.held if name == old or name.startswith(old + "/")]:
            target = new + name[len(old):]
            for uid, value in self.held.pop(name).items():
                self.held[target][uid] = value
                facts["message", name, uid], facts["message", target, uid] = None, value
        self.told(sent, facts=facts)
        self.note_mailboxes(sent)

    def rename_inbox(self):
        if not self.held["INBOX"]:
            return
        new = self.fresh_name()
        self.client.command("UNSELECT", None)
        sent = self.promises.now()
        self.client.command(f'RENAME INBOX "{new}"')
        answered = self.promises.now()
        self.client.select(new)
        shown = self.client.command("UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])").by_uid()
        places = collections.defaultdict(list)
        for uid, items in sorted(shown.items()):
            places[items["BODY[HEADER.FIELDS (MESSAGE-ID)]"].split(b"<")[1].split(b"@")[0].decode()].append(uid)
        facts = {}
        for uid, value in sorted(self.held.pop("INBOX").items()):
            other = places[value[0]].pop(0)
            self.held[new][other] = value
            facts["message", "INBOX", uid], facts["message", new, other] = None, value
        self.told(sent, facts=facts)
        for kind, *rest in facts:
            self.promises.facts[kind, self.account, *rest][-1].answered = answered
        self.note_mailboxes(sent)

    def delete(self):
        names = [name for name in self.validity if "box" in name]
        if not names:
            return
        name = self.chance.choice(names)
        self.client.command("UNSELECT", None)
        sent = self.promises.now()
        self.client.command(f'DELETE "{name}"')
        facts = {}
        for uid, (token, _) in self.held.pop(name, {}).items():
            self.copies[token] -= 1
            facts["message", name, uid] = None
            facts["copies", token] = self.copies[token]
        self.told(sent, facts=facts)
        self.note_mailboxes(sent)

    def subscribe(self):
        name = self.chance.choice(sorted(self.validity))
        verb = "UNSUBSCRIBE" if name in self.subscribed else "SUBSCRIBE"
        self.subscribed ^= {name}
        sent = self.promises.now()
        self.client.command(f'{verb} "{name}"')
        self.told(sent, facts={("subscribed", name): verb == "SUBSCRIBE"})


def numbers(text):
    """[1, 2, 3, 7] of "1:3,7"."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


def record(base, seed):
    """Runs the workload; (the server, its operations, the promises). The data as it was stays in `before`."""
    server = Server(base)
    for name in (ALICE, BOB, CAROL, DAVE):
        server.add_account(name)
    # The accounts' folders are there before the record begins.
    server.start()
    for account in server.accounts.items():
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            client.mailboxes()
    server.stop()
    log = recording.Recording(base, server.data)
    server.environment |= log.environment
    shutil.copytree(server.data, base / "before", ignore=shutil.ignore_patterns("*.sock"))
    server.start()
    promises = Promises(log.now)
    workers = [Worker(server, promises, name, server.accounts[name], seed + index)
               for index, name in enumerate((BOB, CAROL))]
    errors = []

    def guarded(doing, *arguments):
        try:
            doing(*arguments)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(worker.run, 90)) for worker in workers]
    threads += [threading.Thread(target=guarded, args=(deliver, server, promises, f"letter{index}", 30, recipients))
                for index, recipients in enumerate(([ALICE], [ALICE], [ALICE, DAVE]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.stop()
    if errors:
        raise errors[0]
    return server, list(log.operations()), promises


def contents(root):
    """Every file but SQLite's shared memory: {path: octets}."""
    return {path.relative_to(root): path.read_bytes() for path in sorted(root.rglob("*"))
            if path.is_file() and not path.name.endswith("-shm")}


def start_on(state, original, name, promises, cut):
    """Starts a server on a state and compares; what is wrong."""
    server = Server.__new__(Server)
    server.__dict__.update(original.__dict__)
    server.process, server.environment = None, dict(os.environ)
    server.base = state.parent
    server.data = state
    server.config_file = state.parent / f"{name}.toml"
    server.log_file = state.parent / f"{name}.log"
    server.ports = {"imap": free_port()}
    server.settings = {table: dict(keys) for table, keys in original.settings.items()}
    server.settings["server"]["data"] = str(state)
    server.settings["listen"] = {"imap": [f"127.0.0.1:{server.ports['imap']}"]}
    server.write_config()
    hand_over(state)
    try:
        server.start()
        wrong = promises.check(server, list(original.accounts.items()), cut)
        server.stop()
        return wrong
    except (AssertionError, OSError) as error:
        return [f"{type(error).__name__}: {error}"]
    finally:
        server.kill()
        server.config_file.unlink(missing_ok=True)


class Recorded:
    """The workload's record, made once: several tests cut the power in it."""

    def __init__(self, base):
        self.seed = int(os.environ.get("POSTHORN_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
        self.base = base
        self.original, self.operations, self.promises = record(base, self.seed)
        self.answers = sorted({fact.answered for history in self.promises.facts.values() for fact in history})
        self.states = itertools.count()

    def point(self, chance):
        if chance.random() < AFTER_AN_ANSWER:
            return chance.choice(self.answers)
        return chance.randrange(len(self.operations) + 1)

    def failures(self, cuts, left_out=()):
        """Cuts the power so often, as if operations of the kinds `left_out` had never been; what was lost."""
        chance, failures = random.Random(self.seed), []
        disk = Disk(self.base / "before", self.original.data)

        def examine(state, cut, how):
            wrong = start_on(state, self.original, state.name, self.promises, cut)
            shutil.rmtree(state)
            if wrong:
                around = [f"{index}: {item.kind.name} {item.path or item.file} {item.path2} {len(item.payload)}"
                          for index, item in list(enumerate(self.operations, 1))[max(0, cut - 25):cut]]
                failures.append((cut, how, wrong, around))

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            waiting = collections.deque()
            for cut in sorted(self.point(chance) for _ in range(cuts)):
                self.follow(disk, cut, left_out)
                state = self.base / f"state{next(self.states)}"
                how = disk.state(chance, state)
                waiting.append(pool.submit(examine, state, cut, how))
                if len(waiting) > 4:
                    waiting.popleft().result()
            for job in waiting:
                job.result()
        return failures

    def follow(self, disk, cut, left_out=()):
        for operation in self.operations[disk.operations:cut]:
            if operation.kind in left_out:
                disk.operations += 1
            else:
                disk.follow(operation)


@pytest.fixture(scope="module")
def recorded():
    with folder() as base:
        made = Recorded(base)
        print("POSTHORN_TEST_SEED =", made.seed)
        yield made


@pytest.mark.limit(150)
def test_the_record_is_complete(recorded):
    """The state with everything kept is the real folder: nothing was written past the recorder."""
    disk = Disk(recorded.base / "before", recorded.original.data)
    recorded.follow(disk, len(recorded.operations))
    disk.whole(recorded.base / "whole")
    whole, real = contents(recorded.base / "whole"), contents(recorded.original.data)
    assert whole.keys() == real.keys()
    assert whole == real


@pytest.mark.parametrize("cuts", [pytest.param(300, marks=pytest.mark.limit(500)),
                                  pytest.param(1500, marks=[pytest.mark.heavy, pytest.mark.limit(2000)])])
def test_every_promise_survives_a_power_cut(recorded, cuts):
    failures = recorded.failures(cuts)
    told = "\n\n".join(f"cut at {cut} of {len(recorded.operations)}, {how}:\n  " + "\n  ".join(wrong[:8]) + "\n    last: "
                       + "\n    ".join(around) for cut, how, wrong, around in sorted(failures)[:4])
    assert not failures, f"POSTHORN_TEST_SEED={recorded.seed}: {len(failures)} of {cuts} cuts lose something:\n{told}"


@pytest.mark.limit(120)
def test_without_its_syncs_the_same_work_would_be_lost(recorded):
    """That the test above can fail."""
    assert recorded.failures(12, left_out=(recording.Kind.SYNC,))
