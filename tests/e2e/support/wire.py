"""Clients that speak the three protocols octet by octet, for what libraries hide or forbid."""

import base64
import contextlib
import re
import socket
import time
from dataclasses import dataclass, field

from support.imap_grammar import Malformed, parse_untagged

CRLF = b"\r\n"


def octets(text):
    return text if isinstance(text, bytes) else text.encode()


class Wire:
    """A connection read by lines that must end in CRLF."""

    protocol = None

    def __init__(self, server, protocol=None, timeout=20, source=None, tls=False):
        self.server = server
        self.socket = server.connect(protocol or self.protocol, timeout, source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if tls:
            self.start_tls()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()

    def start_tls(self, context=None, session=None):
        context = context or self.server.tls_context()
        self.socket = context.wrap_socket(self.socket, server_hostname="mail.example.test", session=session)

    def send(self, data):
        self.socket.sendall(octets(data))

    def send_line(self, line):
        self.send(octets(line) + CRLF)

    def fill(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError(f"the server closed the connection; left over: {self.buffer[-200:]!r}")
        self.buffer += data

    def read_line(self):
        """One line without its CRLF."""
        start = 0
        while (end := self.buffer.find(b"\n", start)) < 0:
            start = len(self.buffer)
            self.fill()
        line, self.buffer = self.buffer[:end + 1], self.buffer[end + 1:]
        assert line.endswith(CRLF), f"a line that ends in a bare LF: {line!r}"
        return line[:-2]

    def read_exactly(self, count):
        parts, have = [self.buffer], len(self.buffer)
        while have < count:
            data = self.socket.recv(min(1 << 18, count - have))
            if not data:
                raise ConnectionError("the server closed the connection inside of a literal")
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.buffer = whole[count:]
        return whole[:count]

    def quiet(self, seconds):
        """True when nothing comes for so long."""
        if self.buffer:
            return False
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self.fill()
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)

    def at_end(self):
        """True when the server closed and said nothing more."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def rest(self):
        """Everything until the server closes."""
        with contextlib.suppress(ConnectionError):
            while True:
                self.fill()
        return self.buffer


@dataclass
class Reply:
    """An SMTP reply: the code, and the text of each line without it."""
    code: int
    lines: list

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def enhanced(self):
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3} ", self.lines[-1])
        return found.group().strip() if found else None

    def __str__(self):
        return f"{self.code} {self.text}"


def dot_stuffed(message):
    """`message` (CRLF lines) as DATA sends it, its end included (RFC 5321 §4.5.2)."""
    if message and not message.endswith(CRLF):
        message += CRLF
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


class SmtpWire(Wire):
    protocol = "smtp"

    def reply(self):
        lines = []
        while True:
            line = self.read_line().decode("utf-8")
            assert re.fullmatch(r"[2-5]\d\d([ -].*)?", line), f"no reply line: {line!r}"
            assert len(line) <= 510, f"a reply line beyond 512 octets (RFC 5321 §4.5.3.1.5): {line!r}"
            lines.append(line)
            if line[3:4] != "-":
                break
        codes = {line[:3] for line in lines}
        assert len(codes) == 1, f"a reply of several codes: {lines}"
        return Reply(int(lines[0][:3]), [line[4:] for line in lines])

    def greeting(self):
        reply = self.reply()
        assert reply.code == 220, reply
        return reply

    def command(self, line, code=None):
        self.send_line(line)
        reply = self.reply()
        if code is not None:
            assert reply.code == code, f"{octets(line)[:200]!r} was answered {reply}, wanted {code}"
        return reply

    def ehlo(self, name="client.example.test"):
        """The extensions as {keyword: parameters}."""
        reply = self.command(f"EHLO {name}", 250)
        return {line.split(" ")[0].upper(): line.split(" ")[1:] for line in reply.lines[1:]}

    def login(self, address, password, code=235):
        token = base64.b64encode(b"\0" + octets(address) + b"\0" + octets(password)).decode()
        return self.command(f"AUTH PLAIN {token}", code)

    def envelope(self, sender, *recipients):
        self.command(f"MAIL FROM:<{sender}>", 250)
        for recipient in recipients:
            self.command(f"RCPT TO:<{recipient}>", 250)
        self.command("DATA", 354)

    def deliver(self, message, *recipients, sender="sender@elsewhere.test", code=250):
        """Hands in a message whose lines end in CRLF; the reply to its end."""
        self.envelope(sender, *recipients)
        self.send(dot_stuffed(message))
        reply = self.reply()
        assert code is None or reply.code == code, reply
        return reply


class PopWire(Wire):
    protocol = "pop3"

    def greeting(self):
        line = self.read_line().decode()
        assert line.startswith("+OK"), line
        return line

    def command(self, line, ok=True):
        self.send_line(line)
        return self.answer(ok)

    def answer(self, ok=True):
        answer = self.read_line()
        assert len(answer) <= 510, f"a reply beyond 512 octets (RFC 1939 §3): {answer!r}"
        answer = answer.decode()
        assert answer.split(" ")[0] in ("+OK", "-ERR"), answer
        assert ok is None or answer.startswith("+OK") == ok, f"answered {answer}"
        return answer

    def lines(self):
        """The lines of a multi-line response, dot-unstuffed."""
        found = []
        while (line := self.read_line()) != b".":
            found.append(line[1:] if line.startswith(b".") else line)
        return found

    def multi(self, line):
        self.command(line)
        return self.lines()

    def login(self, address, password):
        self.command(f"USER {address}")
        return self.command(f"PASS {password}")

    def retrieve(self, number):
        """RETR; every line with its CRLF."""
        self.command(f"RETR {number}")
        whole = bytearray(self.buffer)
        while not (whole == b".\r\n" or whole.endswith(b"\r\n.\r\n")):
            more = self.socket.recv(1 << 18)
            if not more:
                raise ConnectionError("the server closed the connection inside of RETR")
            whole += more
        self.buffer = b""
        message = bytes(whole[:-3]).replace(b"\r\n..", b"\r\n.")
        return message[1:] if message.startswith(b"..") else message


@dataclass
class Answer:
    """What one IMAP command brought: its status, and every untagged response before it."""
    status: str
    code: str
    text: str
    untagged: list = field(default_factory=list)

    def of(self, kind):
        return [response for response in self.untagged if response.kind == kind]

    def fetched(self):
        """{sequence number: items}; several FETCH responses of one message are put together."""
        found = {}
        for response in self.of("FETCH"):
            found.setdefault(response.number, {}).update(response.value)
        return found

    def by_uid(self):
        return {items["UID"]: items for items in self.fetched().values()}

    def code_value(self, name):
        """The value of an untagged OK's response code, such as UIDNEXT."""
        for response in self.untagged:
            if response.code and response.code.split(" ")[0].upper() == name:
                return response.code.partition(" ")[2]
        return None

    def __str__(self):
        return f"{self.status} [{self.code}] {self.text} after {[r.raw[:100] for r in self.untagged]}"


def quoted(text):
    """An astring for a mailbox name or the like."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class ImapWire(Wire):
    protocol = "imap"

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.tags = 0
        self.rev2 = False  # IMAP4rev2 is enabled: responses are read as such

    def read_response(self):
        """One whole response line with its literals, without the last CRLF."""
        parts = []
        while True:
            line = self.read_line()
            parts.append(line)
            found = re.search(rb"\{(\d+)\}$", line)
            if not found:
                return b"".join(parts)
            parts += [CRLF, self.read_exactly(int(found.group(1)))]

    def untagged(self):
        line = self.read_response()
        if not line.startswith(b"* "):
            raise Malformed(f"no untagged response: {line!r}")
        return parse_untagged(line[2:], self.rev2)

    def greeting(self):
        response = self.untagged()
        assert response.kind in ("OK", "PREAUTH"), response
        return response

    def next_tag(self):
        self.tags += 1
        return f"t{self.tags}"

    def start(self, command):
        """Sends a command; its tag. Literals in it are non-synchronising (a Literal) or sent as given."""
        tag = self.next_tag()
        self.send(tag.encode() + b" " + octets(command) + CRLF)
        return tag

    def finish(self, tag, status="OK"):
        answer = Answer("", None, "")
        while True:
            line = self.read_response()
            if line.startswith(b"* "):
                answer.untagged.append(parse_untagged(line[2:], self.rev2))
                continue
            found = re.fullmatch(rb"(\S+) (OK|NO|BAD) (?:\[([^\]]+)\] )?(.*)", line)
            assert found and found.group(1).decode() == tag, f"no end of {tag}: {line!r}"
            answer.status = found.group(2).decode()
            answer.code = found.group(3).decode() if found.group(3) else None
            answer.text = found.group(4).decode()
            assert status is None or answer.status == status, f"wanted {status}: {answer}"
            return answer

    def command(self, command, status="OK"):
        return self.finish(self.start(command), status)

    def enable(self, *capabilities):
        """Those that were enabled, in capitals."""
        enabled = self.command("ENABLE " + " ".join(capabilities)).of("ENABLED")[0].value
        self.rev2 = self.rev2 or "IMAP4REV2" in enabled
        return enabled

    def continuation(self):
        line = self.read_line()
        assert line.startswith(b"+"), f"no continuation: {line!r}"
        return line

    def login(self, address, password, status="OK"):
        return self.command(f"LOGIN {quoted(address)} {quoted(password)}", status)

    def append(self, message, mailbox="INBOX", flags="", date="", status="OK"):
        """APPEND with a synchronising literal."""
        return self._append("APPEND", message, mailbox, flags, date, status)

    def uid_replace(self, uid, message, mailbox="INBOX", flags="", date="", status="OK"):
        """The same in place of the selected mailbox's message `uid`."""
        return self._append(f"UID REPLACE {uid}", message, mailbox, flags, date, status)

    def _append(self, command, message, mailbox, flags, date, status):
        tag = self.next_tag()
        options = (f" ({flags})" if flags else "") + (f' "{date}"' if date else "")
        self.send_line(f"{tag} {command} {quoted(mailbox)}{options} {{{len(message)}}}")
        line = self.read_line()
        if not line.startswith(b"+"):
            self.buffer = line + CRLF + self.buffer
            return self.finish(tag, status)
        self.send(message + CRLF)
        return self.finish(tag, status)

    def select(self, mailbox="INBOX", status="OK"):
        return self.command(f"SELECT {quoted(mailbox)}", status)

    def fetch_all(self, items, mailbox=None):
        """{uid: items} of the whole mailbox."""
        if mailbox is not None:
            self.select(mailbox)
        return self.command(f"UID FETCH 1:* (UID {items})").by_uid()

    def status(self, mailbox, items="MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT"):
        return self.command(f"STATUS {quoted(mailbox)} ({items})").of("STATUS")[0].value[1]

    def mailboxes(self):
        """The names that can be selected."""
        return sorted(response.value[2] for response in self.command('LIST "" "*"').of("LIST")
                      if not {r"\Noselect", r"\NonExistent"} & set(response.value[0]))

    def subscriptions(self):
        return sorted(response.value[2] for response in self.command('LSUB "" "*"').of("LSUB"))

    def idle(self):
        tag = self.start("IDLE")
        self.continuation()
        return tag

    def done(self, tag):
        self.send_line("DONE")
        return self.finish(tag)

    def wait_for(self, kind, seconds=5):
        """The next untagged response of this kind, and the seconds that it took."""
        began = time.monotonic()
        self.socket.settimeout(seconds)
        try:
            while True:
                response = self.untagged()
                if response.kind == kind:
                    return response, time.monotonic() - began
        finally:
            self.socket.settimeout(20)
