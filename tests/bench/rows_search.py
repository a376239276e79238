"""SEARCH for texts, by an index and by reading; and what that index costs."""

import statistics
import time

import load
from mailboxes import HUNDRED, RARE, TEN, hundred, ten
from system import BOB, PASSWORD, READER
from table import ms, pair

SECONDS_TO_FILL = 600
MANY = 1 << 30
KEYS = {"BODY": f"BODY {RARE}", "TEXT": f"TEXT {RARE}", "SUBJECT": 'SUBJECT "subject 1234"',
        "FROM": 'FROM "ann96@elsewhere"', "HEADER": 'HEADER References "<4321.bench@"'}


def searched(system, mailbox, keys):
    return system.ask(READER, f"SELECT {mailbox}", f"SEARCH {keys}")[1]["seconds"]


def times(system, sizes, mailbox, keys):
    first, *again = (searched(system, mailbox, keys) for _ in range(1 + sizes.repetitions))
    return pair(first, statistics.median(again))


def searching(system, sizes, rows):
    ten(system, sizes)
    system.restart()
    wait_filled(system, READER, TEN, sizes.ten)
    for name, keys in KEYS.items():
        rows.add(f"SEARCH {name} of a rare text in {sizes.ten:,} messages, first / again", times(system, sizes, TEN, keys),
                 "5 ms")
    rows.add(f"SEARCH BODY of a frequent word in {sizes.ten:,} messages, first / again",
             times(system, sizes, TEN, "BODY lazy"))
    hundred(system, sizes)
    wait_filled(system, READER, HUNDRED, sizes.ten + sizes.hundred)
    rows.add(f"SEARCH BODY of a rare text in {sizes.hundred:,} messages, first / again",
             times(system, sizes, HUNDRED, f"BODY {RARE}"), "50 ms")


def searching_by_reading(system, sizes, rows):
    """Of all messages, as where there is no index or it is not filled yet."""
    ten(system, sizes)
    with system.without_search_index():
        rows.add(f"SEARCH BODY of a rare text in {sizes.ten:,} messages, all of which are read, first / again",
                 times(system, sizes, TEN, f"BODY {RARE}"), "Dovecot")


def search_index_costs(system, sizes, rows):
    """Processor time of deliveries, without the index and with it until it is filled; and its size."""
    port, protocol = system.mail_in
    with system.without_search_index():
        alone = cpu_of_deliveries(system, port, protocol, sizes)
    system.restart()
    documents = system.search_documents(BOB)
    before = system.cpu_seconds()
    both = cpu_of_deliveries(system, port, protocol, sizes)
    wait_filled(system, BOB, "INBOX", (documents or 0) + sizes.messages)
    both += system.cpu_seconds() - before - both
    rows.add(f"processor time of a delivery of {sizes.octets:,} octets, without the search index / with it filled",
             f"{alone / sizes.messages * 1e6:,.0f} / {both / sizes.messages * 1e6:,.0f} µs", "1.5 times")
    ten(system, sizes)
    wait_filled(system, READER, TEN, sizes.ten)
    size, mail = system.search_index_size(READER), system.mail_size(READER)
    rows.add("the search index's size, of the mail's", f"{100 * size / mail:.1f} %")


def cpu_of_deliveries(system, port, protocol, sizes):
    before = system.cpu_seconds()
    load.run("smtp", port, protocol, BOB, 1, sizes.messages, MANY, sizes.octets)
    return system.cpu_seconds() - before


def wait_filled(system, user, mailbox, documents):
    """Until the search index has so many messages, where the system has one."""
    deadline = time.monotonic() + SECONDS_TO_FILL
    while (count := system.search_documents(user)) is not None and count < documents:
        system.ask(user, f"SELECT {mailbox}", "NOOP")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the search index has {count} of {documents} messages")
        time.sleep(0.2)
