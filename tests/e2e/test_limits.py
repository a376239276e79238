"""Each limit, gone past (design.md, decision 4)."""

import base64
import contextlib
import re
import signal
import socket
import time

import pytest

from support.messages import bodies, message
from support.server import DOMAIN
from support.wire import ImapWire, PopWire, SmtpWire

pytestmark = pytest.mark.sanitized
ALICE = f"alice@{DOMAIN}"


@pytest.fixture
def limited(own):
    def make(**limits):
        settings = {"limits": {"trusted": [], **limits.pop("limits", {})}, **limits}
        server = own(settings, accounts=[ALICE])
        return server, (ALICE, server.accounts[ALICE])

    return make


class TestLines:
    def test_smtp_command_line(self, smtp):
        """RFC 5321 §4.5.3.1.4: at least 512 octets; a longer one is refused whole and the next is understood."""
        smtp.command("NOOP " + "x" * 500, 250)
        assert smtp.command("NOOP " + "x" * 100_000, 500)
        smtp.command("NOOP", 250)

    def test_smtp_line_without_an_end(self, smtp):
        memory = smtp.server.memory_kib()
        try:
            for _ in range(400):
                smtp.send(b"x" * 100_000)
        except OSError:
            pass
        assert smtp.server.memory_kib() - memory < 20_000
        smtp.close()

    def test_pop3_command_line(self, pop):
        """RFC 2449 §4: at most 255 octets with CRLF."""
        pop.command("NOOP " + "x" * 100_000, ok=False)
        pop.command("CAPA")
        pop.lines()

    def test_imap_command_line_before_login(self, server):
        with ImapWire(server) as client:
            client.greeting()
            client.send("a NOOP " + "x" * 200_000 + "\r\n")
            got = client.rest() if not client.quiet(2) else b""
            assert b"BAD" in got or b"BYE" in got

    def test_imap_command_line_after_login(self, server, imap):
        """Refused with BAD, or by ending the connection; in bounded memory."""
        memory = server.memory_kib()
        tag = imap.next_tag()
        try:
            imap.send(f"{tag} SEARCH " + "UID 1 " * 1_000_000 + "\r\n")
        except OSError:
            pass
        assert imap.read_line().startswith((f"{tag} BAD".encode(), b"* BYE"))
        assert server.memory_kib() - memory < 10_000


    def test_smtp_login_line(self, limited):
        """[smtp] auth_line, by AUTH with its initial response and by an answer to a challenge."""
        server, account = limited(smtp={"auth_line": 3000})
        with SmtpWire(server, "submission") as client:
            client.greeting()
            client.ehlo()
            client.command("AUTH PLAIN " + "x" * 3000, 500)
            client.command("AUTH PLAIN", 334)
            client.command("x" * 3001, 500)
            client.command("AUTH PLAIN", 334)
            client.command("x" * 3000, 501)  # not too long, but no message of PLAIN
            client.login(*account)

    def test_pop3_login_line(self, limited):
        """[pop3] auth_line, by PASS, by AUTH with its initial response and by an answer to a challenge."""
        server, account = limited(pop3={"auth_line": 3000})
        with PopWire(server) as client:
            client.greeting()
            client.command(f"USER {account[0]}")
            assert "too long" in client.command("PASS " + "x" * 3000, ok=False)
            assert "too long" in client.command("AUTH PLAIN " + "x" * 3000, ok=False)
            client.send_line("AUTH PLAIN")
            assert client.read_line() == b"+ "
            assert "too long" in client.command("x" * 3001, ok=False)
            client.login(*account)

    def test_the_longest_password_in_each_protocol(self, server):
        account = server.add_account(password="p" * 1024)
        with ImapWire(server) as imap, PopWire(server) as pop, SmtpWire(server, "submission") as smtp:
            for client in (imap, pop, smtp):
                client.greeting()
            smtp.ehlo()
            for client in (imap, pop, smtp):
                client.login(*account)


class TestLiterals:
    @pytest.mark.parametrize("form", ["{%d}", "{%d+}"])
    def test_an_over_long_message_is_refused_without_reading_it(self, limited, form):
        """RFC 7888 §4: a synchronising literal is answered NO; for a non-synchronising one the line may be cut."""
        server, account = limited(limits={"message_size": 100_000})
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            client.send(f"a APPEND INBOX {form % 100_001}\r\n")
            if "+" in form:
                client.send(b"x" * 100_001 + b"\r\n")
            answer = client.read_line()
            assert answer.startswith((b"a NO", b"a BAD", b"* BYE")), answer
            if form == "{%d}":
                assert b"TOOBIG" in answer  # RFC 4469 §4.2
                client.command("NOOP")
                client.append(message("fits", 90_000))
        assert all(len(text) < 100_000 for text in bodies(server, account))

    @pytest.mark.parametrize("size", [2**31, 2**32, 2**63, 10**30])
    def test_sizes_beyond_all_measure(self, imap, size):
        imap.send(f"a APPEND INBOX {{{size}}}\r\n")
        assert imap.read_line().startswith((b"a NO", b"a BAD"))
        imap.command("NOOP")

    def test_literals_before_login_are_tiny(self, server):
        """Decision 4: one byte budget covers a whole command with all its literals."""
        with ImapWire(server) as client:
            client.greeting()
            client.send("a LOGIN {1000000}\r\n")
            assert not client.read_line().startswith(b"+")

    def test_many_literals_in_one_command(self, server):
        with ImapWire(server) as client:
            client.greeting()
            client.send("a LOGIN ")
            refused = False
            try:
                for _ in range(50):
                    client.send(b"{1000+}\r\n" + b"x" * 1000 + b" ")
                client.send("\r\n")
                refused = not client.rest().startswith(b"a OK")
            except OSError:
                refused = True
            assert refused


class TestSmtp:
    def test_recipients(self, limited):
        server, _ = limited(smtp={"recipients": 100})
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.command("MAIL FROM:<a@elsewhere.test>", 250)
            for number in range(100):
                client.command(f"RCPT TO:<alice+{number}@{DOMAIN}>", 250)
            reply = client.command(f"RCPT TO:<alice+more@{DOMAIN}>", 452)  # RFC 5321 §4.5.3.1.10
            assert reply.enhanced == "4.5.3"

    def test_refused_commands(self, limited):
        server, _ = limited(smtp={"errors": 5})
        with SmtpWire(server) as client:
            client.greeting()
            codes = []
            while codes[-1:] != [421]:
                codes.append(client.command("FROBNICATE").code)
            assert codes == [500] * 5 + [421] or codes == [500] * 4 + [421]
            assert client.at_end()

    def test_probing_for_recipients(self, limited):
        server, _ = limited(smtp={"refused_recipients": 10, "errors": 1000})
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.command("MAIL FROM:<a@elsewhere.test>", 250)
            codes = [0]
            while codes[-1] != 421 and len(codes) < 50:
                codes.append(client.command(f"RCPT TO:<guess{len(codes)}@{DOMAIN}>").code)
            assert 10 <= len(codes) <= 13

    def test_idling_between_messages(self, limited):
        server, _ = limited(smtp={"commands_between_messages": 20})
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            codes = [0]
            while codes[-1] != 421 and len(codes) < 100:
                codes.append(client.command("NOOP").code)
            assert len(codes) <= 25


def test_imap_refused_commands(limited):
    server, account = limited(imap={"bad_commands": 5})
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.send("a FROB\r\n" * 10)
        assert client.rest().count(b"a BAD") <= 6 and b"* BYE" in client.buffer


class TestConnections:
    def greets(self, server, source="127.0.0.1"):
        try:
            client = SmtpWire(server, source=source)
            return client, client.reply().code == 220
        except OSError:
            return None, False

    def test_per_address(self, limited):
        server, _ = limited(limits={"connections_per_address": 5})
        held = [self.greets(server, "127.0.0.2") for _ in range(5)]
        assert all(good for _, good in held)
        client, good = self.greets(server, "127.0.0.2")
        assert not good
        assert client is None or client.at_end()
        assert self.greets(server, "127.0.0.3")[1], "another address is served"
        held[0][0].close()
        deadline = time.monotonic() + 5
        while not self.greets(server, "127.0.0.2")[1]:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def test_all_together(self, limited):
        server, _ = limited(limits={"connections": 8})
        held = [self.greets(server, f"127.0.0.{number}") for number in range(2, 10)]
        assert all(good for _, good in held)
        assert not self.greets(server, "127.0.0.20")[1]

    def test_words_of_each_protocol(self, limited):
        server, _ = limited(limits={"connections": 1})
        with SmtpWire(server) as first:
            first.greeting()
            for protocol, start in (("smtp", b"421 mail.example.test "), ("pop3", b"-ERR "), ("imap", b"* BYE ")):
                with server.connect(protocol) as client:
                    assert client.recv(1000).startswith(start)

    def test_trusted_networks_have_no_limit(self, own):
        server = own({"limits": {"connections": 2, "connections_per_address": 1, "trusted": ["127.0.0.0/8"]}})
        held = [self.greets(server) for _ in range(10)]
        assert all(good for _, good in held)

    @pytest.mark.parametrize("protocol", ["imap", "pop3"])
    def test_per_account(self, limited, protocol):
        server, account = limited(limits={"connections_per_account": 3})

        def login(kind):
            client = kind(server)
            client.greeting()
            if kind is ImapWire:
                return client, client.login(*account, status=None).status == "OK"
            client.command(f"USER {account[0]}")
            return client, client.command(f"PASS {account[1]}", ok=None).startswith("+OK")

        held = [login(ImapWire) for _ in range(3)]
        assert all(good for _, good in held)
        kind = {"imap": ImapWire, "pop3": PopWire}[protocol]
        refused, good = login(kind)
        assert not good
        held.pop()[0].close()
        refused.close()
        deadline = time.monotonic() + 5
        while not (again := login(kind))[1]:
            again[0].close()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def test_a_maildrop_is_open_once(self, limited):
        """RFC 1939 §4: an exclusive-access lock, and RFC 2449 §8.1.2 its words; or a drop for each session."""
        server, account = limited()
        with PopWire(server) as first, PopWire(server) as second:
            for client in (first, second):
                client.greeting()
                client.command(f"USER {account[0]}")
            first.command(f"PASS {account[1]}")
            answer = second.command(f"PASS {account[1]}", ok=None)
            assert answer.startswith("+OK") or "[IN-USE]" in answer
            first.command("QUIT")
        with PopWire(server) as third:
            third.greeting()
            third.login(*account)

    def test_the_defaults_have_room_for_several_devices(self, limited):
        server, account = limited()
        held = []
        for _ in range(20):  # Thunderbird keeps 5, on each of four devices
            client = ImapWire(server)
            client.greeting()
            client.login(*account)
            held.append(client)
        assert all(client.command("NOOP") for client in held)


class TestGuessing:
    def guess(self, server, source="127.0.0.5", password="wrong"):
        """(seconds, answer) of one login on a fresh connection."""
        began = time.monotonic()
        with ImapWire(server, source=source, timeout=30) as client:
            first = client.read_response()
            if not first.startswith(b"* OK"):
                return time.monotonic() - began, first.decode()
            tag = client.start(f'LOGIN {ALICE} "{password}"')
            try:
                return time.monotonic() - began, str(client.finish(tag, None))
            finally:
                self.seconds = time.monotonic() - began

    def test_a_growing_delay_that_is_capped_and_others_are_not_held_up(self, limited):
        server, account = limited(auth={"hash_ops": 1, "hash_memory_kib": 8, "guess_delay_max": 2, "guess_block_seconds": 0})
        delays = []
        for number in range(4):
            assert "NO" in self.guess(server, password=f"wrong{number}")[1]
            delays.append(self.seconds)
        assert delays[0] < 1.5 and delays[-1] > delays[0] and max(delays) < 3.5, delays
        began = time.monotonic()
        assert "OK" in self.guess(server, "127.0.0.6", account[1])[1]
        assert time.monotonic() - began < 1, "a right password is never delayed by another's guesses"

    def test_an_address_that_goes_on_is_blocked_for_a_time(self, limited):
        server, account = limited(auth={"hash_ops": 1, "hash_memory_kib": 8, "guess_delay_max": 0, "guess_block_seconds": 4})
        for number in range(40):
            with ImapWire(server, source="127.0.0.5") as client:
                if not client.read_response().startswith(b"* OK"):
                    break
                client.login(ALICE, f"wrong{number}", "NO")
        assert not self.guess(server, "127.0.0.5", account[1])[1].startswith("OK")
        assert self.guess(server, "127.0.0.6", account[1])[1].startswith("OK"), "only that address"
        deadline = time.monotonic() + 15
        while not self.guess(server, "127.0.0.5", account[1])[1].startswith("OK"):
            assert time.monotonic() < deadline, "the block ends"
            time.sleep(0.5)

    def test_trusted_networks_guess_without_delay(self, own):
        server = own({"auth": {"guess_delay_max": 15}}, accounts=[ALICE])
        for number in range(10):
            self.guess(server, password=f"wrong{number}")
            assert self.seconds < 1

    @pytest.mark.parametrize("protocol", ["smtp", "pop3"])
    def test_failed_logins_of_one_connection(self, limited, protocol):
        server, _ = limited(auth={"hash_ops": 1, "hash_memory_kib": 8, "guess_delay_max": 0, "guess_block_seconds": 0})
        kind = {"smtp": SmtpWire, "pop3": PopWire}[protocol]
        with kind(server, "submission" if protocol == "smtp" else None) as client:
            client.greeting()
            tries = 0
            if protocol == "smtp":
                client.ehlo()
            try:
                while tries < 100:
                    if protocol == "smtp":
                        if client.login(ALICE, "wrong", None).code == 421:
                            break
                    else:
                        client.command(f"USER {ALICE}", ok=None)
                        client.command("PASS wrong", ok=False)
                    tries += 1
            except OSError:
                pass
            assert tries < 50, "a connection cannot guess for ever"


    def test_refused_logins_do_not_fill_the_log(self, limited):
        """20 lines a minute, and one an address at least: programs that read them shut guessers out."""
        server, _ = limited(auth={"hash_ops": 1, "hash_memory_kib": 8, "guess_delay_max": 0, "guess_block_seconds": 0},
                            log={"level": "info"})
        for source, tries in (("127.0.0.5", 30), ("127.0.0.6", 2)):
            for number in range(tries):
                with SmtpWire(server, "submission", source=source) as client:
                    client.greeting()
                    client.ehlo()
                    client.login(ALICE, f"wrong{number}", 535)
        log = server.log()
        assert log.count("auth.failed") == 21
        assert len(re.findall(r"auth\.failed .*address=127\.0\.0\.6 ", log)) == 1

    def test_pop3_without_a_login(self, limited):
        server, account = limited(pop3={"commands_before_login": 10}, timeout={"pop3_login": 2})
        with PopWire(server) as client:
            client.greeting()
            for _ in range(9):
                client.command(f"USER {ALICE}")
            client.send_line(f"USER {ALICE}")
            assert client.rest().endswith(b"-ERR Too many commands without a login\r\n")
        with PopWire(server) as client, PopWire(server) as logged_in:
            for each in (client, logged_in):
                each.greeting()
            logged_in.login(*account)
            began = time.monotonic()
            client.socket.settimeout(10)
            assert client.rest() == b"" and time.monotonic() - began < 8
            logged_in.command("NOOP")

    @pytest.mark.parametrize("key, sources", [("logins_waiting", 12), ("logins_waiting_per_address", 1)])
    def test_waiting_logins(self, limited, key, sources):
        """Beyond so many a login is told to come back later: 454 (RFC 4954 §4.7)."""
        server, account = limited(auth={"hash_ops": 6, "hash_memory_kib": 65536, "hash_threads": 1, key: 2,
                                        "guess_delay_max": 0, "guess_block_seconds": 0})
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(SmtpWire(server, "submission", source=f"127.0.0.{5 + number % sources}"))
                       for number in range(12)]
            for client in clients:
                client.greeting()
                client.ehlo()
            for client in clients:
                client.send_line("AUTH PLAIN " + base64.b64encode(f"\0{account[0]}\0wrong".encode()).decode())
            codes = sorted(client.reply().code for client in clients)
            assert codes[0] == 454 and codes[-1] == 535 and codes.count(535) >= 3, codes
        wanted = "of all networks wait" if key == "logins_waiting" else r"from 127\.0\.0\.5 wait"
        server.wait_log(rf"auth\.unavailable .*too many logins {wanted}")


class TestSlowPeers:
    def test_a_client_that_reads_nothing_pins_little_memory(self, limited):
        """Back-pressure: a slow reader holds its own session only."""
        server, account = limited()
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            client.append(message("large", 8_000_000))
        before = server.memory_kib()
        slow = []
        for _ in range(10):
            client = ImapWire(server)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.greeting()
            client.login(*account)
            client.select()
            client.send("".join(f"s{n} FETCH 1 BODY.PEEK[]\r\n" for n in range(20)))
            slow.append(client)
        time.sleep(1)
        assert server.memory_kib() - before < 30_000
        began = time.monotonic()
        assert len(bodies(server, account)) == 1
        assert time.monotonic() - began < 5, "others are served meanwhile"
        for client in slow:
            client.close()

    def test_a_flood_of_commands_without_reading(self, server, account):
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            before = server.memory_kib()
            client.socket.settimeout(3)
            try:
                for _ in range(100):
                    client.send(b"x CAPABILITY\r\n" * 5000)
            except TimeoutError:
                pass
            assert server.memory_kib() - before < 20_000


    @pytest.mark.parametrize("protocol, command", [("smtp", b"EHLO client.test\r\n"), ("smtp", b"RSET\r\n"), ("smtp", b"NOOP\r\n"),
                                                   ("pop3", b"CAPA\r\n"), ("pop3", b"RETR 1\r\n")])
    def test_a_flood_of_commands_without_reading_elsewhere(self, limited, protocol, command):
        """RFC 2920, RFC 2449 §6.8: however much is pipelined, what waits to be read is bounded."""
        server, account = limited(smtp={"commands_between_messages": 100_000},
                                  pop3={"commands_before_login": 100_000})
        with {"smtp": SmtpWire, "pop3": PopWire}[protocol](server) as client:
            client.greeting()
            if b"RETR" in command:
                with SmtpWire(server) as sender:
                    sender.greeting()
                    sender.ehlo()
                    sender.deliver(message("letter", 20_000), account[0])
                client.login(*account)
            before = server.memory_kib()
            client.socket.settimeout(2)
            try:
                for _ in range(20):
                    client.send(command * 5000)
            except TimeoutError:
                pass
            assert server.memory_kib() - before < 20_000


class TestTimeouts:
    """The times are keys, so that a test need not wait for minutes."""

    SHORT = {"tls_handshake": 1, "line": 1, "body": 1, "smtp_idle": 2, "pop3_idle": 2, "imap_idle_before_login": 2,
             "imap_idle": 3}

    def ends(self, client, most):
        began = time.monotonic()
        client.socket.settimeout(most)
        client.rest()
        return time.monotonic() - began

    def test_each(self, limited):
        server, account = limited(timeout=self.SHORT)
        clients = {}
        for name, kind in (("smtp", SmtpWire), ("pop3", PopWire), ("imap", ImapWire)):
            clients[name] = kind(server)
            clients[name].greeting()
        assert 1 < self.ends(clients["smtp"], 10) < 5 and clients["smtp"].buffer.startswith(b"421 "), "RFC 5321 §3.8"
        self.ends(clients["pop3"], 10)
        self.ends(clients["imap"], 10)
        assert b"* BYE" in clients["imap"].buffer
        for name, kind, line in (("smtp", SmtpWire, "NO"), ("pop3", PopWire, "CA"), ("imap", ImapWire, "a NO")):
            with kind(server) as client:
                client.greeting()
                client.send(line)
                assert self.ends(client, 10) < 2.9, f"{name}: a line once begun ends within its time"
        with server.connect("imaps") as silent:
            silent.settimeout(10)
            began = time.monotonic()
            assert silent.recv(1) == b"" and time.monotonic() - began < 4
        with ImapWire(server) as client:
            client.greeting()
            client.login(*account)
            client.select()
            assert 2 < self.ends(client, 10) < 6

    def test_a_message_that_does_not_end_in_time(self, limited):
        """[timeout] smtp_message: all of it, however steadily it comes."""
        server, account = limited(timeout={"smtp_message": 2})
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.envelope("a@elsewhere.test", ALICE)
            began = time.monotonic()
            with pytest.raises(OSError):
                while time.monotonic() - began < 10:
                    client.send("x\r\n")
                    time.sleep(0.2)
            assert time.monotonic() - began < 8
            assert b"421 " in client.buffer + client.rest()
        assert bodies(server, account) == []

    def test_the_reserve_of_free_space(self, limited):
        """[limits] free_space_reserve: a sender is told to come back later, before the message (RFC 5321 §4.2.2)."""
        server, account = limited(limits={"free_space_reserve": 2**40})
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            assert client.command("MAIL FROM:<a@elsewhere.test>").code == 452
        server.write_config({"limits": {"free_space_reserve": 0}})
        server.send_signal(signal.SIGHUP)
        server.wait_log(r"server\.reloaded")
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.deliver(message("fits"), account[0])

    def test_a_trickle_does_not_prolong_a_line(self, limited):
        server, _ = limited(timeout=self.SHORT)
        with SmtpWire(server) as client:
            client.greeting()
            began = time.monotonic()
            with pytest.raises(OSError):
                while time.monotonic() - began < 8:
                    client.send("x")
                    time.sleep(0.3)
            assert time.monotonic() - began < 5

    def test_silence_inside_of_data(self, limited):
        server, account = limited(timeout=self.SHORT)
        with SmtpWire(server) as client:
            client.greeting()
            client.ehlo()
            client.envelope("a@elsewhere.test", ALICE)
            client.send("Subject: half\r\n")
            assert self.ends(client, 10) < 5
        assert bodies(server, account) == []


def test_a_right_password_does_not_wait_for_others_guesses(own):
    """Hashes cost what they cost by default, and many guesses wait for theirs."""
    server = own({"limits": {"trusted": []}, "auth": {"hash_ops": 2, "hash_memory_kib": 19456}, "log": {"level": "info"}})
    account = server.add_account()
    right = base64.b64encode("\0".join(("", *account)).encode()).decode()
    with contextlib.ExitStack() as stack:
        guessers = [stack.enter_context(SmtpWire(server, "submission", source=f"127.0.0.{2 + number % 4}"))
                    for number in range(112)]
        owner = stack.enter_context(SmtpWire(server, "submission", source="127.0.1.1"))
        for client in (owner, *guessers):
            client.greeting()
            client.ehlo()
        for number, client in enumerate(guessers):
            client.send_line("AUTH PLAIN " + base64.b64encode(f"\0{account[0]}\0wrong{number}".encode()).decode())
        owner.command(f"AUTH PLAIN {right}", 235)
        before = server.log().partition("auth.ok")[0].count("wrong user or password")
        assert before < 30, before
        server.wait_log(r"auth\.blocked", seconds=60)
