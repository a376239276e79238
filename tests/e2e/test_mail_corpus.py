"""Real and broken mail: each message comes back byte for byte and has a well-formed ENVELOPE and BODYSTRUCTURE."""

import time

import pytest

from support.messages import CORPUS, as_sent, corpus, pop_all, without_trace
from support.server import running
from support.wire import ImapWire, SmtpWire

MESSAGES = corpus() if CORPUS.is_dir() else []
NAMES = [name for name, _ in MESSAGES]
pytestmark = [pytest.mark.sanitized,
              pytest.mark.skipif(not MESSAGES, reason="no mail corpus beside the project (../shared/mail)")]
SLOWEST_SECONDS = 3.0
ITEMS = "RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY BODY.PEEK[]"


@pytest.fixture(scope="module")
def handed_in():
    """{way: [items of each message]}: through SMTP by IMAP and by POP3, through APPEND by IMAP."""
    with running() as server:
        by_smtp, by_append = server.add_account(), server.add_account()
        with SmtpWire(server) as smtp:
            smtp.greeting()
            smtp.ehlo()
            for _, text in MESSAGES:
                smtp.deliver(text, by_smtp[0])
        with ImapWire(server) as imap:
            imap.greeting()
            imap.login(*by_append)
            for _, text in MESSAGES:
                if text:
                    imap.append(text)
        found = {"pop3": pop_all(server, by_smtp)}
        for way, account in (("smtp", by_smtp), ("append", by_append)):
            with ImapWire(server) as imap:
                imap.greeting()
                imap.login(*account)
                items = imap.fetch_all(ITEMS, "INBOX")
                found[way] = [items[uid] for uid in sorted(items)]
                check_parts(imap, items, found)
                check_search(imap)
        yield found


def parts(message, prefix=""):
    """(section number, Body) of each part that has octets of its own (RFC 3501 §6.4.5)."""
    for number, part in enumerate(message.parts or [message], 1):
        section = f"{prefix}.{number}" if prefix else str(number)
        if part.parts:
            yield from parts(part, section)
            continue
        yield section, part
        if part.message:
            yield from parts(part.message, section)


def check_parts(imap, items, found):
    """The octets that BODYSTRUCTURE tells are those of the section."""
    wrong = found.setdefault("wrong parts", [])
    for uid, fetched in items.items():
        wanted = dict(parts(fetched["BODYSTRUCTURE"]))
        sections = list(wanted)[:60]
        answer = imap.command(f"UID FETCH {uid} (UID {' '.join(f'BODY.PEEK[{section}]' for section in sections)})")
        got = answer.by_uid()[uid]
        wrong += [(uid, section, wanted[section].octets, len(got[f"BODY[{section}]"] or b"")) for section in sections
                  if wanted[section].octets != len(got[f"BODY[{section}]"] or b"")]


def check_search(imap):
    for line in ("SUBJECT test", "BODY zebra-nowhere", "TEXT multipart", "FROM a", "SENTSINCE 1-Jan-1990",
                 "HEADER X-Mailer x", "OR TO a CC b"):
        began = time.monotonic()
        imap.command(f"SEARCH CHARSET UTF-8 {line}")
        assert time.monotonic() - began < SLOWEST_SECONDS * 10, line


@pytest.mark.parametrize("number", range(len(MESSAGES)), ids=NAMES)
def test_through_smtp(handed_in, number):
    sent = as_sent(MESSAGES[number][1])
    items = handed_in["smtp"][number]
    assert without_trace(items["BODY[]"], sent)
    assert items["RFC822.SIZE"] == len(items["BODY[]"])
    assert handed_in["pop3"][number] == as_sent(items["BODY[]"])


# An empty literal is no message (RFC 3502 §6.3.11).
@pytest.mark.parametrize("number", [pytest.param(number, id=NAMES[number])
                                    for number, (_, text) in enumerate(MESSAGES) if text])
def test_through_append(handed_in, number):
    sent = MESSAGES[number][1]
    position = sum(bool(text) for _, text in MESSAGES[:number])
    items = handed_in["append"][position]
    assert items["BODY[]"] == sent and items["RFC822.SIZE"] == len(sent)
    assert {"ENVELOPE", "BODYSTRUCTURE", "BODY"} <= set(items), "read by the strict parser"


def test_every_part_has_the_octets_that_bodystructure_tells(handed_in):
    assert handed_in["wrong parts"] == []
