"""Logs: one line an event, lines of one connection joined by an id, never a password or a message's text."""

import base64
import json
import re

import pytest

from support.messages import message
from support.server import DOMAIN
from support.wire import ImapWire, PopWire, SmtpWire

pytestmark = pytest.mark.sanitized
PASSWORD = "Pa55-word-Of-Alice"
TEXT = "a-sentence-nobody-else-may-read"
ALICE = f"alice@{DOMAIN}"


def busy(server):
    """Everything that has to do with secrets, rightly and wrongly."""
    token = base64.b64encode(f"\0{ALICE}\0{PASSWORD}".encode()).decode()
    body = message("logged") + TEXT.encode() + b"\r\n"
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.command(f"AUTH PLAIN {token}x", None)
        client.command(f"AUTHPLAIN {PASSWORD}", 500)
        client.command(f"AUTH PLAIN {token}", 235)
        client.deliver(body, ALICE, sender=ALICE)
        client.send(f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<{ALICE}>\r\nDATA\r\n")
        [client.reply() for _ in range(3)]
        client.send(body.replace(b"\r\n", b"\n") + b"\r\n.\r\n")
        client.reply()
    with PopWire(server) as client:
        client.greeting()
        client.command(f"USER {ALICE}")
        client.command(f"PASS {PASSWORD}!", ok=False)
        client.command(f"PAS {PASSWORD}", ok=False)
        client.login(ALICE, PASSWORD)
        client.retrieve(1)
    with ImapWire(server) as client:
        client.greeting()
        client.command(f"LOGIN {ALICE} {PASSWORD}!", "NO")
        client.command(f"LOGIN {ALICE} {PASSWORD} extra", "BAD")
        client.command(f"LOGINN {ALICE} {PASSWORD}", "BAD")
        tag = client.start("AUTHENTICATE PLAIN")
        client.continuation()
        client.send_line(token)
        client.finish(tag)
        client.append(body)
        client.select()
        client.command("FETCH 1:* (BODY[] ENVELOPE)")
        client.command(f'SEARCH BODY "{TEXT}"')
    server.command("account", "password", ALICE, "--password-stdin", stdin=PASSWORD + "2\n")


@pytest.mark.parametrize("level", ["info", "debug", "trace"])
@pytest.mark.parametrize("format", ["text", "json"])
def test_no_secret_is_logged_at_any_level(own, level, format):
    server = own({"log": {"level": level, "format": format}})
    server.add_account(ALICE, PASSWORD)
    busy(server)
    server.stop()
    log = server.log()
    assert log.count("\n") > 5
    token = base64.b64encode(f"\0{ALICE}\0{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, token, token[:24], base64.b64encode(PASSWORD.encode()).decode(), TEXT):
        assert secret not in log, log[max(0, log.find(secret) - 300):log.find(secret) + 100]


def test_a_session_id_joins_the_lines_of_one_connection(own):
    server = own({"log": {"level": "info", "format": "json"}}, accounts=[ALICE])
    for _ in range(3):
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.deliver(message("joined"), ALICE)
            client.command("QUIT")
    server.stop()
    events = [json.loads(line) for line in server.log().splitlines()]
    ids = {}
    for event in events:
        if "session" in event:
            ids.setdefault(event["session"], []).append(json.dumps(event))
    with_mail = [lines for lines in ids.values() if any("sender@elsewhere.test" in line for line in lines)]
    assert len(with_mail) == 3
    assert all(len(lines) >= 3 and any("127.0.0.1" in line for line in lines) for lines in with_mail)


def test_text_lines_are_key_value(own):
    server = own({"log": {"level": "info", "format": "text"}}, accounts=[ALICE])
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("text"), ALICE)
    server.stop()
    lines = server.log().splitlines()
    assert all(re.match(r"\S+ +\w+ +\S+", line) for line in lines), lines
    delivered = [line for line in lines if "sender@elsewhere.test" in line]
    assert delivered and all(re.search(r"\bsession=\S+", line) for line in delivered)


def test_what_a_peer_sent_is_quoted_and_bounded(own):
    """Decision 11: no line of the log is made by a peer."""
    server = own({"log": {"level": "trace"}}, accounts=[ALICE])
    with SmtpWire(server) as client:
        client.greeting()
        client.command("EHLO evil.test\x1b[31m level=error event=forged", None)
        client.command("MAIL FROM:<\"a\\\"b session=forged\"@elsewhere.test>", None)
        client.command("X" * 1900, 500)
        client.ehlo("x" * 1500)
        client.send(b"NOOP \xff\xfe\x00\x07 weird\r\n")
        client.reply()
    server.stop()
    log = server.log()
    assert "\x1b" not in log and "\x07" not in log and "\x00" not in log
    assert not re.search(r"(^| )event=forged", log) and not re.search(r"(^| )session=forged", log)
    assert max(map(len, log.splitlines())) < 4000


def test_levels(own):
    sizes = []
    for level in ("error", "warning", "info", "debug", "trace"):
        server = own({"log": {"level": level}}, accounts=[ALICE])
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.deliver(message("levels"), ALICE)
        server.stop()
        sizes.append(server.log().count("\n"))
    assert sizes[0] == 0 and sizes[1] == 0 and 0 < sizes[2] <= sizes[3] <= sizes[4] and sizes[2] < sizes[4], sizes


def test_refused_logins_are_bounded_per_peer(own):
    server = own({"log": {"level": "info"}}, accounts=[ALICE])
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.command("MAIL FROM:<a@elsewhere.test>", 250)
        refused = 0
        try:
            for number in range(500):
                refused += client.command(f"RCPT TO:<nobody{number}@{DOMAIN}>").code == 550
        except OSError:
            pass
    server.stop()
    assert refused >= 20 and server.log().count("\n") < 120
