"""What clients notice of each other: pushes, waits, memory, and many at once."""

import time

import load
from mailboxes import HUNDRED, TEN, hundred, inboxes, ten
from session import Session
from system import BOB, PASSWORD, POOL, READER
from table import ms, pair

# Accounts over which the mixed load's clients are spread, five to an account.
MIXED = POOL[:10]
CLIENTS, SEED = 50, 20260307


def push(system, sizes, rows):
    port, way = system.mail_in
    result = load.run("push", system.imap, BOB, PASSWORD, port, way, sizes.pushed, sizes.push_seconds, sizes.octets)
    rows.add("an IDLE session hears of a delivery after its 250, p50 / p99", pair(result["p50"], result["p99"]), "5 ms at p99")


def beside(system, sizes, rows):
    """Another client's commands while one client has something long done; in the same account and in another."""
    ten(system, sizes)
    inboxes(system)
    system.ask(READER, "CREATE Busy")
    work = {
        "at rest": "",
        f"beside FETCH of {sizes.ten:,} bodies": "FETCH 1:* BODY.PEEK[]",
        # No index has so short a text: all are read.
        f"beside SEARCH of {sizes.ten:,} bodies": "SEARCH BODY qz",
        f"beside COPY of {sizes.ten:,}": "COPY 1:* Busy",
        f"beside APPEND of {sizes.large / 1e6:,.0f} MB": f"APPEND Busy {sizes.large}",
    }
    for words, command in work.items():
        for where, user in (("another account", POOL[0]), ("the same account", READER)):
            result = load.run("beside", system.imap, user, READER, PASSWORD, sizes.beside_seconds, f"SELECT {TEN}", command)
            each = ", ".join(f"{name} {ms(result[f'{name}_p99'])}" for name in ("noop", "fetch", "status", "store"))
            print(f"  {words}, {where}: {result['busy']:,.0f} long commands, {result['rounds']:,.0f} rounds of short ones,",
                  f"p99: {each}")
            for kind, name in (("reading", "NOOP, FETCH of one, STATUS"), ("store", "STORE of one")):
                rows.add(f"{name} in {where}, {words}, p50 / p99", pair(result[f"{kind}_p50"], result[f"{kind}_p99"]),
                         "20 ms at p99" if command else "")
        if command.startswith(("COPY", "APPEND")):
            system.ask(READER, "DELETE Busy", "CREATE Busy")
            time.sleep(1)


def session_memory(system, sizes, rows):
    hundred(system, sizes)
    system.restart()
    sessions = 10
    with Session(system.imap, READER) as other:
        other.ask(f"SELECT {HUNDRED}")
        # What the first few make once is not counted.
        for _ in range(2):
            system.ask(READER, f"SELECT {HUNDRED}")
        time.sleep(2)
        before = system.memory()
        opened = [Session(system.imap, READER) for _ in range(sessions)]
        for session in opened:
            session.ask(f"SELECT {HUNDRED}")
        time.sleep(2)
        grown = system.memory() - before
        for session in opened:
            session.socket.close()
    rows.add(f"private memory that a further session adds with {sizes.hundred:,} messages selected",
             f"{grown / sessions / 1024:,.0f} KiB", "100 KiB")


def idle(system, sizes, rows):
    """Logged in, INBOX selected, in IDLE; spread over some accounts. Dovecot has a process for each, and gets fewer."""
    inboxes(system)
    count = sizes.idle.get(system.key, sizes.idle_most)
    for words, server, memory_goal in (("plain", system.imap, "8 KiB"), ("TLS", f"tls:{system.imaps}", "24 KiB")):
        system.restart()
        with load.holding("idle", server, PASSWORD, 20, 4, *POOL):
            time.sleep(1)
            before = system.memory()
            with load.holding("idle", server, PASSWORD, count, 8, *POOL) as result:
                time.sleep(3)
                grown = system.memory() - before
        row = f"idle IMAP connections, {words}"
        rows.add(f"private memory each of many {row}", f"{grown / count / 1024:,.1f} KiB ({count:,})", memory_goal)
        rows.add(f"opened a second, {row}", f"{load.rate(result):,.0f}", "2,000")


def mix(system, sizes, rows):
    inboxes(system)
    for user in MIXED:
        system.ask(user, "CREATE Copies")
    before = system.cpu_seconds()
    result = load.run("mix", system.imap, PASSWORD, CLIENTS, sizes.mix_seconds, SEED, *MIXED)
    used = system.cpu_seconds() - before
    print(f"  {result['count']:,.0f} commands, of which refused: {result['refused']:,.0f}")
    rows.add(f"commands/s, mixed load of {CLIENTS} clients in {len(MIXED)} accounts", f"{load.rate(result):,.0f}", "15,000")
    rows.add("the server's CPU-seconds per 1,000 commands of it", f"{1000 * used / result['count']:.3f}", "0.1")
