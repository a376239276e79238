"""What clients were promised, and when: the measure for a state after a power cut.

A client's command is sent at one number of recorded operations and answered at a later one. Before the first nothing
of it may be there, from the second on all of it must be, and between them either will do.
"""

import re
from dataclasses import dataclass, field

from support.messages import without_trace
from support.wire import ImapWire


@dataclass
class Fact:
    value: object
    sent: int
    answered: int
    made: bool = False  # a mailbox that was not there before, under another name either


@dataclass
class Exchange:
    """A REPLACE: while it was under way, the message or the one in its place was there, not both and not neither."""
    account: str
    old: tuple  # (mailbox, uid)
    new: tuple  # (mailbox, token)
    sent: int
    answered: int


@dataclass
class Promises:
    """facts[key] is the history of one thing. Keys and their values:

    ("mailbox", account, name)        UIDVALIDITY, or None when it is not there. One that was being made may have
                                      another that no mailbox had: nobody was told of the first
    ("subscribed", account, name)     True or False
    ("message", account, mailbox, uid) (text's token, frozenset of flags), or None
    ("copies", account, token)        how many messages with this token the account has
    """
    now: object
    facts: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)  # token -> the message's octets
    highest: list = field(default_factory=list)  # (account, mailbox, uid, answered)
    exchanges: list = field(default_factory=list)

    def told(self, key, value, sent):
        self.facts.setdefault(key, []).append(Fact(value, sent, self.now()))

    def one_of_two(self, account, old, new, sent):
        self.exchanges.append(Exchange(account, old, new, sent, self.now()))

    def possible(self, key, cut, absent=None):
        """The values that the thing may have after a cut."""
        values = [absent]
        for fact in self.facts.get(key, ()):
            if fact.answered <= cut:
                values = [fact.value]
            elif fact.sent <= cut:
                values.append(fact.value)
        return values

    def certain_before(self, cut):
        return sum(fact.answered <= cut for history in self.facts.values() for fact in history)

    def check(self, server, accounts, cut):
        """Every account's mail as the server shows it, against what was promised by `cut`."""
        wrong = []
        for account in accounts:
            found = Found(server, account)
            wrong += self._check_mailboxes(account[0], found, cut)
            wrong += self._check_messages(account[0], found, cut)
            wrong += self._check_exchanges(account[0], found, cut)
        return wrong

    def _of(self, kind, account):
        return [key for key in self.facts if key[:2] == (kind, account)]

    def _check_mailboxes(self, account, found, cut):
        wrong = []
        for key in self._of("mailbox", account):
            actual, possible = found.mailboxes.get(key[2], (None, 0))[0], self.possible(key, cut)
            being_made = any(fact.made and fact.sent <= cut < fact.answered for fact in self.facts[key])
            if actual not in possible and not (being_made and actual not in self._validities(account, cut)):
                wrong.append(f"{key}: UIDVALIDITY {actual}, promised {possible}")
        for key in self._of("subscribed", account):
            actual, possible = key[2] in found.subscribed, self.possible(key, cut, False)
            if actual not in possible:
                wrong.append(f"{key}: {actual}, promised {possible}")
        for owner, mailbox, uid, answered in self.highest:
            if owner == account and answered <= cut and mailbox in found.mailboxes:
                if self.possible(("mailbox", account, mailbox), cut) == [found.mailboxes[mailbox][0]] \
                        and found.mailboxes[mailbox][1] <= uid:
                    wrong.append(f"{mailbox}: UIDNEXT {found.mailboxes[mailbox][1]} after UID {uid} was told")
        return wrong

    def _validities(self, account, cut):
        return {fact.value for key in self._of("mailbox", account) for fact in self.facts[key] if fact.answered <= cut}

    def _check_messages(self, account, found, cut):
        wrong = []
        for key in self._of("message", account):
            actual, possible = found.messages.get(key[2:]), self.possible(key, cut)
            if actual not in possible:
                wrong.append(f"{key}: {actual}, promised {possible}")
        for key in self._of("copies", account):
            actual, possible = found.copies.get(key[2], 0), self.possible(key, cut, 0)
            if not min(possible) <= actual <= max(possible):
                wrong.append(f"{key}: {actual}, promised {possible}")
        for token, text in found.texts:
            if token not in self.texts:
                wrong.append(f"a message that nobody sent: {text[:200]!r}")
            elif text != self.texts[token] and not without_trace(text, self.texts[token]):
                wrong.append(f"the octets of {token} are not what was sent: {len(text)}, {text[-200:]!r}")
        return wrong


    def _check_exchanges(self, account, found, cut):
        wrong = []
        for exchange in self.exchanges:
            if exchange.account != account or not exchange.sent <= cut < exchange.answered:
                continue
            has_old = exchange.old in found.messages
            has_new = any((mailbox, token) == exchange.new for (mailbox, _), (token, _) in found.messages.items())
            if has_old == has_new:
                wrong.append(f"{'both' if has_old else 'none'} of {exchange.old} and {exchange.new} in its place")
        return wrong


class Found:
    """All that one account shows over IMAP."""

    def __init__(self, server, account):
        self.mailboxes, self.messages, self.copies, self.texts = {}, {}, {}, []
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            self.subscribed = set(client.subscriptions())
            for name in client.mailboxes():
                answer = client.command(f'EXAMINE "{name}"')
                self.mailboxes[name] = (int(answer.code_value("UIDVALIDITY")), int(answer.code_value("UIDNEXT")))
                for uid, items in client.fetch_all("FLAGS BODY.PEEK[]").items():
                    text = items["BODY[]"]
                    matched = re.search(rb"Message-ID: <([^@>]+)@", text)
                    token = matched.group(1).decode() if matched else ""
                    flags = frozenset(items["FLAGS"]) - {r"\Recent"}
                    self.messages[name, uid] = (token, flags)
                    self.copies[token] = self.copies.get(token, 0) + 1
                    self.texts.append((token, text))
