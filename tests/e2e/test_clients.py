"""Mail programs that others wrote, in plaintext, over STARTTLS and over implicit TLS."""

import os
import re
import subprocess

import pytest

from support.certificates import self_signed
from support.messages import bodies, message, read_all, without_trace
from support.server import HOSTNAME, folder, hand_over, running
from support.wire import ImapWire

pytestmark = pytest.mark.sanitized
MODES = ["plaintext", "starttls", "implicit"]


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


def run(*line, stdin=None, status=0, timeout=50, cwd=None):
    done = subprocess.run([str(part) for part in line], input=stdin, capture_output=True, timeout=timeout, cwd=cwd)
    assert done.returncode == status, f"{line}: {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}"
    return done.stdout


def append(server, account, *texts, mailbox="INBOX", flags=""):
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        for text in texts:
            client.append(text, mailbox, flags)


class TestCurl:
    """Verifies the certificate by its name, as the name is resolved to loopback."""

    def curl(self, program, server, mode, scheme, port, path, account, *more, stdin=None):
        port = server.ports[port]
        options = {"plaintext": [], "starttls": ["--ssl-reqd"], "implicit": []}[mode]
        scheme += "s" if mode == "implicit" else ""
        return run(program("curl"), "-sS", "--max-time", 30, "--resolve", f"{HOSTNAME}:{port}:127.0.0.1", "--cacert",
                   server.certificate, "--user", f"{account[0]}:{account[1]}", *options, *more,
                   f"{scheme}://{HOSTNAME}:{port}/{path}", stdin=stdin)

    @pytest.mark.parametrize("mode", MODES)
    def test_send(self, server, account, program, mode):
        text = message(f"curl-{mode}", 20000)
        port = "submissions" if mode == "implicit" else "submission"
        self.curl(program, server, mode, "smtp", port, "laptop.example.test", account, "--mail-from", account[0],
                  "--mail-rcpt", account[0], "--upload-file", "-", stdin=text)
        assert without_trace(bodies(server, account)[0], text)

    @pytest.mark.parametrize("mode", MODES)
    def test_pop3(self, server, account, program, mode):
        text = message(f"curl-pop-{mode}", 20000)
        append(server, account, text)
        port = "pop3s" if mode == "implicit" else "pop3"
        assert self.curl(program, server, mode, "pop3", port, "1", account) == text
        assert self.curl(program, server, mode, "pop3", port, "", account).split() == [b"1", str(len(text)).encode()]

    @pytest.mark.parametrize("mode", MODES)
    def test_imap(self, server, account, program, base_folder, mode):
        text = message(f"curl-imap-{mode}", 20000)
        append(server, account, text)
        port = "imaps" if mode == "implicit" else "imap"
        assert self.curl(program, server, mode, "imap", port, "INBOX;UID=1", account) == text
        assert b"INBOX" in self.curl(program, server, mode, "imap", port, "", account)
        (base_folder / "text").write_bytes(text)  # APPEND needs to know the size first
        self.curl(program, server, mode, "imap", port, "Archive", account, "--upload-file", base_folder / "text")
        assert bodies(server, account, "Archive") == [text]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("auth", ["PLAIN", "LOGIN"])
def test_swaks(server, account, program, mode, auth):
    tls = {"plaintext": [], "starttls": ["--tls", "--tls-verify"], "implicit": ["--tls-on-connect", "--tls-verify"]}[mode]
    if tls:
        tls += ["--tls-ca-path", server.certificate, "--tls-sni", HOSTNAME]
        tls.remove("--tls-verify")  # it would look for the address in the certificate
    port = server.ports["submissions" if mode == "implicit" else "submission"]
    run(program("swaks"), "--server", "127.0.0.1", "--port", port, "--from", account[0], "--to", account[0], "--auth",
        auth, "--auth-user", account[0], "--auth-password", account[1], "--header", "Subject: by swaks", "--timeout",
        30, *tls)
    assert b"Subject: by swaks\r\n" in bodies(server, account)[0]


@pytest.mark.parametrize("mode", ["plaintext", "starttls"])
def test_swaks_to_port_25(server, account, program, mode):
    tls = ["--tls"] if mode == "starttls" else []
    run(program("swaks"), "--server", "127.0.0.1", "--port", server.ports["smtp"], "--from", "a@elsewhere.test", "--to",
        account[0], "--timeout", 30, "--pipeline", *tls)
    assert len(bodies(server, account)) == 1


@pytest.mark.parametrize("mode", MODES)
def test_mbsync_both_ways(server, account, program, base_folder, mode):
    local = base_folder / "local"
    local.mkdir()
    port = server.ports["imaps" if mode == "implicit" else "imap"]
    tls = {"plaintext": "SSLType None", "starttls": "SSLType STARTTLS", "implicit": "SSLType IMAPS"}[mode]
    trust = "" if mode == "plaintext" else f"CertificateFile {server.certificate}\n"
    config = base_folder / "mbsyncrc"
    config.write_text(f"""IMAPStore remote
Host localhost
Port {port}
User {account[0]}
Pass "{account[1]}"
{tls}
{trust}
MaildirStore local
Path {local}/
Inbox {local}/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
""")

    def sync():
        run(program("mbsync"), "-c", config, "all")

    def local_files(mailbox):
        return [path for part in ("new", "cur") for path in (local / mailbox / part).iterdir()]

    far = [message(f"far-{number}", 3000) for number in range(5)]
    append(server, account, *far)
    append(server, account, message("sent"), mailbox="Sent", flags=r"\Seen")
    sync()
    # mbsync keeps local files with bare LF, and adds its X-TUID field.
    assert sorted(re.sub(rb"X-TUID: .*\n", b"", path.read_bytes()) for path in local_files("INBOX")) == sorted(t.replace(b"\r\n", b"\n") for t in far)
    assert [path.name.rpartition(":2,")[2] for path in local_files("Sent")] == ["S"]

    near = message("near", 2000).replace(b"\r\n", b"\n")
    (local / "INBOX/new/1700000000.near.host").write_bytes(near)
    gone = next(path for path in local_files("INBOX") if b"far-0" in path.read_bytes())
    gone.rename(local / "INBOX/cur" / (re.sub(r":2,.*", "", gone.name) + ":2,ST"))
    seen = next(path for path in local_files("INBOX") if b"far-1" in path.read_bytes())
    seen.rename(local / "INBOX/cur" / (re.sub(r":2,.*", "", seen.name) + ":2,FS"))
    (local / "New box/tmp").mkdir(parents=True)
    for part in ("cur", "new"):
        (local / "New box" / part).mkdir()
    sync()
    found = read_all(server, account, items="FLAGS BODY.PEEK[]")
    texts = {uid: re.sub(rb"X-TUID: [^\r]*\r\n", b"", items["BODY[]"]) for uid, items in found.items()}
    assert sorted(texts.values()) == sorted([*far[1:], near.replace(b"\n", b"\r\n")])
    flagged = next(items for uid, items in found.items() if b"far-1" in texts[uid])
    assert {r"\Flagged", r"\Seen"} <= set(flagged["FLAGS"])
    with ImapWire(server) as client:
        client.greeting()
        client.login(*account)
        assert "New box" in client.mailboxes()
        client.select()
        uid = next(uid for uid, text in texts.items() if b"far-2" in text)
        client.command(rf"UID STORE {uid} +FLAGS.SILENT (\Deleted)")
        client.command("EXPUNGE")
    sync()
    assert not [path for path in local_files("INBOX") if b"far-2" in path.read_bytes()]
    before = sorted(path.name for path in local_files("INBOX"))
    sync()
    assert sorted(path.name for path in local_files("INBOX")) == before, "a third run has nothing to do"


@pytest.mark.parametrize("mode", MODES)
def test_mpop(server, account, program, base_folder, mode):
    texts = [message(f"mpop-{number}", 3000 * number + 10) for number in range(4)]
    append(server, account, *texts)
    for part in ("cur", "new", "tmp"):
        (base_folder / "mail" / part).mkdir(parents=True)
    tls = {"plaintext": "tls off", "starttls": "tls on\ntls_starttls on", "implicit": "tls on\ntls_starttls off"}[mode]
    trust = "" if mode == "plaintext" else f"tls_trust_file {server.certificate}\ntls_host_override {HOSTNAME}"
    config = base_folder / "mpoprc"
    config.write_text(f"""account default
host 127.0.0.1
port {server.ports["pop3s" if mode == "implicit" else "pop3"]}
user {account[0]}
password "{account[1]}"
auth plain
uidls_file {base_folder}/uidls
delivery maildir {base_folder}/mail
received_header off
keep off
{tls}
{trust}
""")
    config.chmod(0o600)
    run(program("mpop"), "-C", config, "-q")
    got = sorted(path.read_bytes() for path in (base_folder / "mail/new").iterdir())
    assert got == sorted(text.replace(b"\r\n", b"\n") for text in texts)
    assert bodies(server, account) == []


@pytest.mark.parametrize("mode", MODES)
def test_fetchmail(server, account, program, base_folder, mode):
    append(server, account, message("fetchmail-1"), message("fetchmail-2", 30000))
    tls = {"plaintext": "sslproto ''", "starttls": f"sslproto 'auto' sslcertck sslcertfile {server.certificate} sslcommonname {HOSTNAME}",
           "implicit": f"ssl sslcertck sslcertfile {server.certificate} sslcommonname {HOSTNAME}"}[mode]
    out = base_folder / "out"
    config = base_folder / "fetchmailrc"
    config.write_text(f"""poll 127.0.0.1 protocol pop3 port {server.ports["pop3s" if mode == "implicit" else "pop3"]}
user "{account[0]}" password "{account[1]}" mda "cat >> {out}" nokeep fetchall {tls}
""")
    config.chmod(0o600)
    run(program("fetchmail"), "--nodetach", "--nosyslog", "-f", config, "-i", base_folder / "ids", "--pidfile",
        base_folder / "pid", cwd=base_folder)
    got = out.read_bytes()
    assert b"This is fetchmail-1." in got and b"This is fetchmail-2." in got
    assert bodies(server, account) == []


@pytest.mark.parametrize("protocol", ["SimplePOP3Retriever", "SimpleIMAPRetriever", "SimplePOP3SSLRetriever",
                                      "SimpleIMAPSSLRetriever"])
def test_getmail(server, account, program, base_folder, protocol):
    text = message("getmail", 3000)
    append(server, account, text)
    for part in ("cur", "new", "tmp"):
        (base_folder / "mail" / part).mkdir(parents=True)
    port = server.ports[re.search("POP3|IMAP", protocol).group().lower() + ("s" if "SSL" in protocol else "")]
    (base_folder / "getmailrc").write_text(f"""[retriever]
type = {protocol}
server = 127.0.0.1
port = {port}
username = {account[0]}
password = {account[1]}
[destination]
type = Maildir
path = {base_folder}/mail/
[options]
delete = true
delivered_to = false
received = false
""")
    # It refuses to write mail as root.
    hand_over(base_folder)
    getmail = [program("getmail"), "--getmaildir", base_folder]
    if os.geteuid() == 0:
        getmail = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *getmail]
    run(*getmail)
    got, = (path.read_bytes() for path in (base_folder / "mail/new").iterdir())
    # It adds header fields of its own.
    head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    assert got.partition(b"\n\n")[2] == body and set(head.split(b"\n")) <= set(got.split(b"\n"))
    assert bodies(server, account) == []


def test_a_thunderbird_of_five_connections(server, account):
    """It keeps five, one of them in IDLE; a laptop and a phone do so at once."""
    clients = [ImapWire(server, "imaps", tls=True) for _ in range(10)]
    try:
        for client in clients:
            client.greeting()
            client.command('ID ("name" "Thunderbird" "version" "115.0")')
            client.login(*account)
            client.command("NAMESPACE")
            client.command('LIST (SUBSCRIBED) "" "*"', None)
            client.select()
        assert all(client.command("NOOP") for client in clients)
    finally:
        for client in clients:
            client.close()
