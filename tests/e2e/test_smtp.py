"""A letter's way in: what SMTP takes is at once there for IMAP and POP3."""

import base64
import imaplib
import poplib
import re
import smtplib

import pytest

from support.messages import bodies, message, pop_all, read_all, without_trace
from support.server import DOMAIN, HOSTNAME
from support.wire import SmtpWire

pytestmark = pytest.mark.sanitized


def test_a_letter_through_smtplib_is_there_for_imaplib_and_poplib(server, account):
    text = message("libraries")
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], "client.example.test", timeout=20) as client:
        assert client.sendmail("sender@elsewhere.test", [account[0]], text) == {}
    with imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=20) as client:
        client.login(*account)
        assert client.select("INBOX") == ("OK", [b"1"])
        kind, data = client.fetch("1", "(BODY.PEEK[])")
        assert kind == "OK" and without_trace(data[0][1], text)
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=20)
    client.user(account[0])
    client.pass_(account[1])
    _, lines, _ = client.retr(1)
    assert without_trace(b"\r\n".join(lines) + b"\r\n", text)
    client.quit()


def test_submission_through_smtplib(server, account):
    other = server.add_account()
    with smtplib.SMTP("127.0.0.1", server.ports["submission"], "laptop.example.test", timeout=20) as client:
        client.login(*account)
        client.sendmail(account[0], [other[0]], message("submitted"))
    assert b"Subject: test submitted" in bodies(server, other)[0]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_each_mechanism_through_smtplib(server, account, mechanism):
    with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=20) as client:
        client.ehlo()
        client.user, client.password = account
        code, _ = client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
        assert code == 235


def test_extensions_named_by_ehlo(server):
    with SmtpWire(server) as client:
        greeting = client.greeting()
        assert greeting.text.split(" ")[0] == HOSTNAME, "RFC 5321 §4.2: the greeting names the server"
        offered = client.ehlo()
    assert {"SIZE", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES", "STARTTLS", "SMTPUTF8"} <= set(offered)
    assert int(offered["SIZE"][0]) >= 30 << 20


def test_submission_offers_the_mechanisms_and_asks_for_them(server, account):
    with SmtpWire(server, "submission") as client:
        client.greeting()
        assert {"PLAIN", "LOGIN"} <= set(client.ehlo()["AUTH"])
        assert client.command(f"MAIL FROM:<{account[0]}>", 530).enhanced == "5.7.0"
        client.login(*account)
        client.command("AUTH PLAIN", 503)  # RFC 4954 §4: once a session
        client.command(f"MAIL FROM:<{account[0]}>", 250)
        client.command("AUTH PLAIN", 503)  # nor inside of a transaction


def test_auth_dialogues(server, account):
    address, password = (text.encode() for text in account)
    encoded = base64.b64encode
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.command("AUTH PLAIN", 334)
        client.command("*", 501)  # RFC 4954 §4: the client cancels
        client.command("AUTH PLAIN !!!", 501)
        client.command("AUTH NONSUCH", 504)
        assert base64.b64decode(client.command("AUTH LOGIN", 334).text).lower().startswith(b"user")
        assert base64.b64decode(client.command(encoded(address), 334).text).lower().startswith(b"pass")
        client.command(encoded(password), 235)
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.command("AUTH PLAIN", 334)
        client.command(encoded(b"\0" + address + b"\0" + password), 235)


def test_a_remote_recipient_is_refused_in_clear_words_even_when_logged_in(server, account):
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.login(*account)
        client.command(f"MAIL FROM:<{account[0]}>", 250)
        reply = client.command("RCPT TO:<someone@remote.test>")
        assert reply.code in (550, 551, 553, 554) and reply.enhanced.startswith("5."), reply
        client.command(f"RCPT TO:<{account[0]}>", 250)


def test_wrong_password_and_unknown_user_get_the_same_words(server, account):
    replies = []
    for address in (account[0], f"nobody-here@{DOMAIN}"):
        with SmtpWire(server, "submission") as client:
            client.greeting()
            client.ehlo()
            replies.append(str(client.login(address, "wrong", 535)))
    assert replies[0] == replies[1]


def test_trace_fields(server, account):
    """RFC 5321 §4.4: Return-Path on top, then Received with from, by, with, id and date."""
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo("client.example.test")
        client.deliver(message("trace"), account[0], sender="Ann.Sender@elsewhere.test")
    received = bodies(server, account)[0]
    lines = re.sub(rb"\r\n[ \t]+", b" ", received).split(b"\r\n")
    assert lines[0] == b"Return-Path: <Ann.Sender@elsewhere.test>"
    trace = next(line for line in lines if line.startswith(b"Received:")).decode()
    assert re.search(r"from client\.example\.test \(.*\[127\.0\.0\.1\]\)", trace), trace
    assert f"by {HOSTNAME}" in trace and re.search(r"with ESMTPS?A? id \S+", trace), trace
    assert re.search(r"; (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", trace), trace


def test_null_reverse_path(server, account, smtp):
    smtp.ehlo()
    smtp.deliver(message("bounce"), account[0], sender="")
    assert bodies(server, account)[0].startswith(b"Return-Path: <>\r\n")


def test_one_message_for_several_recipients_is_one_file(server):
    accounts = [server.add_account() for _ in range(3)]
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("shared", 50000), *(address for address, _ in accounts))
    inodes = set()
    for account in accounts:
        assert len(bodies(server, account)) == 1
        files = [path for part in ("new", "cur") for path in (server.maildir(account[0]) / part).iterdir()]
        inodes.update(path.stat().st_ino for path in files)
    assert len(inodes) == 1, "written once and linked"


def test_a_recipient_named_twice_gets_one_copy(server, account, smtp):
    smtp.ehlo()
    smtp.deliver(message("twice"), account[0], account[0].upper().split("@")[0].lower() + "@EXAMPLE.TEST")
    assert len(bodies(server, account)) == 1


@pytest.mark.parametrize("form", ["{user}@{domain}", "{user}@EXAMPLE.Test", "{user}+tag@{domain}",
                                  "{user}+a+b@{domain}", '"{user}"@{domain}', "@relay.test:{user}@{domain}"])
def test_forms_of_a_local_address(server, account, smtp, form):
    user, _, domain = account[0].partition("@")
    smtp.ehlo()
    smtp.deliver(message("form"), form.format(user=user, domain=domain))
    assert len(bodies(server, account)) == 1


def test_login_takes_the_domain_in_any_case(server, account):
    user, _, domain = account[0].partition("@")
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.login(f"{user}@{domain.upper()}", account[1])


def test_several_messages_in_one_connection(server, account, smtp):
    smtp.ehlo()
    sent = [message(f"one-of-many-{number}") for number in range(20)]
    for text in sent:
        smtp.deliver(text, account[0])
    smtp.command("QUIT", 221)
    assert smtp.at_end()
    found = bodies(server, account)
    assert all(without_trace(received, text) for received, text in zip(found, sent, strict=True))
    assert len(pop_all(server, account)) == 20
    assert sorted(read_all(server, account, items="FLAGS")) == list(range(1, 21))


def test_utf8_in_headers_needs_smtputf8_and_arrives_untouched(server, account, smtp):
    text = "From: Jörg <joerg@elsewhere.test>\r\nSubject: Grüße 你好\r\n\r\nÜber alles\r\n".encode()
    offered = smtp.ehlo()
    assert "SMTPUTF8" in offered
    smtp.command("MAIL FROM:<jörg@elsewhere.test> SMTPUTF8 BODY=8BITMIME", 250)
    smtp.command(f"RCPT TO:<{account[0]}>", 250)
    smtp.command("DATA", 354)
    smtp.send(text + b".\r\n")
    assert smtp.reply().code == 250
    assert without_trace(bodies(server, account)[0], text)


def test_helo_alone_is_enough(server, account, smtp):
    smtp.command("HELO client.example.test", 250)
    smtp.deliver(message("helo"), account[0])
    assert b"with SMTP id" in re.sub(rb"\s+", b" ", bodies(server, account)[0])
