"""UTF8=ACCEPT (RFC 6855, RFC 9755), by Python's imaplib and on the wire."""

import imaplib

import pytest

from support.messages import pop_all
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized
MESSAGE = ("From: Jürgen <jürgen@bücher.example>\r\nTo: someone@example.test\r\nSubject: Grüße\r\n"
           "Message-ID: <1@x>\r\n\r\ntext\r\n").encode()


def enabled(server, account):
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    client.login(*account)
    assert "UTF8=ACCEPT" in client.capabilities
    assert client.enable("UTF8=ACCEPT")[0] == "OK"
    return client


def test_mailbox_names(server, account):
    client = enabled(server, account)
    for name in ('"Bücher"', '"Bücher/日本"', '"R&D"'):
        assert client.create(name)[0] == "OK"
    _, listed = client.list('""', '"*"')
    names = {line.decode().split(' "/" ')[1].strip('"') for line in listed}
    assert {"Bücher", "Bücher/日本", "R&D"} <= names
    assert client.select('"Bücher/日本"')[0] == "OK"
    assert client.status('"Bücher"', "(MESSAGES)")[1] == ['"Bücher" (MESSAGES 0)'.encode()]
    client.logout()
    # The same mailboxes by their other names.
    with ImapWire(server) as wire:
        wire.greeting()
        wire.login(*account)
        assert {"B&APw-cher", "B&APw-cher/&ZeVnLA-", "R&-D"} <= set(wire.mailboxes())


def test_messages_with_utf8_headers(server, account):
    client = enabled(server, account)
    client.send(b"A1 APPEND INBOX UTF8 (~{%d+}\r\n" % len(MESSAGE) + MESSAGE + b")\r\n")
    line = b""
    while not line.startswith(b"A1 "):
        line = client.readline()
    assert line.startswith(b"A1 OK [APPENDUID ")
    client.select("INBOX")
    assert client.search(None, '(SUBJECT "grüße" FROM "jürgen@bücher.example")')[1] == [b"1"]
    client.send(b"A2 SEARCH CHARSET UTF-8 ALL\r\n")
    assert client.readline().startswith(b"A2 BAD ")
    _, answer = client.fetch("1", "(ENVELOPE)")
    assert '"Grüße" (("Jürgen" NIL "jürgen" "bücher.example"))'.encode() in answer[0]
    client.logout()
    # As it is, to clients that have not enabled it too, and by POP3.
    with ImapWire(server) as wire:
        wire.greeting()
        wire.login(*account)
        wire.select()
        items = wire.command("FETCH 1 (ENVELOPE BODY.PEEK[])").fetched()[1]
        assert items["BODY[]"] == MESSAGE and items["ENVELOPE"]["subject"] == "Grüße".encode()
    assert pop_all(server, account) == [MESSAGE]
