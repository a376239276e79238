"""SIGTERM stops accepting, lets work in flight finish within a grace time, and leaves nothing half done."""

import signal
import socket
import threading
import time

import pytest

from support.messages import bodies, message
from support.server import DOMAIN
from support.wire import ImapWire, PopWire, SmtpWire, dot_stuffed

pytestmark = pytest.mark.sanitized
ALICE = f"alice@{DOMAIN}"


@pytest.fixture
def served(own):
    def make(**server):
        started = own({"server": server}, accounts=[ALICE])
        return started, (ALICE, started.accounts[ALICE])

    return make


def wait_refused(server, protocol="smtp"):
    deadline = time.monotonic() + 5
    while True:
        try:
            server.connect(protocol).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass  # it was waiting to be accepted as the socket was closed
        assert time.monotonic() < deadline, "still accepting"
        time.sleep(0.02)


def test_idle_sessions_are_told_and_ended_at_once(served):
    server, account = served(grace_seconds=20)
    smtp, pop, imap, idle = SmtpWire(server), PopWire(server), ImapWire(server), ImapWire(server)
    fresh = ImapWire(server, "imaps", tls=True)
    for client in (smtp, pop, imap, idle, fresh):
        client.greeting()
    smtp.ehlo()
    pop.login(*account)
    for client in (imap, idle):
        client.login(*account)
        client.select()
    idle.idle()
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 8, "nothing was in flight"
    assert smtp.rest().startswith(b"421 ")
    assert b"* BYE" in imap.rest() and b"* BYE" in idle.rest() and b"* BYE" in fresh.rest()
    assert pop.rest() == b"" or pop.buffer.startswith(b"-ERR")


def test_a_message_in_flight_is_finished(served):
    server, account = served(grace_seconds=20)
    text = message("in flight", 50_000)
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.envelope("a@elsewhere.test", ALICE)
        data = dot_stuffed(text)
        client.send(data[:20_000])
        time.sleep(0.1)
        server.send_signal(signal.SIGTERM)
        wait_refused(server)
        client.send(data[20_000:])
        assert client.reply().code == 250
        assert client.rest().startswith(b"421 ") or client.buffer == b""
    server.stop()
    server.start()
    read, = bodies(server, account)
    assert read.endswith(text)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(served, second):
    server, account = served(grace_seconds=20)
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.envelope("a@elsewhere.test", ALICE)
        client.send(message("never ended", 50_000))
        server.send_signal(signal.SIGTERM)
        wait_refused(server)
        began = time.monotonic()
        server.send_signal(second)
        assert server.process.wait(10) == 1
        assert time.monotonic() - began < 5
    server.kill()
    server.start()
    assert bodies(server, account) == []


def test_a_message_that_takes_too_long_leaves_nothing(served):
    server, account = served(grace_seconds=1)
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.envelope("a@elsewhere.test", ALICE)
        client.send(message("half", 50_000))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 10
        assert b"250" not in client.rest()
    server.start()
    assert bodies(server, account) == []
    assert list((server.maildir(ALICE) / "tmp").iterdir()) == []


def test_a_fetch_in_flight_is_finished(served):
    server, account = served(grace_seconds=20)
    text = message("fetched", 5_000_000)
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(text)
        client.select()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        tag = client.start("FETCH 1 BODY.PEEK[]")
        first = client.read_line()
        server.send_signal(signal.SIGTERM)
        wait_refused(server)
        size = int(first.split(b"{")[1].rstrip(b"}"))
        assert client.read_exactly(size) == text
        rest = client.rest()
        assert f"{tag} OK".encode() in rest or b"* BYE" in rest
    server.stop()


def test_sigterm_under_load_loses_nothing_that_was_acknowledged(served):
    server, account = served(grace_seconds=10)
    acknowledged = []

    def deliver(name):
        try:
            with SmtpWire(server) as client:
                client.greeting()
                client.ehlo()
                for number in range(1000):
                    client.deliver(message(f"{name}-{number}"), ALICE)
                    acknowledged.append(f"This is {name}-{number}.".encode())
        except (OSError, AssertionError):
            pass

    threads = [threading.Thread(target=deliver, args=(f"load{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    server.stop()
    for thread in threads:
        thread.join()
    server.start()
    found = [next(line for line in text.split(b"\r\n") if line.startswith(b"This is")) for text in bodies(server, account)]
    assert acknowledged and sorted(found) == sorted(acknowledged)


def test_flags_reach_the_names_of_files_before_the_end(served):
    """Decision 6: names follow within 2 s, and at once on SIGTERM."""
    server, account = served()
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("flags"))
        client.select()
        client.command(r"STORE 1 +FLAGS (\Seen \Flagged)")
    server.stop()
    names = [path.name for part in ("new", "cur") for path in (server.maildir(ALICE) / part).iterdir()]
    assert len(names) == 1 and names[0].endswith(":2,FS"), names


def test_a_second_sigterm_ends_at_once(served):
    server, _ = served(grace_seconds=60)
    with SmtpWire(server) as client:
        client.greeting()
        client.ehlo()
        client.envelope("a@elsewhere.test", ALICE)
        server.send_signal(signal.SIGTERM)
        wait_refused(server)
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.process.wait(10)
        assert time.monotonic() - began < 2
        server.check_log()
        server.process = None
    server.start()


def test_ctrl_c_stops_as_sigterm_does(served):
    server, _ = served()
    server.stop(signal.SIGINT)


def test_stop_while_connections_are_in_every_state(served):
    """No leak and no use after free when a connection dies in any state: the sanitizers of the second run tell."""
    server, account = served(grace_seconds=1)
    clients = []

    def client(kind, *lines, protocol=None, login=False):
        opened = kind(server, protocol)
        clients.append(opened)
        if protocol not in ("imaps", "pop3s", "submissions"):
            opened.greeting()
        if login:
            opened.login(*account)
        for line in lines:
            opened.send(line)

    for kind in (SmtpWire, PopWire, ImapWire):
        client(kind)
        client(kind, "NO")
    client(SmtpWire, "EHLO x\r\n", "MAIL FROM:<a@b.test>\r\n", f"RCPT TO:<{ALICE}>\r\n", "DATA\r\n", "half")
    client(SmtpWire, "EHLO x\r\n", "AUTH PLAIN\r\n", protocol="submission")
    client(SmtpWire, "EHLO x\r\nSTARTTLS\r\n")
    client(PopWire, "STLS\r\n")
    client(PopWire, "AUTH PLAIN\r\n")
    client(PopWire, "DELE 1\r\n", login=True)
    client(ImapWire, "a STARTTLS\r\n")
    client(ImapWire, "a AUTHENTICATE PLAIN\r\n")
    client(ImapWire, "a APPEND INBOX {100}\r\n", "half", login=True)
    client(ImapWire, "a SELECT INBOX\r\nb IDLE\r\n", login=True)
    client(ImapWire, "a LOGIN {5}\r\n")
    for protocol in ("imaps", "pop3s", "submissions"):
        client(ImapWire, protocol=protocol)
        client(ImapWire, "\x16\x03\x01", protocol=protocol)
    time.sleep(0.2)
    server.stop()
    for opened in clients:
        opened.close()
    server.start()
    assert bodies(server, account) == []


def test_start_is_quick_with_data_that_is_there(served):
    server, account = served()
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for number in range(50):
            client.append(message(f"start-{number}"))
    server.stop()
    began = time.monotonic()
    server.start()
    assert len(bodies(server, account)) == 50
    assert time.monotonic() - began < 4
