"""SORT, THREAD and their RETURN (RFC 5256, 5957, 5267), against a model that looks at the messages as Python has them."""

import random

import pytest

from support.wire import ImapWire

pytestmark = pytest.mark.sanitized

PEOPLE = ["Ann", "bob", "Charlotte", "dieter", "Eve"]
SUBJECTS = ["", "alpha", "Beta", "gamma ray", "delta"]


class Letter:
    def __init__(self, number, pick):
        self.sender, self.subject = pick.choice(PEOPLE), pick.choice(SUBJECTS)
        self.minute, self.padding = pick.randrange(30), pick.randrange(500)
        self.answers = pick.randrange(number) if number and pick.random() < 0.6 else None
        self.number = number

    def octets(self):
        prefix = "Re: " if self.answers is not None else ""
        references = f"References: <{self.answers}@x.test>\r\n" if self.answers is not None else ""
        return (f"From: {self.sender.upper()} Doe <{self.sender}@x.test>\r\nTo: x@x.test\r\n"
                f"Subject: {prefix}{self.subject}\r\nDate: Sat, 07 Mar 2026 10:{self.minute:02}:00 +0000\r\n"
                f"Message-ID: <{self.number}@x.test>\r\n{references}\r\n{'x' * self.padding}\r\n").encode()


@pytest.fixture
def letters(imap):
    pick = random.Random(5256)
    letters = [Letter(number, pick) for number in range(60)]
    for letter in letters:
        imap.append(letter.octets())
    imap.select()
    return letters


KEYS = {
    "DATE": lambda letter: letter.minute,
    "SUBJECT": lambda letter: letter.subject.upper(),
    "FROM": lambda letter: letter.sender.upper(),
    "DISPLAYFROM": lambda letter: letter.sender.upper(),
    "SIZE": lambda letter: len(letter.octets()),
    "ARRIVAL": lambda letter: letter.number,
}


def told(imap, command, kind):
    found = imap.command(command).of(kind)
    assert len(found) == 1
    return found[0].value


def test_capabilities(imap):
    offered = set(imap.command("CAPABILITY").of("CAPABILITY")[0].value)
    assert {"SORT", "SORT=DISPLAY", "ESORT", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS"} <= offered


def in_order(letters, criteria):
    """Python keeps equals in their order, also where it reverses, as the RFC has it."""
    words, criteria = criteria.split(), []
    while words:
        backwards = words[0] == "REVERSE"
        criteria.append((words[backwards], backwards))
        words = words[1 + backwards:]
    for key, backwards in reversed(criteria):
        letters = sorted(letters, key=KEYS[key], reverse=backwards)
    return [letter.number + 1 for letter in letters]


@pytest.mark.parametrize("criteria", ["DATE", "SUBJECT", "REVERSE SUBJECT DATE", "FROM REVERSE SIZE", "REVERSE DISPLAYFROM",
                                      "SUBJECT FROM REVERSE DATE", "ARRIVAL"])
def test_sort_is_that_of_the_model(imap, letters, criteria):
    expected = in_order(letters, criteria)
    assert told(imap, f"SORT ({criteria}) UTF-8 ALL", "SORT") == expected
    some = [number for number in expected if 2 <= number <= 40]
    assert told(imap, f"UID SORT ({criteria}) US-ASCII UID 2:40", "SORT") == some
    answer = told(imap, f"UID SORT RETURN (MIN MAX COUNT ALL) ({criteria}) UTF-8 2:40", "ESEARCH")
    assert (answer["MIN"], answer["MAX"], answer["COUNT"], answer["ALL"]) == (some[0], some[-1], 39, some)
    answer = told(imap, f"SORT RETURN (PARTIAL -2:-5) ({criteria}) UTF-8 2:40", "ESEARCH")
    assert answer["PARTIAL"] == ("-2:-5", some[-5:-1])


def flat(threads):
    """{number: its parent, None at the top; 0 below a message that is not there}."""
    parents, open_ = {}, [(threads, None)]
    while open_:
        siblings, parent = open_.pop()
        for chain, below in siblings:
            above = parent
            for number in chain:
                parents[number], above = above, number
            open_.append((below, above if chain else 0))
    return parents


def test_threads_by_reference(imap, letters):
    """The parents are those that the letters name; of those that are not searched, what is left of the thread stays."""
    assert flat(told(imap, "THREAD REFS UTF-8 ALL", "THREAD")) == {
        letter.number + 1: None if letter.answers is None else letter.answers + 1 for letter in letters}
    merged = flat(told(imap, "UID THREAD REFERENCES UTF-8 ALL", "THREAD"))
    assert set(merged) == set(range(1, 61))
    for letter in letters:
        if letter.answers is not None:
            assert merged[letter.number + 1] == letter.answers + 1
    assert set(flat(told(imap, "THREAD REFS UTF-8 20:60", "THREAD"))) == set(range(20, 61))


def test_threads_by_subject(imap, letters):
    threads = told(imap, "THREAD ORDEREDSUBJECT UTF-8 ALL", "THREAD")
    subjects = {letter.subject for letter in letters}
    assert len(threads) == len(subjects)
    for (first, *others), below in threads:
        members = [first, *others, *(number for chain, _ in below for number in chain)]
        assert members == in_order([letters[number - 1] for number in sorted(members)], "DATE")
        assert len({letters[number - 1].subject for number in members}) == 1


def test_a_restart_and_an_index_made_anew_change_nothing(server, account, imap, letters):
    def sorted_and_threaded(client):
        client.select()
        return (told(client, "SORT (SUBJECT REVERSE DATE) UTF-8 ALL", "SORT"),
                told(client, "THREAD REFERENCES UTF-8 ALL", "THREAD"))

    before = sorted_and_threaded(imap)
    imap.close()
    server.stop()
    for index in server.maildir(account[0]).parent.glob("index.sqlite*"):
        index.unlink()
    server.start()
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        assert sorted_and_threaded(client) == before
