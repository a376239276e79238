"""BINARY (RFC 3516, RFC 9051): sections without their encoding, and messages with NULs in them."""

import base64
import email
import pathlib
import re

import pytest

from support.messages import CORPUS, corpus, pop_all
from support.server import DOMAIN, running
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized
ALICE = f"alice@{DOMAIN}"
KNOWN = {b"7BIT", b"8BIT", b"BINARY", b"BASE64", b"QUOTED-PRINTABLE"}
PNG = b"\x89PNG\r\n\x1a\n\0\1"
HEAD = (b"Subject: pic\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nzebra\r\n"
        b"--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: %s\r\n\r\n")
TAIL = b"\r\n--x--\r\n"


def with_binary(content):
    """A message with that part, and what is seen of it."""
    lines = b"".join(base64.b64encode(content[at:at + 57]) + b"\r\n" for at in range(0, len(content), 57))
    return HEAD % b"binary" + content + TAIL, HEAD % b"base64" + lines + TAIL


def literal8(text):
    return b"~{%d+}\r\n" % len(text) + text


def fetch(client, items, uid=1):
    return client.command(f"UID FETCH {uid} ({items})").by_uid()[uid]


def leaves(message, prefix=""):
    """(section number, Body) of each part that is neither a multipart nor a message."""
    for number, part in enumerate(message.parts or [message], 1):
        section = f"{prefix}.{number}" if prefix else str(number)
        if part.parts:
            yield from leaves(part, section)
        elif part.message:
            yield from leaves(part.message, section)
        else:
            yield section, part


def is_well_formed(encoding, text):
    """Whether all decoders agree on what it is."""
    if encoding == b"BASE64":
        plain = text.replace(b"\r\n", b"")
        return len(plain) % 4 == 0 and bool(re.fullmatch(rb"[A-Za-z0-9+/]*={0,2}", plain))
    if encoding == b"QUOTED-PRINTABLE":
        return not re.search(rb"=(?![0-9A-Fa-f]{2}|\r\n)|[ \t\r](\r\n|\Z)|(?<!\r)\n|\r(?!\n)", text)
    return True


def decoded_by_python(encoding, text):
    return email.message_from_bytes(b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + text).get_payload(decode=True)


def test_is_offered(imap):
    assert "BINARY" in imap.command("CAPABILITY").of("CAPABILITY")[0].value


def test_a_message_with_a_nul_is_stored_as_it_came_and_shown_in_base64(server, account, imap):
    sent, seen = with_binary(PNG)
    imap.command(b"APPEND INBOX " + literal8(sent))
    imap.select()
    items = fetch(imap, "RFC822.SIZE BODYSTRUCTURE BODY.PEEK[] BINARY.PEEK[] BINARY.SIZE[] BINARY.PEEK[2] BINARY.SIZE[2] "
                        "BODY.PEEK[2]<4.5> BODY.PEEK[]<100.200>")
    assert items["BODY[]"] == seen and items["RFC822.SIZE"] == len(seen)
    assert items["BODY[]<100>"] == seen[100:300]
    assert items["BINARY[]"] == sent and items["BINARY.SIZE[]"] == len(sent)
    assert items["BINARY[2]"] == PNG and items["BINARY.SIZE[2]"] == len(PNG)
    picture = items["BODYSTRUCTURE"].parts[1]
    assert picture.encoding == b"base64" and picture.octets == len(base64.b64encode(PNG)) + 2
    assert items["BODY[2]<4>"] == base64.b64encode(PNG)[4:9]
    assert imap.command("SEARCH BODY zebra").of("SEARCH")[0].value == [1]
    assert imap.status("INBOX", "SIZE")["SIZE"] == len(seen)
    assert pop_all(server, account) == [seen]


def test_copies_moves_and_restarts_keep_it(own):
    server = own({}, accounts=[ALICE])
    sent, seen = with_binary(PNG * 20_000)

    def check(mailbox):
        with ImapWire(server) as client:
            client.greeting()
            client.login(ALICE, server.accounts[ALICE])
            client.select(mailbox)
            uid = client.command("UID SEARCH ALL").of("SEARCH")[0].value[-1]
            items = fetch(client, "RFC822.SIZE BODY.PEEK[] BINARY.PEEK[] BINARY.PEEK[2]<150000.20>", uid)
            assert items["BODY[]"] == seen and items["BINARY[]"] == sent and items["RFC822.SIZE"] == len(seen)
            assert items["BINARY[2]<150000>"] == (PNG * 20_000)[150_000:150_020]

    with ImapWire(server) as client:
        client.greeting()
        client.login(ALICE, server.accounts[ALICE])
        client.command(b"APPEND INBOX " + literal8(sent))
        client.select()
        client.command("COPY 1 Archive")
        client.command("MOVE 1 Trash")
    check("Archive")
    check("Trash")
    server.restart()
    check("Archive")
    server.stop()
    for index in pathlib.Path(server.data).rglob("index.sqlite*"):
        index.unlink()
    server.start()
    check("Archive")
    check("Trash")


def test_several_and_joined_messages(imap):
    sent, seen = with_binary(PNG)
    half = len(sent) // 2
    imap.command(b"APPEND INBOX " + literal8(sent) + b" CATENATE (TEXT " + literal8(sent[:half]) + b" TEXT " +
                 literal8(sent[half:]) + b") CATENATE (URL /INBOX TEXT {1+}\r\nx)", "NO")
    imap.command(b"APPEND INBOX " + literal8(sent) + b" CATENATE (TEXT " + literal8(sent[:half]) + b" TEXT " +
                 literal8(sent[half:]) + b")")
    found = imap.fetch_all("BODY.PEEK[] BINARY.PEEK[]", "INBOX")
    assert [(items["BODY[]"], items["BINARY[]"]) for items in found.values()] == [(seen, sent)] * 2
    # What a URL names is what is seen (RFC 4469 §3).
    imap.command(b"APPEND INBOX CATENATE (URL /INBOX/;UID=1)")
    assert fetch(imap, "BINARY.PEEK[]", 3)["BINARY[]"] == seen


@pytest.mark.parametrize("message", [b"A: \0\r\n\r\nx", b"Content-Transfer-Encoding: base64\r\n\r\n\0",
                                     HEAD % b"binary" + b"\0" + TAIL + b"\0"])
def test_a_nul_that_no_part_can_have(imap, message):
    """RFC 3516 §4.4."""
    assert imap.command(b"APPEND INBOX " + literal8(message), "NO").code == "UNKNOWN-CTE"
    assert imap.command(b"APPEND INBOX {%d+}\r\n" % len(message) + message, "NO").code == "CANNOT"
    assert imap.status("INBOX")["MESSAGES"] == 0


def test_unknown_encodings(imap):
    """RFC 3516 §4.3: the request fails, and sets no \\Seen for what it does not give."""
    imap.append(b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\nend\r\n")
    imap.select()
    for item in ("BINARY[1]", "BINARY.PEEK[1]<0.10>", "BINARY.SIZE[1]"):
        assert imap.command(f"FETCH 1 {item}", "NO").code == "UNKNOWN-CTE"
    assert r"\Seen" not in fetch(imap, "FLAGS")["FLAGS"]
    fetch(imap, "BINARY[]")
    assert r"\Seen" in fetch(imap, "FLAGS")["FLAGS"]


def test_a_large_part_goes_through_in_pieces(own):
    server = own({}, accounts=[ALICE])
    content = bytes(range(256)) * 4096 * 8
    lines = b"".join(base64.b64encode(content[at:at + 57]) + b"\r\n" for at in range(0, len(content), 57))
    plain, (binary, _) = b"Content-Transfer-Encoding: base64\r\n\r\n" + lines, with_binary(content)
    with ImapWire(server) as client:
        client.greeting()
        client.login(ALICE, server.accounts[ALICE])
        client.append(plain)
        client.command(b"APPEND INBOX " + literal8(binary))
        client.select()
        before = server.memory_kib()
        for uid, part in ((1, "1"), (2, "2")):
            items = fetch(client, f"BINARY.SIZE[{part}] BINARY.PEEK[{part}]<4345678.100>", uid)
            assert items[f"BINARY.SIZE[{part}]"] == len(content)
            assert items[f"BINARY[{part}]<4345678>"] == content[4_345_678:4_345_778]
            tag = client.start(f"UID FETCH {uid} BINARY.PEEK[{part}]")
            assert client.read_line().endswith(b"] ~{%d}" % len(content))
            half = client.read_exactly(len(content) // 2)
            assert server.memory_kib() - before < 6 << 10, "a message is never whole in memory (design.md, decision 4)"
            assert half + client.read_exactly(len(content) - len(half)) == content
            assert client.read_line() == b")"
            client.finish(tag)


@pytest.fixture(scope="module")
def real_mail():
    """[(name, uid, client)] of all real mail, appended."""
    if not CORPUS.is_dir():
        pytest.skip("no mail corpus beside the project (../shared/mail)")
    with running() as server:
        account = server.add_account()
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            names = []
            for name, text in corpus():
                if text:
                    client.append(text)
                    names.append(name)
            yield client, names


def test_real_mail_is_decoded_as_python_does(real_mail):
    client, names = real_mail
    structures = client.fetch_all("BODYSTRUCTURE", "INBOX")
    compared = 0
    for uid, name in enumerate(names, 1):
        found = list(leaves(structures[uid]["BODYSTRUCTURE"]))[:60]
        known = [(section, part) for section, part in found if part.encoding.upper() in KNOWN]
        for section, part in found:
            if part.encoding.upper() not in KNOWN:
                assert client.command(f"UID FETCH {uid} BINARY.PEEK[{section}]", "NO").code == "UNKNOWN-CTE", name
        if not known:
            continue
        items = fetch(client, " ".join(f"BODY.PEEK[{section}] BINARY.PEEK[{section}] BINARY.SIZE[{section}]"
                                       for section, _ in known), uid)
        for section, part in known:
            encoding, text, content = part.encoding.upper(), items[f"BODY[{section}]"], items[f"BINARY[{section}]"]
            assert items[f"BINARY.SIZE[{section}]"] == len(content), (name, section)
            if is_well_formed(encoding, text):
                assert content == decoded_by_python(encoding, text), (name, section)
                compared += encoding in (b"BASE64", b"QUOTED-PRINTABLE")
    assert compared > 50
