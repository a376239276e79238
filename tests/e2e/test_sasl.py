"""SASL mechanisms other than PLAIN and LOGIN, by clients that others wrote and by the wire."""

import base64
import hashlib
import pathlib
import ssl
import subprocess

import pytest

from support.certificates import self_signed
from support.messages import bodies, message, without_trace
from support.scram import ScramClient
from support.server import HOSTNAME, folder, running
from support.wire import ImapWire, PopWire, SmtpWire

pytestmark = pytest.mark.sanitized
PROTOCOLS = ["imap", "pop3", "smtp"]


@pytest.fixture(scope="module")
def _named():
    """A server whose certificate also names localhost, for clients that check what they connected to."""
    with folder() as place, running() as server:
        certificate, key = self_signed(place, "localhost", HOSTNAME, "localhost")
        server.stop()
        server.write_config({"tls": {"certificate": str(certificate), "key": str(key)}})
        server.certificate = certificate
        yield server.start()


@pytest.fixture
def server(_named):
    yield _named
    _named.check_log()


def run(*line, stdin=b"", status=0):
    done = subprocess.run([str(part) for part in line], input=stdin, capture_output=True, timeout=50)
    assert done.returncode == status, f"{line}: {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}"
    return done.stdout


def end_point(server):
    """tls-server-end-point (RFC 5929 §4) of a certificate that is signed with SHA-256."""
    der = ssl.PEM_cert_to_DER_cert(pathlib.Path(server.certificate).read_text())
    return "tls-server-end-point", hashlib.sha256(der).digest()


class Session:
    """AUTH in one of the protocols, over TLS from the start."""

    def __init__(self, server, protocol, context=None):
        kind, port = {"imap": (ImapWire, "imaps"), "pop3": (PopWire, "pop3s"), "smtp": (SmtpWire, "submissions")}[protocol]
        self.protocol = protocol
        self.wire = kind(server, port)
        self.wire.start_tls(context)
        self.wire.greeting()
        if protocol == "smtp":
            self.wire.ehlo()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.wire.close()

    def mechanisms(self):
        if self.protocol == "imap":
            names = self.wire.command("CAPABILITY").of("CAPABILITY")[0].value
            return [str(name)[5:] for name in names if str(name).startswith("AUTH=")]
        if self.protocol == "pop3":
            line = next(line for line in self.wire.multi("CAPA") if line.startswith(b"SASL "))
            return line.decode().split()[1:]
        return [name.decode() if isinstance(name, bytes) else name for name in self.wire.ehlo()["AUTH"]]

    def log_in(self, mechanism, client, initial=True):
        """The status line that ends it."""
        verb = "a AUTHENTICATE" if self.protocol == "imap" else "AUTH"
        first = base64.b64encode(client.first).decode()
        self.wire.send_line(f"{verb} {mechanism}" + (f" {first}" if initial else ""))
        line = self.wire.read_line()
        answers = [] if initial else [lambda _challenge: client.first]
        answers += [client.final, lambda challenge: b"" if challenge == client.signature else b"*"]
        for answer in answers:
            if not line.startswith((b"+ ", b"334 ")):
                return line
            challenge = base64.b64decode(line.split(b" ", 1)[1])
            self.wire.send_line(base64.b64encode(answer(challenge)).decode())
            line = self.wire.read_line()
        return line


SUCCESS = {"imap": b"a OK ", "pop3": b"+OK ", "smtp": b"235 "}
REFUSAL = {"imap": b"a NO [AUTHENTICATIONFAILED] ", "pop3": b"-ERR [AUTH] ", "smtp": b"535 5.7.8 "}


@pytest.mark.parametrize("protocol", PROTOCOLS)
class TestScram:
    def test_offered(self, server, protocol):
        with Session(server, protocol) as session:
            assert session.mechanisms() == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]

    @pytest.mark.parametrize("initial", [True, False])
    def test_plain_and_bound(self, server, account, protocol, initial):
        for mechanism, binding in (("SCRAM-SHA-256", None), ("SCRAM-SHA-256-PLUS", end_point(server))):
            with Session(server, protocol) as session:
                assert session.log_in(mechanism, ScramClient(*account, binding), initial).startswith(SUCCESS[protocol])

    def test_tls_unique(self, server, account, protocol):
        """RFC 5802 §6.1 has servers know it; it is there in TLS 1.2 alone."""
        context = ssl.create_default_context(cafile=str(server.certificate))
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with Session(server, protocol, context) as session:
            binding = ("tls-unique", session.wire.socket.get_channel_binding("tls-unique"))
            line = session.log_in("SCRAM-SHA-256-PLUS", ScramClient(*account, binding))
            assert line.startswith(SUCCESS[protocol])

    def test_refused(self, server, account, protocol):
        address, password = account
        kind, octets = end_point(server)
        for mechanism, client in (
            ("SCRAM-SHA-256", ScramClient(address, password + "x")),
            ("SCRAM-SHA-256", ScramClient("nobody@example.test", password)),
            # The client was kept from seeing that -PLUS is offered.
            ("SCRAM-SHA-256", ScramClient(address, password, flag="y")),
            # Somebody is in between.
            ("SCRAM-SHA-256-PLUS", ScramClient(address, password, (kind, octets[::-1]))),
            ("SCRAM-SHA-256-PLUS", ScramClient(address, password, ("tls-other", octets))),
        ):
            with Session(server, protocol) as session:
                assert session.log_in(mechanism, client).startswith(REFUSAL[protocol])


def test_salts_stay(own):
    """Who is not there has a salt as who is: the same at each login, also after a restart."""
    server = own(accounts=["alice@example.test"])

    def salt(name):
        with Session(server, "imap") as session:
            client = ScramClient(name, "wrong")
            assert session.log_in("SCRAM-SHA-256", client).startswith(REFUSAL["imap"])
            return len(client.salt), client.iterations, client.salt

    before = {name: salt(f"{name}@example.test") for name in ("alice", "nobody")}
    server.stop()
    server.start()
    assert {name: salt(f"{name}@example.test") for name in before} == before
    assert before["alice"] != before["nobody"] and before["alice"][:2] == before["nobody"][:2]


def test_mbsync(server, account, program, base_folder):
    """By Cyrus SASL."""
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("scram"))
    (base_folder / "local").mkdir()
    config = base_folder / "mbsyncrc"
    config.write_text(f"""IMAPStore remote
Host localhost
Port {server.ports["imaps"]}
User {account[0]}
Pass "{account[1]}"
AuthMechs SCRAM-SHA-256
SSLType IMAPS
CertificateFile {server.certificate}

MaildirStore local
Path {base_folder}/local/
Inbox {base_folder}/local/INBOX

Channel all
Far :remote:
Near :local:
Create Near
SyncState *
""")
    run(program("mbsync"), "-c", config, "all")
    assert len(list((base_folder / "local/INBOX/new").iterdir())) == 1
    assert f"user={account[0]} service=imap mechanism=SCRAM-SHA-256" in server.log()


def gnu_options(server):
    return f"""host 127.0.0.1
tls on
tls_starttls off
tls_trust_file {server.certificate}
tls_host_override {HOSTNAME}
auth scram-sha-256
"""


def test_mpop(server, account, program, base_folder):
    """By GNU SASL, over POP3."""
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        client.append(message("scram"))
    for part in ("cur", "new", "tmp"):
        (base_folder / "mail" / part).mkdir(parents=True)
    config = base_folder / "mpoprc"
    config.write_text(f"""account default
{gnu_options(server)}port {server.ports["pop3s"]}
user {account[0]}
password "{account[1]}"
uidls_file {base_folder}/uidls
delivery maildir {base_folder}/mail
""")
    config.chmod(0o600)
    run(program("mpop"), "-C", config, "-q")
    assert len(list((base_folder / "mail/new").iterdir())) == 1
    assert f"user={account[0]} service=pop3 mechanism=SCRAM-SHA-256" in server.log()


def test_msmtp(server, account, program, base_folder):
    """By GNU SASL, over SMTP."""
    config = base_folder / "msmtprc"
    config.write_text(f"""account default
{gnu_options(server)}port {server.ports["submissions"]}
user {account[0]}
password "{account[1]}"
from {account[0]}
""")
    config.chmod(0o600)
    text = message("msmtp")
    run(program("msmtp"), "-C", config, account[0], stdin=text.replace(b"\r\n", b"\n"))
    assert without_trace(bodies(server, account)[0], text)
    assert f"user={account[0]} service=smtp mechanism=SCRAM-SHA-256" in server.log()


@pytest.mark.parametrize("protocol, port", [("imap", "imap"), ("smtp", "submission")])
@pytest.mark.parametrize("mechanism, options", [("SCRAM-SHA-256", ["--no-cb"]), ("SCRAM-SHA-256-PLUS", [])])
def test_gsasl(server, account, program, protocol, port, mechanism, options):
    """GNU SASL's own client: binds by tls-exporter (RFC 9266) over STARTTLS."""
    run(program("gsasl"), f"--{protocol}", "--connect", f"localhost:{server.ports[port]}", "--mechanism", mechanism,
        "--authentication-id", account[0], "--password", account[1], "--x509-ca-file", server.certificate, "--starttls", *options)
    assert f"user={account[0]} service={protocol} mechanism={mechanism}" in server.log()
