"""RFC 5321, RFC 6409 and the rules that keep a server from being abused, octet by octet."""

import socket

import pytest

from support.messages import bodies, message, without_trace
from support.server import DOMAIN
from support.wire import SmtpWire, dot_stuffed

pytestmark = pytest.mark.sanitized


@pytest.fixture
def esmtp(smtp):
    smtp.ehlo()
    return smtp


@pytest.mark.parametrize("recipient", [
    "someone@remote.test", f"someone%remote.test@{DOMAIN}", f"remote.test!someone@{DOMAIN}",
    f'"someone@remote.test"@{DOMAIN}', f"@{DOMAIN}:someone@remote.test", "someone@[192.0.2.1]", "someone"])
def test_port_25_relays_to_nobody(esmtp, recipient):
    esmtp.command("MAIL FROM:<a@elsewhere.test>", 250)
    reply = esmtp.command(f"RCPT TO:<{recipient}>")
    assert reply.code in (550, 551, 553, 554, 501), reply
    assert reply.enhanced and reply.enhanced.startswith("5."), reply
    assert esmtp.command("DATA").code in (503, 554)  # RFC 5321 §3.3


def test_unknown_local_recipient(esmtp):
    esmtp.command("MAIL FROM:<a@elsewhere.test>", 250)
    assert esmtp.command(f"RCPT TO:<no-such-user@{DOMAIN}>", 550).enhanced == "5.1.1"


@pytest.mark.parametrize("recipient", ["postmaster", "Postmaster", f"POSTMASTER@{DOMAIN}", f"postmaster@{DOMAIN}",
                                       f"abuse@{DOMAIN}", f"Abuse@{DOMAIN}"])
def test_postmaster_and_abuse_are_always_taken(own, recipient):
    """RFC 5321 §4.5.1, RFC 2142: without an alias they go to the domain's first account."""
    server = own(accounts=[f"first@{DOMAIN}", f"second@{DOMAIN}"])
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.deliver(message("complaint"), recipient, sender="")
    assert len(bodies(server, (f"first@{DOMAIN}", server.accounts[f"first@{DOMAIN}"]))) == 1
    assert len(bodies(server, (f"second@{DOMAIN}", server.accounts[f"second@{DOMAIN}"]))) == 0


# Each would end DATA for a careless server, and smuggle a second message in (CVE-2023-51764 and its kin).
FALSE_ENDS = [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\r\n.\r\r\n", b"\r\n\0.\r\n",
              b"\r\n.\0\r\n"]


@pytest.mark.parametrize("end", FALSE_ENDS, ids=[repr(end) for end in FALSE_ENDS])
@pytest.mark.parametrize("port", ["smtp", "submission"])
def test_only_crlf_dot_crlf_ends_data(server, account, port, end):
    smuggled = b"MAIL FROM:<evil@elsewhere.test>\r\nRCPT TO:<" + account[0].encode() + b">\r\nDATA\r\nevil\r\n"
    with SmtpWire(server, port) as client:
        client.greeting()
        client.ehlo()
        if port == "submission":
            client.login(*account)
        client.envelope(account[0], account[0])
        client.send(b"Subject: outer\r\n\r\nouter" + end + smuggled + b"\r\n.\r\n")
        reply = client.reply()
        assert client.quiet(0.15), "more than one reply to one message"
        client.command("NOOP", 250)
        if b"\r\r" not in end and b"\0" not in end:
            assert reply.code in (550, 554, 500, 552), f"bare CR or LF is refused (RFC 5321 §2.3.8): {reply}"
        assert len(bodies(server, account)) == (1 if reply.code == 250 else 0)


@pytest.mark.parametrize("port", ["smtp", "submission"])
@pytest.mark.parametrize("text", [b"bare\nline feed\r\n", b"bare\rcarriage return\r\n", b"\nfirst\r\n", b"last\r\r\n"])
def test_bare_cr_or_lf_in_a_message_is_refused(server, account, port, text):
    with SmtpWire(server, port) as client:
        client.greeting()
        client.ehlo()
        if port == "submission":
            client.login(*account)
        reply = client.deliver(b"Subject: x\r\n\r\n" + text, account[0], sender=account[0], code=None)
        assert 500 <= reply.code < 600 and reply.enhanced, reply
        client.deliver(message("next"), account[0], sender=account[0])
    assert len(bodies(server, account)) == 1


@pytest.mark.parametrize("line", [b"NOOP\nNOOP\r\n", b"NO\rOP\r\n", b"MAIL FROM:<a@b.test>\nRCPT TO:<c@d.test>\r\n"])
def test_bare_cr_or_lf_in_a_command_is_refused(esmtp, line):
    esmtp.send(line)
    assert 500 <= esmtp.reply().code < 600
    assert esmtp.quiet(0.15)


def test_a_client_that_ends_lines_in_lf_alone_is_told_and_cut(smtp):
    smtp.send("EHLO client.example.test\n")
    assert smtp.reply().code == 500
    smtp.send("HELO client.example.test\nQUIT\n")
    assert smtp.reply().code == 421
    assert smtp.at_end()


def test_a_flood_of_bare_lf_is_cut(smtp):
    smtp.send("x\n" * 1000)
    assert [smtp.reply().code for _ in range(2)] == [500, 421]
    assert smtp.at_end()


def test_a_bare_lf_in_an_authentication_exchange_leads_to_no_command(server):
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.command("AUTH PLAIN", 334)
        client.send("abc\nNOOP\r\n")
        assert client.reply().code == 500
        assert client.quiet(0.15)
        client.command("NOOP", 250)


def test_dots_are_unstuffed_once(server, account, esmtp):
    text = b"Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.leading\r\n x.\r\n"
    esmtp.deliver(text, account[0])
    assert without_trace(bodies(server, account)[0], text)


def test_data_whose_end_comes_in_pieces(server, account, esmtp):
    text = message("pieces")
    esmtp.envelope("a@elsewhere.test", account[0])
    for octet in dot_stuffed(text):
        esmtp.send(bytes([octet]))
    assert esmtp.reply().code == 250
    assert without_trace(bodies(server, account)[0], text)


def test_pipelining_answers_in_order(server, account, esmtp):
    """RFC 2920 §3.2: a client may send everything up to DATA at once, and the body with the next commands."""
    text = message("pipelined")
    esmtp.send(f"MAIL FROM:<a@elsewhere.test>\r\nRCPT TO:<{account[0]}>\r\nRCPT TO:<nobody@{DOMAIN}>\r\nDATA\r\n")
    assert [esmtp.reply().code for _ in range(4)] == [250, 250, 550, 354]
    esmtp.send(dot_stuffed(text) + b"NOOP\r\nQUIT\r\n")
    assert [esmtp.reply().code for _ in range(3)] == [250, 250, 221]
    assert len(bodies(server, account)) == 1


def test_order_of_commands(server, account, smtp):
    smtp.command("MAIL FROM:<a@elsewhere.test>", 503)
    smtp.ehlo()
    smtp.command(f"RCPT TO:<{account[0]}>", 503)
    smtp.command("DATA", 503)
    smtp.command("MAIL FROM:<a@elsewhere.test>", 250)
    smtp.command("MAIL FROM:<b@elsewhere.test>", 503)
    assert smtp.command("DATA").code in (503, 554)
    smtp.command("RSET", 250)
    smtp.command(f"RCPT TO:<{account[0]}>", 503)
    smtp.command("MAIL FROM:<a@elsewhere.test>", 250)
    smtp.command(f"RCPT TO:<{account[0]}>", 250)
    smtp.ehlo()  # RFC 5321 §4.1.4: EHLO resets the transaction
    smtp.command("DATA", 503)


@pytest.mark.parametrize("verb", ["SEND", "SOML", "SAML", "TURN"])
def test_obsolete_commands_are_recognised_and_refused(esmtp, verb):
    """RFC 5321 §4.2.4 and Appendix F: 502 for what is known and not implemented."""
    argument = "" if verb == "TURN" else " FROM:<a@elsewhere.test>"
    assert esmtp.command(verb + argument, 502).enhanced == "5.5.1"


def test_unknown_and_malformed_commands(esmtp):
    esmtp.command("FROBNICATE", 500)
    esmtp.command("", 500)
    for line in ("MAIL FROM:", "MAIL FROM:<a@b", "MAIL TO:<a@b.test>", "MAIL FROM:<a b@c.test>", "EHLO", "RSET now",
                 "DATA now", "QUIT now", "MAIL FROM:<a@b.test> SIZE=abc"):
        assert esmtp.command(line).code in (500, 501, 503), line
    esmtp.command("MAIL FROM:<a@b.test> FOO=BAR", 555)
    esmtp.command("noop", 250)
    esmtp.command("NoOp with words", 250)


def test_vrfy_expn_help(esmtp):
    """RFC 5321 §3.5.3 and §7.3: VRFY may tell nothing; it must be implemented."""
    assert esmtp.command(f"VRFY someone@{DOMAIN}").code in (250, 252)
    assert esmtp.command(f"VRFY nobody-there@{DOMAIN}").code in (252, 550, 551)
    assert esmtp.command("EXPN list").code in (250, 252, 502, 550)
    assert esmtp.command("HELP").code in (211, 214)


def test_vrfy_when_logged_in(server, account):
    """RFC 5321 §3.5.1: a user name, or a user name and a domain."""
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.login(*account)
        client.command(f"VRFY {account[0]}", 250)
        client.command(f"VRFY {account[0].split('@')[0]}", 252)
        client.command("VRFY postmaster", 252)
        client.command(f"VRFY <{account[0]}> junk", 501)


def test_help_names_auth_only_where_it_is_offered(server, smtp):
    assert "AUTH" not in smtp.command("HELP", 214).text
    with SmtpWire(server, "submission") as client:
        client.greeting()
        assert "AUTH" in client.command("HELP", 214).text


def test_size_is_refused_at_mail_and_at_data(own):
    """RFC 1870 §6."""
    server = own({"limits": {"message_size": 100000}}, accounts=[f"alice@{DOMAIN}"])
    account = (f"alice@{DOMAIN}", server.accounts[f"alice@{DOMAIN}"])
    with SmtpWire(server) as client:
        client.greeting()
        assert client.ehlo()["SIZE"] == ["100000"]
        assert client.command("MAIL FROM:<a@elsewhere.test> SIZE=100001", 552).enhanced == "5.3.4"
        reply = client.deliver(message("big", 150000), account[0], code=552)
        assert reply.enhanced == "5.3.4"
        client.deliver(message("fits", 90000), account[0])
    assert len(bodies(server, account)) == 1


def test_8bitmime(server, account, esmtp):
    text = b"Subject: 8bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + bytes(range(0x80, 0x100)) + b"\r\n"
    esmtp.command("MAIL FROM:<a@elsewhere.test> BODY=8BITMIME", 250)
    esmtp.command(f"RCPT TO:<{account[0]}>", 250)
    esmtp.command("DATA", 354)
    esmtp.send(dot_stuffed(text))
    assert esmtp.reply().code == 250
    assert without_trace(bodies(server, account)[0], text)
    assert esmtp.command("MAIL FROM:<a@elsewhere.test> BODY=NONSENSE").code in (501, 504, 555)


def test_minimum_sizes_of_addresses(esmtp, server):
    """RFC 5321 §4.5.3.1: local parts of 64 and paths of 256 octets must be taken."""
    user = "u" * 64
    server.add_account(f"{user}@{DOMAIN}")
    long_domain = ".".join(["d" * 60] * 4)[:254 - 3]
    esmtp.command(f"MAIL FROM:<a@{long_domain}>", 250)
    esmtp.command(f"RCPT TO:<{user}@{DOMAIN}>", 250)


@pytest.mark.parametrize("recipient, reply, enhanced", [
    ("{user}+" + "t" * 200 + f"@{DOMAIN}", 250, "2.1.5"),
    ("u" * 64 + "+tag@remote.test", 550, "5.7.1"), ("u" * 65 + "@remote.test", 550, "5.7.1"),
    ("{user}+" + "t" * 300 + f"@{DOMAIN}", 501, None), ("u" * 65 + f"@{DOMAIN}", 553, "5.1.3")])
def test_long_local_parts_get_the_right_words(esmtp, account, recipient, reply, enhanced):
    """A tag may make a local part longer than 64 octets; and what is not ours is refused as that."""
    esmtp.command("MAIL FROM:<a@elsewhere.test>", 250)
    user = account[0].partition("@")[0]
    got = esmtp.command(f"RCPT TO:<{recipient.format(user=user)}>")
    assert got.code == reply and enhanced in (None, got.enhanced), got


def test_a_loop_is_ended(esmtp, account):
    """RFC 5321 §6.3: at least 100 Received fields are taken; far more are a loop."""
    hop = b"Received: from a by b; Sat, 7 Mar 2026 10:20:30 +0000\r\n"
    esmtp.deliver(hop * 95 + message("far travelled"), account[0])
    reply = esmtp.deliver(hop * 2000 + message("for ever"), account[0], code=None)
    assert reply.code == 554 and reply.enhanced == "5.4.6", reply


def test_a_client_that_goes_away_inside_of_data_leaves_nothing(server, account):
    client = SmtpWire(server)
    client.greeting()
    client.ehlo()
    client.envelope("a@elsewhere.test", account[0])
    client.send(message("cut", 200000))
    client.socket.shutdown(socket.SHUT_WR)
    client.rest()
    client.close()
    assert bodies(server, account) == []
    assert list((server.maildir(account[0]) / "tmp").iterdir()) == []


def test_replies_have_enhanced_codes(esmtp, account):
    """RFC 2034 §4: every 2xx, 4xx and 5xx reply but those to EHLO, HELO and the greeting."""
    lines = ["NOOP", "RSET", "MAIL FROM:<a@elsewhere.test>", f"RCPT TO:<{account[0]}>", f"RCPT TO:<nobody@{DOMAIN}>",
             "RSET", "FROB", "QUIT"]
    for line in ("EHLO", "HELO"):
        assert esmtp.command(line, 501).enhanced is None
    for line in lines:
        reply = esmtp.command(line)
        assert reply.enhanced and reply.enhanced[0] == str(reply.code)[0], (line, reply)
