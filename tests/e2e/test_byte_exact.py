"""What a client hands in comes back octet for octet, through every door."""

import hashlib
import random

import pytest

from support.messages import as_sent, bodies, pop_all, without_trace
from support.server import is_sanitized
from support.wire import ImapWire, PopWire, SmtpWire

pytestmark = pytest.mark.sanitized
HEAD = b"From: a@elsewhere.test\r\nSubject: exact\r\n\r\n"
CHANCE = random.Random(5)


def noise(size, alphabet):
    return bytes(CHANCE.choices(alphabet, k=size))


EIGHT_BIT = [octet for octet in range(1, 256) if octet not in (10, 13)]
BODIES = {
    "empty body": b"",
    "no header": b"\r\nonly a body\r\n",
    "no blank line": b"Subject: header only\r\n",
    "a lone dot": HEAD + b".\r\n",
    "lone dots": HEAD + b"\r\n.\r\n..\r\n.\r\n...\r\n\r\n",
    "dots at the start of lines": HEAD + b".one\r\n..two\r\n. three\r\n",
    "first octet is a dot": b".\r\n" + HEAD + b"x\r\n",
    "no final newline": HEAD + b"last line without an end",
    "blank lines at the end": HEAD + b"x\r\n\r\n\r\n\r\n",
    "only line ends": b"\r\n\r\n\r\n",
    "8-bit octets": HEAD + noise(5000, EIGHT_BIT) + b"\r\n",
    "8-bit header": b"Subject: \xff\xfe\x80 \xc3\xa9\r\nX-\xe9: \xe9\r\n\r\nx\r\n",
    "controls": HEAD + bytes(octet for octet in range(1, 32) if octet not in (10, 13)) + b"\x7f\r\n",
    "a line of 998": HEAD + b"x" * 998 + b"\r\n",
    "a line of 1,000,000": HEAD + noise(1_000_000, b"abcdef .") + b"\r\n",
    "lines of 100 KiB and more": HEAD + b"".join(noise(size, b"xyz.") + b"\r\n" for size in (102399, 102400, 102401, 131072)),
    "a header field of 200 KiB": b"X-Long: " + b"y" * 200_000 + b"\r\n" + HEAD + b"x\r\n",
    "around 64 KiB": HEAD + b"z" * (65536 - len(HEAD) - 2) + b"\r\n",
    "From at the start of lines": HEAD + b"From me to you\r\n>From there\r\n",
    "tabs and trailing blanks": HEAD + b"\t \t\r\nx \t\r\n   \r\n",
    "a mime boundary that never ends": b"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\r\nx",
}


@pytest.mark.parametrize("text", BODIES.values(), ids=BODIES.keys())
def test_through_smtp(server, account, smtp, text):
    smtp.ehlo()
    smtp.deliver(text, account[0])
    read, = bodies(server, account)
    assert without_trace(read, as_sent(text))
    assert pop_all(server, account) == [read]


@pytest.mark.parametrize("text", [text for text in BODIES.values() if text],
                         ids=[name for name, text in BODIES.items() if text])
def test_through_append(server, account, imap, text):
    imap.append(text)
    assert bodies(server, account) == [text]
    assert pop_all(server, account) == [as_sent(text)]
    imap.select()
    assert imap.command("FETCH 1 RFC822.SIZE").fetched()[1]["RFC822.SIZE"] == len(text)


@pytest.mark.parametrize("offset", range(8))
def test_line_ends_at_the_edges_of_buffers(server, account, smtp, offset):
    """CR LF and dots wherever a buffer of the server's may end."""
    lines, size = [], 0
    for edge in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072):
        fill = edge - offset - size - len(HEAD)
        lines += [b"." * max(1, fill), b".", b"..", b""]
        size = sum(len(line) + 2 for line in lines)
    text = HEAD + b"\r\n".join(lines) + b"\r\n"
    smtp.ehlo()
    smtp.deliver(text, account[0])
    assert without_trace(bodies(server, account)[0], text)


def test_bare_line_ends_through_append(server, account, imap):
    """APPEND takes octets as they are (RFC 3501 §6.3.11); SMTP refuses these."""
    text = HEAD + b"bare\nline feed\rand carriage return\r\nend\n"
    imap.append(text)
    assert bodies(server, account) == [text]


def test_nul_is_refused_or_kept(server, account, imap, smtp):
    """RFC 3501 §4.3: no NUL in a literal; RFC 5321 §2.3.8 wants none either. Nothing is silently changed."""
    text = HEAD + b"nul \0 here\r\n"
    answer = imap.append(text, status=None)
    smtp.ehlo()
    reply = smtp.deliver(text, account[0], code=None)
    taken = (answer.status == "OK") + (reply.code == 250)
    assert all(read.endswith(text) for read in pop_all(server, account))
    assert len(pop_all(server, account)) == taken


@pytest.mark.limit(120)
def test_thirty_mebibytes(server, account):
    """In through SMTP with every octet value, back through IMAP and POP3, in memory that stays bounded."""
    block = noise(1 << 16, EIGHT_BIT)
    text = HEAD + b"".join(block[(start := number * 977 % 60000):start + 500] + b"\r\n" for number in range(63000))
    assert len(text) > 30 << 20
    before = server.memory_kib()
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.command(f"MAIL FROM:<a@elsewhere.test> SIZE={len(text)} BODY=8BITMIME", 250)
        client.command(f"RCPT TO:<{account[0]}>", 250)
        client.command("DATA", 354)
        client.send(text.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert client.reply().code == 250
    read, = bodies(server, account)
    assert without_trace(read, text)
    with PopWire(server) as client:
        client.greeting()
        client.login(*account)
        assert hashlib.sha256(client.retrieve(1)).digest() == hashlib.sha256(read).digest()
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(text, "Archive")
        client.select("Archive")
        part = client.command("FETCH 1 BODY.PEEK[]<20000000.1000>").fetched()[1]["BODY[]<20000000>"]
        assert part == text[20000000:20001000]
    assert bodies(server, account, "Archive") == [text]
    if not is_sanitized():
        assert server.memory_kib() - before < 24 << 10, "a message is never whole in memory (design.md, decision 4)"
