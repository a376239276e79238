"""STORE, COPY, MOVE, EXPUNGE and APPEND: what writes."""

import statistics

import load
import syscalls
from mailboxes import TEN, ten, under_strace
from session import Session
from system import PASSWORD, READER
from table import ms

# After so many seconds what a server does after its reply is over: Posthorn's names of files follow flags within two, and
# what is deleted is unlinked later.
LATER = 2.5
PAUSE, SHORT_PAUSE = f"PAUSE {LATER * 1000:.0f}", "PAUSE 500"
# {command: (goal, commands before it, the command, commands after it)}, in a session of its own.
COPIED = ["CREATE Copied", f"SELECT {TEN}", "COPY 1:* Copied", "SELECT Copied"]
WRITES = {
    "STORE 1:* +FLAGS": ("37 ms", [f"SELECT {TEN}"], r"STORE 1:* +FLAGS (\Flagged)",
                         [PAUSE, r"STORE 1:* -FLAGS.SILENT (\Flagged)", PAUSE]),
    "COPY 1:*": ("130 ms", ["CREATE Copied", f"SELECT {TEN}"], "COPY 1:* Copied",
                 [SHORT_PAUSE, "DELETE Copied", PAUSE]),
    "MOVE 1:*": ("200 ms", ["CREATE Moved", *COPIED, SHORT_PAUSE], "MOVE 1:* Moved",
                 [SHORT_PAUSE, "SELECT INBOX", "DELETE Copied", "DELETE Moved", PAUSE]),
    "EXPUNGE": ("26 ms", [*COPIED, r"STORE 1:* +FLAGS.SILENT (\Deleted)", PAUSE], "EXPUNGE",
                [SHORT_PAUSE, "SELECT INBOX", "DELETE Copied", PAUSE]),
}


def writing(name):
    """A measure of one of WRITES: the median of some rounds."""

    def measure(system, sizes, rows):
        goal, before, command, after = WRITES[name]
        ten(system, sizes)
        place = len(without_pauses(before))
        times = [system.ask(READER, *before, command, *after)[place]["seconds"] for _ in range(sizes.rounds)]
        rows.add(f"{name} of {sizes.ten:,} messages", ms(statistics.median(times)), goal)

    return measure


def write_calls(system, sizes, rows):
    """System calls and syncs of the same commands, what they leave for later included."""
    user, log = under_strace(system, sizes, "writes")
    for name, (_, before, command, after) in WRITES.items():
        with Session(system.imap, user) as session:
            session.ask(*without_pauses(before))
            log.taken(LATER)
            session.ask(command)
            calls, _ = log.taken(LATER)
            session.ask(*without_pauses(after))
        told(rows, f"{name} of {sizes.counted:,}", calls, 1)
    with Session(system.imap, user) as session:
        session.ask("CREATE Appended", "NOOP")
        log.taken(LATER)
        for _ in range(10):
            session.ask("APPEND Appended {%d+}\r\nSubject: x\r\n\r\n%s" % (sizes.octets, "x" * (sizes.octets - 14)))
        calls, _ = log.taken(LATER)
        told(rows, f"an APPEND of {sizes.octets:,} octets", calls, 10)
    system.stop()


def without_pauses(commands):
    return [command for command in commands if not command.startswith("PAUSE ")]


def told(rows, name, calls, per):
    made, syncs = syscalls.summary(calls, per)
    print(f"  {name}:", ", ".join(f"{call} {number / per:,.1f}" for call, number in calls.most_common(10)))
    rows.add(f"system calls / syncs of {name}", f"{made:,.0f} / {syncs:,.1f}")


def append(system, sizes, rows):
    system.ask(READER, "CREATE Appended")
    for connections, messages in sizes.appended.items():
        result = load.run("append", system.imap, READER, PASSWORD, "Appended", connections, messages, sizes.octets)
        rows.add(f"APPEND/s of {sizes.octets:,} octets, {connections} connection{'s' if connections > 1 else ''}",
                 f"{load.rate(result):,.0f}", "3 × Dovecot")
    system.ask(READER, "DELETE Appended")
