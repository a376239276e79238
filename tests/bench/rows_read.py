"""SELECT, FETCH, SORT, THREAD and POP3's RETR: what reads. A client counts octets until the tagged line and looks at no more."""

import re
import statistics
import subprocess

import load
from mailboxes import HUNDRED, TEN, fill, hundred, settle, ten, under_strace
from session import Session
from system import BOB, PASSWORD, READER
from table import ms, pair

HEADERS = "From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To"
BODIES = "BODY.PEEK[]"
# What is fetched of each message.
KINDS = {
    "FLAGS UID": "(FLAGS UID)",
    "ENVELOPE": "ENVELOPE",
    "BODYSTRUCTURE": "BODYSTRUCTURE",
    "Thunderbird's header fields": f"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS ({HEADERS})])",
    "bodies": BODIES,
}


def select(system, sizes, rows):
    count = f"{sizes.hundred:,}"
    taken_in = hundred(system, sizes)
    if taken_in is not None:
        rows.add(f"SELECT of {count} files that another program has just put there", ms(taken_in))
        # The first start after another program's changes may have to look again; the usual one has nothing new before it.
        system.restart()
        selected(system)
    system.restart()
    first, *again = (selected(system) for _ in range(1 + sizes.repetitions))
    rows.add(f"SELECT of {count} messages, first since start", ms(first), "50 ms")
    rows.add(f"SELECT of {count}, again in a new session", ms(statistics.median(again)), "2 ms")
    with Session(system.imap, READER) as other:
        other.ask(f"SELECT {HUNDRED}")
        rows.add(f"SELECT of {count}, while another session has it selected",
                 ms(statistics.median(selected(system) for _ in range(sizes.repetitions))), "2 ms")
    # Dovecot tells of HIGHESTMODSEQ only those who have asked for such things.
    codes = system.ask(READER, "ENABLE QRESYNC", f"SELECT {HUNDRED}")[1]["codes"]
    validity, modseq = code("UIDVALIDITY", codes), code("HIGHESTMODSEQ", codes)
    resync = [system.ask(READER, "ENABLE QRESYNC", f"SELECT {HUNDRED} (QRESYNC ({validity} {modseq}))")[1]
              for _ in range(sizes.repetitions)]
    took = statistics.median(each["seconds"] for each in resync)
    rows.add(f"SELECT of {count} with QRESYNC, nothing changed", ms(took), "2 ms")


def selected(system):
    """The seconds of a SELECT in a new session."""
    return system.ask(READER, f"SELECT {HUNDRED}")[0]["seconds"]


def code(name, codes):
    found = re.search(rf"\[{name} (\d+)\]", codes)
    if not found:
        raise RuntimeError(f"no {name} in {codes!r}")
    return found[1]


def fetched(system, mailbox, items):
    return system.ask(READER, f"SELECT {mailbox}", f"FETCH 1:* {items}")[1]["seconds"]


def fetching(words, goal, mailbox=TEN):
    """A measure: one of KINDS of all messages, by the first client since the start and by later ones."""

    def measure(system, sizes, rows):
        if mailbox == TEN:
            ten(system, sizes)
        else:
            hundred(system, sizes)
        system.restart()
        first, *again = (fetched(system, mailbox, KINDS[words]) for _ in range(1 + sizes.repetitions))
        count = sizes.ten if mailbox == TEN else sizes.hundred
        rows.add(f"FETCH {words} of {count:,} messages, first / again", pair(first, statistics.median(again)), goal)

    return measure


def sorting(command, goal):
    """A measure: a SORT or THREAD of all messages, by the first client since the start and by later ones."""

    def measure(system, sizes, rows):
        ten(system, sizes)
        system.restart()
        first, *again = (system.ask(READER, f"SELECT {TEN}", f"{command} UTF-8 ALL")[1]["seconds"]
                         for _ in range(1 + sizes.repetitions))
        words = command.replace("(", "").replace(")", "")
        rows.add(f"{words} of {sizes.ten:,} messages, first / again", pair(first, statistics.median(again)), goal)

    return measure


def read_calls(system, sizes, rows):
    """System calls and opened files of the first FETCH of each kind: what stands in the index is not read from the files."""
    user, log = under_strace(system, sizes, "reads")
    with Session(system.imap, user) as session:
        session.ask(f"SELECT {TEN}")
        for words, items in KINDS.items():
            log.taken(1)
            session.ask(f"FETCH 1:* {items}")
            calls, opened = log.taken(1)
            rows.add(f"system calls / messages' files opened, first FETCH {words} of {sizes.counted:,}",
                     f"{calls.total():,} / {opened:,}", "0 opened" if items != BODIES else "")
    system.stop()


def bodies(system, sizes, rows):
    ten(system, sizes)
    system.restart()
    fetch = f"SELECT {TEN}", f"FETCH 1:* {BODIES}"
    one_core = f"{encrypted():,.0f} (one core's AES-256-GCM)"
    for words, server, goal in (("plain", system.imap, "2 × Dovecot"), ("TLS", f"tls:{system.imaps}", one_core)):
        results = [load.run("imap", server, READER, PASSWORD, *fetch)[1] for _ in range(sizes.repetitions)]
        rows.add(f"MB/s, bodies of {sizes.ten:,} messages, {results[0]['octets'] / 1e6:,.0f} MB in all, {words}",
                 f"{statistics.median(each['octets'] / each['seconds'] for each in results) / 1e6:,.0f}", goal)


def encrypted():
    """MB that one core encrypts in a second, in records of TLS."""
    done = subprocess.run(["openssl", "speed", "-seconds", "1", "-bytes", "16384", "-evp", "aes-256-gcm", "-mr"],
                          capture_output=True, text=True)
    found = re.search(r"^\+F:.*:([\d.]+)$", done.stdout, re.M)
    return float(found[1]) / 1e6 if found else 0


def pop3(system, sizes, rows):
    if fill(system, BOB, "INBOX", sizes.ten, lambda number: sizes.octets):
        settle(system, BOB, "INBOX")
    system.restart()
    result = load.run("pop3", system.pop3, BOB, PASSWORD)
    rows.add(f"POP3: messages/s, {sizes.ten:,} and more downloaded one after the other", f"{load.rate(result):,.0f}")
