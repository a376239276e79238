"""Plaintext on loopback, STARTTLS and implicit TLS in each protocol; what must not cross into the handshake."""

import imaplib
import poplib
import signal
import smtplib
import ssl
import time

import pytest

from support.certificates import self_signed
from support.messages import bodies, message
from support.server import DOMAIN
from support.wire import ImapWire, PopWire, SmtpWire

pytestmark = pytest.mark.sanitized
MODES = ["plaintext", "starttls", "implicit"]


@pytest.mark.parametrize("mode", MODES)
def test_smtplib(server, account, mode):
    context = server.tls_context()
    if mode == "implicit":
        client = smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], timeout=20, context=context)
    else:
        client = smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=20)
    with client:
        if mode == "starttls":
            assert client.starttls(context=context)[0] == 220
        client.login(*account)
        client.sendmail(account[0], [account[0]], message("tls"))
    text = b" ".join(bodies(server, account)[0].split())
    assert b"Subject: test tls" in text
    assert (b" with ESMTPA " if mode == "plaintext" else b" with ESMTPSA ") in text, "RFC 3848"


@pytest.mark.parametrize("mode", MODES)
def test_poplib(server, account, mode):
    context = server.tls_context()
    if mode == "implicit":
        client = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], timeout=20, context=context)
    else:
        client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=20)
    if mode == "starttls":
        client.stls(context)
        assert b"STLS" not in client.capa()
    client.user(account[0])
    client.pass_(account[1])
    assert client.stat() == (0, 0)
    client.quit()


@pytest.mark.parametrize("mode", MODES)
def test_imaplib(server, account, mode):
    context = server.tls_context()
    if mode == "implicit":
        client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=context, timeout=20)
    else:
        client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=20)
    with client:
        if mode == "starttls":
            client.starttls(context)
            assert "STARTTLS" not in client.capabilities
        client.login(*account)
        client.append("INBOX", None, None, message("over imap", 100000))
        assert client.select()[1] == [b"1"]
        assert client.fetch("1", "(RFC822)")[1][0][1] == message("over imap", 100000)


def handshake(client, command):
    """Sends `command`, which asks for TLS, reads one line and makes the handshake."""
    client.send(command)
    line = client.read_line()
    assert client.buffer == b"", f"more than one answer before the handshake: {client.buffer!r}"
    client.start_tls()
    return line


class TestInjection:
    """RFC 3207 §4.2, RFC 2595 §3.1: nothing that came in plaintext before the handshake is acted upon after it."""

    def test_smtp(self, server, account):
        with SmtpWire(server, "submission") as client:
            client.greeting()
            client.ehlo("before.example.test")
            assert handshake(client, "STARTTLS\r\nNOOP\r\nMAIL FROM:<evil@elsewhere.test>\r\n").startswith(b"220")
            assert client.quiet(0.3)
            assert client.command("MAIL FROM:<a@elsewhere.test>").code in (503, 530)
            assert "STARTTLS" not in client.ehlo()
            client.command("STARTTLS", 503)
            client.login(*account)

    def test_smtp_forgets_the_login_and_the_transaction(self, server, account):
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.command("MAIL FROM:<a@elsewhere.test>", 250)
            handshake(client, "STARTTLS\r\n")
            client.ehlo()
            client.command(f"RCPT TO:<{account[0]}>", 503)

    def test_pop3(self, server, account):
        with PopWire(server) as client:
            client.greeting()
            client.command(f"USER {account[0]}")
            assert handshake(client, f"STLS\r\nPASS {account[1]}\r\nNOOP\r\n").startswith(b"+OK")
            assert client.quiet(0.3)
            client.command(f"PASS {account[1]}", ok=False)
            client.login(*account)
            client.command("STLS", ok=False)

    def test_imap(self, server, account):
        with ImapWire(server) as client:
            client.greeting()
            assert handshake(client, "s STARTTLS\r\ninjected NOOP\r\n").startswith(b"s OK")
            assert client.quiet(0.3)
            client.login(*account)
            client.command("STARTTLS", "BAD")

    def test_a_literal_does_not_reach_over_the_handshake(self, server, account):
        with ImapWire(server) as client:
            client.greeting()
            handshake(client, "s STARTTLS\r\nx LOGIN {5+}\r\n")
            assert client.quiet(0.3)
            client.login(*account)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_versions(server, version):
    context = server.tls_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with ImapWire(server, "imaps") as client:
        client.start_tls(context)
        client.greeting()
        assert client.socket.version() == version.replace("_", ".")


def test_old_versions_are_refused(server):
    context = server.tls_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with ImapWire(server, "imaps") as client, pytest.raises((ssl.SSLError, ConnectionError)):
        client.start_tls(context)
        client.greeting()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_resumption(server, account, version):
    context = server.tls_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with ImapWire(server, "imaps") as first:
        first.start_tls(context)
        first.greeting()
        first.login(*account)
        session = first.socket.session
    with ImapWire(server, "imaps") as second:
        second.start_tls(context, session)
        second.greeting()
        assert second.socket.session_reused
        second.login(*account)


@pytest.mark.parametrize("protocol, name", [("imaps", "imap"), ("pop3s", "pop3")])
def test_alpn(server, protocol, name):
    """The names that IANA registered."""
    kind = {"imaps": ImapWire, "pop3s": PopWire}[protocol]
    context = server.tls_context()
    context.set_alpn_protocols([name])
    with kind(server, protocol) as client:
        client.start_tls(context)
        client.greeting()
        assert client.socket.selected_alpn_protocol() == name


def test_another_protocols_alpn_is_refused(server):
    """RFC 7301 §3.2; a web browser that was lured here gets no further (ALPACA)."""
    context = server.tls_context()
    context.set_alpn_protocols(["http/1.1"])
    with ImapWire(server, "imaps") as client, pytest.raises((ssl.SSLError, ConnectionError)):
        client.start_tls(context)
        client.greeting()


@pytest.mark.parametrize("protocol", ["imaps", "pop3s", "submissions"])
def test_plaintext_on_a_tls_port_is_closed(server, protocol):
    with ImapWire(server, protocol) as client:
        client.send("a LOGIN x y\r\n" * 10)
        assert b"OK" not in client.rest()


def test_large_messages_both_ways(server, account):
    text = message("large", 3_000_000)
    with ImapWire(server, "imaps", tls=True) as client:
        client.greeting()
        client.login(*account)
        client.append(text)
        client.select()
        assert client.command("FETCH 1 BODY.PEEK[]").fetched()[1]["BODY[]"] == text


def test_sighup_takes_a_new_certificate_and_drops_nobody(own):
    server = own(accounts=[f"alice@{DOMAIN}"])
    account = (f"alice@{DOMAIN}", server.accounts[f"alice@{DOMAIN}"])
    certificate, key = self_signed(server.base, "renewed")
    with ImapWire(server, "imaps", tls=True) as client, SmtpWire(server) as plain:
        client.greeting()
        client.login(*account)
        client.select()
        idle = client.idle()
        plain.greeting()
        plain.ehlo()
        plain.command("MAIL FROM:<a@elsewhere.test>", 250)
        before = client.socket.getpeercert(True)
        server.write_config({"tls": {"certificate": str(certificate), "key": str(key)}})
        server.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while True:
            with ImapWire(server, "imaps") as fresh:
                context = server.tls_context()
                context.verify_mode = ssl.CERT_NONE
                fresh.start_tls(context)
                fresh.greeting()
                if fresh.socket.getpeercert(True) != before:
                    break
            assert time.monotonic() < deadline, "the new certificate never came"
        with ImapWire(server, "imaps") as fresh:
            fresh.start_tls(server.tls_context(certificate))
            fresh.greeting()
        plain.command(f"RCPT TO:<{account[0]}>", 250)
        plain.command("DATA", 354)
        plain.send(message("after the reload") + b".\r\n")
        assert plain.reply().code == 250
        assert client.wait_for("EXISTS")[0].number == 1
        client.done(idle)


def test_a_broken_certificate_at_sighup_keeps_the_old_one(own):
    server = own()
    (server.base / "broken.pem").write_text("not a certificate")
    server.write_config({"tls": {"certificate": str(server.base / "broken.pem")}})
    server.send_signal(signal.SIGHUP)
    server.wait_log(r"broken\.pem")
    with ImapWire(server, "imaps", tls=True) as client:
        client.greeting()


def test_sni_chooses_the_certificate(own, base_folder):
    """[tls] more: further certificates by the name that the client asks for (RFC 6066 §3)."""
    certificate, key = self_signed(base_folder, "other", "mail.other.test")
    server = own({"tls": {"more": [[str(certificate), str(key)]]}})
    for host, trusted in (("mail.other.test", certificate), ("mail.example.test", server.certificate)):
        context = ssl.create_default_context(cafile=str(trusted))
        with server.connect("imaps") as plain, context.wrap_socket(plain, server_hostname=host) as client:
            assert client.recv(100).startswith(b"* OK")


@pytest.mark.parametrize("setting, offered", [("never", False), ("loopback", True), ("always", True)])
def test_passwords_in_plaintext(own, setting, offered):
    """[auth] allow_plaintext; the password is refused unseen, and no mechanism is offered."""
    server = own({"auth": {"allow_plaintext": setting}}, accounts=[f"alice@{DOMAIN}"])
    account = (f"alice@{DOMAIN}", server.accounts[f"alice@{DOMAIN}"])
    with ImapWire(server) as client:
        client.greeting()
        names = set(client.command("CAPABILITY").of("CAPABILITY")[0].value)
        assert ("LOGINDISABLED" in names) != offered and ("AUTH=PLAIN" in names) == offered
        client.login(*account, status="OK" if offered else "NO")
    with PopWire(server) as client:
        client.greeting()
        assert any(line.startswith(b"USER") for line in client.multi("CAPA")) == offered
        if offered:
            client.login(*account)
        else:
            client.command(f"USER {account[0]}", ok=False)
    with SmtpWire(server, "submission") as client:
        client.greeting()
        assert ("AUTH" in client.ehlo()) == offered
        assert client.login(*account, code=None).code in ((235,) if offered else (523, 530, 538))
    with SmtpWire(server, "submission") as client:
        client.greeting()
        client.ehlo()
        client.command("STARTTLS", 220)
        client.start_tls()
        client.ehlo()
        client.login(*account)


def test_a_certificate_that_has_expired_is_told(own):
    """It is served nevertheless: the clients have their own words for it."""
    server = own(accounts=[f"alice@{DOMAIN}"])
    server.wait_log(r"info tls\.certificate .*expires=20")
    expired, key = self_signed(server.base, "expired", days=-1)
    soon, soon_key = self_signed(server.base, "soon", "soon.example.test", days=3)
    server.write_config({"tls": {"certificate": str(expired), "key": str(key), "more": [[str(soon), str(soon_key)]]}})
    assert "expired on 20" in server.command("check", status=1).stderr
    server.send_signal(signal.SIGHUP)
    server.wait_log(r"tls\.certificate_expired file=\S*expired.pem names=\S+ expires=20")
    server.wait_log(r"tls\.certificate_expires_soon file=\S*soon.pem names=soon.example.test")
    server.restart()
    server.wait_log(r"tls\.certificate_expired")
    with ImapWire(server) as client:
        client.greeting()
