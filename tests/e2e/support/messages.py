"""Messages to send, and what is known of how they come back."""

import pathlib
import re

from support.server import ROOT
from support.wire import ImapWire, PopWire

CORPUS = ROOT.parent / "shared/mail"
# What a server puts on top of a message that came by SMTP; folded lines included.
TRACE = re.compile(rb"((Return-Path|Received|Delivered-To|X-Original-To):[^\r\n]*\r\n([ \t][^\r\n]*\r\n)*)+", re.I)


def message(token, size=0, sender="sender@elsewhere.test", recipient="someone@example.test"):
    """A plain message that `token` tells from others, padded to at least `size` octets."""
    head = (f"From: Sender <{sender}>\r\nTo: <{recipient}>\r\nSubject: test {token}\r\n"
            f"Date: Sat, 07 Mar 2026 10:20:30 +0100\r\nMessage-ID: <{token}@elsewhere.test>\r\n\r\n"
            f"This is {token}.\r\n").encode()
    line = b"The quick brown fox jumps over the lazy dog, again and again and again.\r\n"
    return head + line * ((max(0, size - len(head)) + len(line) - 1) // len(line))


def with_crlf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def as_sent(data):
    """What DATA makes of a message: its last line always ends (RFC 5321 §4.1.1.4)."""
    return data if data == b"" or data.endswith(b"\r\n") else data + b"\r\n"


def without_trace(received, sent):
    """True when `received` is `sent` under nothing but the fields that the server adds."""
    if not received.endswith(sent):
        return False
    top = received[:len(received) - len(sent)]
    return bool(TRACE.fullmatch(top))


def split_mbox(data):
    """The messages of an mbox file, without their From_ lines."""
    parts = re.split(rb"(?:\A|(?<=\n))From [^\n]*\n", data)
    return [part for part in parts[1:] if part.strip()]


def corpus():
    """[(name, message with CRLF)] of all real mail that is at hand."""
    found = []
    for path in sorted(CORPUS.rglob("*")):
        if not path.is_file() or path.name in ("README.md", "LICENSE", "MIT-LICENSE"):
            continue
        name, data = str(path.relative_to(CORPUS)), with_crlf(path.read_bytes())
        if path.parent.name == "mbox":
            parts = split_mbox(data.replace(b"\r\n", b"\n"))
            found += [(f"{name}#{number}", with_crlf(part)) for number, part in enumerate(parts, 1)]
        else:
            found.append((name, data))
    return found


def read_all(server, account, mailbox="INBOX", items="BODY.PEEK[]"):
    """{uid: items} of a mailbox, by a connection of its own."""
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        return client.fetch_all(items, mailbox)


def bodies(server, account, mailbox="INBOX"):
    """The messages of a mailbox, in the order of their UIDs."""
    return [items["BODY[]"] for _, items in sorted(read_all(server, account, mailbox).items())]


def pop_all(server, account):
    with PopWire(server) as client:
        client.greeting()
        client.login(*account)
        count = int(client.command("STAT").split(" ")[1])
        return [client.retrieve(number) for number in range(1, count + 1)]
