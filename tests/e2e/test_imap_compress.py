"""COMPRESS=DEFLATE (RFC 4978) and UNAUTHENTICATE (RFC 8437), with Python's zlib as the client."""

import zlib

import pytest

from support.deflated import compress
from support.messages import message
from support.server import DOMAIN
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized
ALICE, BOB = (f"{name}@{DOMAIN}" for name in ("alice", "bob"))


def capabilities(client):
    return set(client.command("CAPABILITY").of("CAPABILITY")[0].value)


@pytest.mark.parametrize("mode", ["plain", "starttls", "implicit"])
def test_all_goes_through_it(server, account, mode):
    with ImapWire(server, "imaps" if mode == "implicit" else "imap", tls=mode == "implicit") as client:
        client.greeting()
        if mode == "starttls":
            client.command("STARTTLS")
            client.start_tls()
        client.command("COMPRESS DEFLATE", "BAD")
        client.login(*account)
        assert "COMPRESS=DEFLATE" in capabilities(client)
        compress(client)
        assert "COMPRESS=DEFLATE" not in capabilities(client)
        large = message("large", 400_000)
        client.append(large)
        client.select()
        before = client.socket.received
        assert client.command("FETCH 1 BODY.PEEK[]").fetched()[1]["BODY[]"] == large
        assert client.socket.received - before < len(large) / 20
        assert client.command("COMPRESS DEFLATE", "BAD").code == "COMPRESSIONACTIVE"
        tag = client.idle()
        with ImapWire(server) as other:
            other.greeting()
            other.login(*account)
            other.append(message("second"))
        client.wait_for("EXISTS")
        client.done(tag)
        client.command("LOGOUT")
        assert client.at_end()
        assert client.socket.into.eof


def test_rubbish_ends_it(server, account):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        compress(client)
        client.socket.inner.sendall(b"x NOOP\r\n" * 10)
        client.rest()


@pytest.mark.parametrize("end", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
def test_unauthenticate_ends_compression_on_both_sides(server, account, end):
    """RFC 8437 §4.1."""
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.select()
        compress(client)
        client.command("NOOP")
        deflated = client.socket
        login = f'l LOGIN "{account[0]}" "{account[1]}"\r\n'.encode()
        deflated.inner.sendall(deflated.out.compress(b"u UNAUTHENTICATE\r\n") + deflated.out.flush(end) + login)
        assert client.read_line().startswith(b"u OK ")
        while not deflated.into.eof:
            client.fill()
        client.buffer += deflated.into.unused_data
        client.socket = deflated.inner
        assert client.read_line().startswith(b"l OK ")
        client.command("CHECK", "BAD")
        client.select()
        compress(client)
        client.command("NOOP")


def test_unauthenticate_gives_the_connection_back(own):
    """RFC 8437 §3: another user on the same connection; the limit on an account's connections is let go."""
    server = own({"limits": {"connections_per_account": 1, "trusted": []}}, accounts=[ALICE, BOB])
    with ImapWire(server) as client, ImapWire(server) as other:
        client.greeting()
        other.greeting()
        client.login(ALICE, server.accounts[ALICE])
        client.append(message("hers"))
        client.select()
        assert "UNAUTHENTICATE" in capabilities(client)
        other.login(ALICE, server.accounts[ALICE], "NO")
        client.command("UNAUTHENTICATE")
        other.login(ALICE, server.accounts[ALICE])
        client.login(BOB, server.accounts[BOB])
        client.command("CHECK", "BAD")
        assert client.status("INBOX")["MESSAGES"] == 0
