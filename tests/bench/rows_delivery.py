"""Deliveries, logins, POP3."""

import os
import time

import load
import syscalls
from system import BOB, PASSWORD

MANY = 1 << 30


def deliver(system, sizes, connections, messages, per_connection):
    """Messages a second from the first connection until all are in the mailbox, and until all are accepted."""
    before = system.inbox_count()
    began = time.monotonic()
    port, way = system.mail_in
    accepted = load.run("smtp", port, way, BOB, connections, messages, per_connection, sizes.octets)["seconds"]
    while system.inbox_count() < before + messages:
        if time.monotonic() - began > 300:
            raise RuntimeError(f"{system.name} lost messages")
        time.sleep(0.005)
    return messages / (time.monotonic() - began), messages / accepted


def delivery(system, sizes, rows):
    # A disk that others use too has good and bad moments.
    rows.add("an fsync on this disk, just before", f"{sync_time(system.base, sizes.octets):.2f} ms")
    for connections in (1, 50):
        count = sizes.single if connections == 1 else sizes.messages
        for words, per_connection in (("one message a connection", 1), ("many messages a connection", MANY)):
            stored, accepted = deliver(system, sizes, connections, count, per_connection)
            row = f"{connections} connection{'s' if connections > 1 else ''}, {words}"
            rows.add(f"messages/s into the mailbox, {row}", f"{stored:,.0f}")
            if system.name == "Postfix":
                rows.add(f"messages/s accepted, {row}", f"{accepted:,.0f}")


def sync_time(folder, octets):
    """The median of a few fsyncs, in milliseconds."""
    file = folder / "probe"
    times = []
    with open(file, "wb", buffering=0) as probe:
        for _ in range(21):
            probe.write(b"x" * octets)
            began = time.perf_counter()
            os.fsync(probe.fileno())
            times.append(time.perf_counter() - began)
    file.unlink()
    return sorted(times)[10] * 1000


def delivery_calls(system, sizes, rows):
    """System calls and syncs a message: what a traced run makes more for 2n messages than for n."""
    syscalls.need()
    once, twice = (calls_of_run(system, sizes, count) for count in (sizes.traced, 2 * sizes.traced))
    twice.subtract(once)
    calls, syncs = syscalls.summary(twice, sizes.traced)
    each = (f"{name} {number / sizes.traced:.1f}" for name, number in twice.most_common(14))
    print("  system calls a message:", ", ".join(each))
    rows.add("system calls a message", f"{calls:,.0f}")
    rows.add("syncs a message", f"{syncs:.1f}")


def calls_of_run(system, sizes, count):
    file = system.base / f"calls{count}"
    system.stop()
    system.start(syscalls.counting(file))
    deliver(system, sizes, 1, count, MANY)
    system.stop()
    return syscalls.counted(file)


def logins(system, sizes, rows):
    for connections in (1, 20):
        count = sizes.logins // (10 if connections == 1 else 1)
        result = load.run("logins", system.imap, BOB, PASSWORD, connections, count)
        words = f"{connections} connection{'s' if connections > 1 else ''} at a time"
        rows.add(f"IMAP logins/s, {words}", f"{load.rate(result):,.0f}")
