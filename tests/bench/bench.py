"""Measures Posthorn beside Dovecot and Postfix, in one run, on loopback with the same clients and the same files' disk.

    ./dev bench [--quick] [--folder FOLDER] [--only NAME]...

Dovecot and Postfix are Debian's, as private instances with settings of this file; what is not installed, or can only
be started by root, is left out and named. The table at the end is Markdown.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.server import DOMAIN, ROOT, Server, binary, free_port, hand_over  # noqa: E402

USER, PASSWORD = f"bob@{DOMAIN}", "benchmark"
OCTETS = 4096


class Missing(Exception):
    """Why a system takes no part."""


# What is measured


class Sizes:
    def __init__(self, quick):
        self.messages = 300 if quick else 2000
        self.single = 100 if quick else 500
        self.traced = 50 if quick else 200
        self.logins = 300 if quick else 2000
        self.mailbox = 1000 if quick else 10000
        self.idle = 100 if quick else 1000


def load_program():
    """The load generator of the build that the binary belongs to."""
    build = binary().parent
    subprocess.run(["ninja", "-C", str(build), "tests/bench/load"], check=True, capture_output=True)
    return build / "tests/bench/load"


def load(*arguments):
    done = subprocess.run([str(LOAD), *map(str, arguments)], capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(f"load {arguments[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def rate(result):
    return result["count"] / result["seconds"]


class System:
    """A mail server of its own in a folder: started, measured, stopped."""

    name = ""
    smtp = lmtp = imap = imaps = pop3 = None

    def __init__(self, base):
        self.base = base
        self.process = None

    def start(self, trace=None):
        raise NotImplementedError

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None

    def spawn(self, *line, trace=None, **more):
        prefix = ["strace", "-f", "-c", "-U", "name,calls", "-o", str(trace)] if trace else []
        with open(self.base / "log", "ab") as log:
            self.process = subprocess.Popen([*prefix, *map(str, line)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True, **more)

    def wait(self, *ports):
        deadline = time.monotonic() + 30
        for port in ports:
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as client:
                    if client.recv(1):
                        break
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} does not start:\n{(self.base / 'log').read_text()[-3000:]}")
                time.sleep(0.05)

    def inbox_count(self):
        """Messages that have reached the mailbox, by the files of the Maildir."""
        root = self.maildir()
        return sum(len(list((root / part).iterdir())) for part in ("new", "cur") if (root / part).is_dir())

    def maildir(self):
        raise NotImplementedError

    def deliver(self, connections, messages, per_connection):
        """Messages a second from the first connection until all are in the mailbox, and until all are accepted."""
        before = self.inbox_count()
        began = time.monotonic()
        way, port = ("smtp", self.smtp) if self.smtp else ("lmtp", self.lmtp)
        accepted = load(way, port, USER, connections, messages, per_connection, OCTETS)["seconds"]
        while self.inbox_count() < before + messages:
            if time.monotonic() - began > 300:
                raise RuntimeError(f"{self.name} lost messages")
            time.sleep(0.005)
        return messages / (time.monotonic() - began), messages / accepted

    def memory(self):
        """Private octets of all its processes."""
        return sum(private(process) for process in family(self.process.pid))


def family(root):
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def private(process):
    with contextlib.suppress(OSError):
        rollup = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        return 1024 * sum(int(size) for size in re.findall(r"^Private_\w+: +(\d+) kB", rollup, re.M))
    return 0


# The systems


class Posthorn(System):
    name = "Posthorn"

    def __init__(self, base):
        super().__init__(base)
        self.server = Server(base, {"log": {"level": "info"}, "limits": {"connections": 5000}})
        self.server.add_account(USER, PASSWORD)
        ports = self.server.ports
        self.smtp, self.imap, self.imaps, self.pop3 = (ports[name] for name in ("smtp", "imap", "imaps", "pop3"))

    def start(self, trace=None):
        self.spawn(binary(), "serve", "--config", self.server.config_file, trace=trace)
        self.wait(self.smtp, self.imap)

    def stop(self):
        # Under strace, the server is its child.
        for process in reversed(family(self.process.pid)) if self.process else []:
            with contextlib.suppress(OSError):
                if "posthorn" in os.readlink(f"/proc/{process}/exe"):
                    os.kill(process, signal.SIGTERM)
        if self.process:
            self.process.wait(60)
            self.process = None

    def maildir(self):
        return self.server.maildir(USER)

    def version(self):
        return self.server.command("--version", config=False).stdout.strip()


class Dovecot(System):
    """Delivery by LMTP, its own way in; IMAP and POP3."""

    name = "Dovecot"

    def __init__(self, base):
        super().__init__(base)
        if not shutil.which("dovecot", path="/usr/sbin:/usr/bin"):
            raise Missing("dovecot is not installed (apt install dovecot-imapd dovecot-pop3d dovecot-lmtpd)")
        if os.geteuid() != 0:
            raise Missing("its private instance is started by root only")
        self.lmtp, self.imap, self.imaps, self.pop3 = (free_port() for _ in range(4))
        certificate, key = base / "certificate.pem", base / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        key, "-out", certificate, "-days", "3", "-subj", "/CN=mail.example.test"], check=True, capture_output=True)
        (base / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}:65534:65534::{base}/home::\n")
        (base / "home").mkdir()
        hand_over(base / "home")
        (base / "dovecot.conf").write_text(f"""
base_dir = {base}/run
state_dir = {base}/state
instance_name = posthorn-bench
log_path = {base}/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 0
first_valid_uid = 1
first_valid_gid = 1
default_client_limit = 4000
default_process_limit = 1500
mail_max_userip_connections = 5000
mail_location = maildir:{base}/home/Maildir
mail_fsync = always
passdb {{
  driver = passwd-file
  args = {base}/users
}}
userdb {{
  driver = passwd-file
  args = {base}/users
}}
service imap-login {{
  service_count = 0
  client_limit = 2000
  process_min_avail = 2
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = {self.imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {self.pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap {{
  process_limit = 1500
}}
service anvil {{
  client_limit = 6000
}}
service auth {{
  client_limit = 8000
}}
service stats {{
  client_limit = 6000
}}
service lmtp {{
  process_min_avail = 2
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.lmtp}
  }}
}}
namespace inbox {{
  inbox = yes
}}
""")

    def start(self, trace=None):
        self.spawn("/usr/sbin/dovecot", "-F", "-c", self.base / "dovecot.conf", trace=trace)
        self.wait(self.imap, self.lmtp)

    def stop(self):
        if self.process:
            subprocess.run(["doveadm", "-c", str(self.base / "dovecot.conf"), "stop"], capture_output=True)
            self.process.wait(60)
            self.process = None

    def maildir(self):
        return self.base / "home/Maildir"

    def version(self):
        return "Dovecot " + subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True).stdout.split()[0]


class Postfix(System):
    """SMTP into its queue, and from there by virtual(8) into a Maildir."""

    name = "Postfix"

    def __init__(self, base):
        super().__init__(base)
        if not os.path.exists("/usr/sbin/postfix"):
            raise Missing("postfix is not installed (apt install postfix)")
        if os.geteuid() != 0:
            raise Missing("it is started by root only")
        self.smtp = free_port()
        config = base / "config"
        for place in ("config", "queue", "data", "vmail"):
            (base / place).mkdir()
        hand_over(base / "vmail")
        shutil.chown(base / "data", "postfix")
        (config / "virtual").write_text(f"{USER} bob/Maildir/\n")
        (config / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = texthash:{config}/virtual
virtual_mailbox_base = {base}/vmail
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_mailbox_limit = 0
virtual_destination_concurrency_limit = 20
initial_destination_concurrency = 20
alias_maps =
local_recipient_maps =
maillog_file = {base}/postfix.log
maillog_file_prefixes = {base}
default_process_limit = 100
""")
        (config / "master.cf").write_text(f"""
127.0.0.1:{self.smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")
        subprocess.run(["postfix", "-c", config, "set-permissions"], capture_output=True)
        made = subprocess.run(["postfix", "-c", config, "check"], capture_output=True, text=True)
        if made.returncode != 0:
            raise Missing(f"its private instance cannot be made: {made.stderr.strip()[-300:]}")

    def start(self, trace=None):
        self.spawn("/usr/lib/postfix/sbin/master", "-c", self.base / "config", "-d", trace=trace,
                   env=dict(os.environ, MAIL_CONFIG=str(self.base / "config")))
        self.wait(self.smtp)

    def stop(self):
        if self.process:
            subprocess.run(["postfix", "-c", str(self.base / "config"), "stop"], capture_output=True)
            self.process.wait(60)
            self.process = None

    def maildir(self):
        return self.base / "vmail/bob/Maildir"

    def version(self):
        return "Postfix " + subprocess.run(["/usr/sbin/postconf", "-h", "mail_version"], capture_output=True, text=True).stdout.strip()


# The measures: each takes a started system and the sizes, and gives {row: value}.


def measure_delivery(system, sizes):
    # A disk that others use too has good and bad moments.
    rows = {"an fsync on this disk, just before": f"{sync_time(system.base):.2f} ms"}
    for connections in (1, 50):
        count = sizes.single if connections == 1 else sizes.messages
        for words, per_connection in (("one message a connection", 1), ("many messages a connection", 1 << 30)):
            stored, accepted = system.deliver(connections, count, per_connection)
            row = f"{connections} connection{'s' if connections > 1 else ''}, {words}"
            rows[f"messages/s into the mailbox, {row}"] = f"{stored:,.0f}"
            if isinstance(system, Postfix):
                rows[f"messages/s accepted, {row}"] = f"{accepted:,.0f}"
    return rows


def measure_calls(system, sizes):
    """System calls and syncs a message: what a traced run makes more for 2n messages than for n."""
    if not shutil.which("strace"):
        raise Missing("strace is not installed")
    totals = []
    for count in (sizes.traced, 2 * sizes.traced):
        trace = system.base / f"trace{count}"
        system.start(trace)
        system.deliver(1, count, 1 << 30)
        system.stop()
        calls = {}
        for line in trace.read_text().splitlines():
            fields = line.split()
            if len(fields) == 2 and fields[1].isdigit() or len(fields) == 2 and fields[0].isdigit():
                name, number = fields if fields[1].isdigit() else reversed(fields)
                calls[name] = int(number)
        calls.pop("total", None)
        totals.append(calls)
    per = {name: (totals[1].get(name, 0) - totals[0].get(name, 0)) / sizes.traced for name in totals[1]}
    syncs = sum(per.get(name, 0) for name in ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync"))
    print("  system calls a message:", ", ".join(f"{name} {number:.1f}" for name, number in
                                                 sorted(per.items(), key=lambda item: -item[1])[:14] if number >= 0.05))
    return {"system calls a message": f"{sum(per.values()):,.0f}", "syncs a message": f"{syncs:.1f}"}


def measure_logins(system, sizes):
    return {f"IMAP logins/s, {count} connection{'s' if count > 1 else ''} at a time":
            f"{rate(load('logins', system.imap, USER, PASSWORD, count, sizes.logins // (10 if count == 1 else 1))):,.0f}"
            for count in (1, 20)}


def fill(system, sizes):
    missing = sizes.mailbox - system.inbox_count()
    if missing > 0:
        system.deliver(20, missing, 1 << 30)


def measure_reading(system, sizes):
    fill(system, sizes)
    count = system.inbox_count()
    rows = {}
    for words, command in (("FLAGS", "FETCH 1:* FLAGS"), ("ENVELOPE", "FETCH 1:* ENVELOPE")):
        system.stop()
        system.start()
        times = [load("imap", system.imap, USER, PASSWORD, command)["seconds"] for _ in range(4)]
        rows[f"FETCH {words} of {count:,} messages, first / again"] = f"{times[0] * 1000:,.0f} / {min(times[1:]) * 1000:,.0f} ms"
    result = load("pop3", system.pop3, USER, PASSWORD)
    rows[f"POP3 download of {result['count']:,} messages, one after the other"] = f"{result['seconds'] * 1000:,.0f} ms"
    return rows


def idle_clients(port, count, tls):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port), 60)
        if tls:
            client = context.wrap_socket(client)
        clients.append(client)
        read_until(client, b"\r\n")
        client.sendall(f'a LOGIN "{USER}" "{PASSWORD}"\r\n'.encode())
        read_until(client, b"\r\na ", b"a OK")
        client.sendall(b"b SELECT INBOX\r\n")
        read_until(client, b"b OK")
        client.sendall(b"c IDLE\r\n")
        read_until(client, b"+ ")
    return clients


def read_until(client, *words):
    got = b""
    while not any(word in got for word in words):
        more = client.recv(65536)
        if not more:
            raise RuntimeError(f"closed after {got[-300:]!r}")
        got += more


def measure_memory(system, sizes):
    rows = {}
    for tls in (False, True):
        system.stop()
        system.start()
        # What the first few make once is not counted.
        warm = idle_clients(system.imaps if tls else system.imap, 5, tls)
        time.sleep(1)
        before = system.memory()
        clients = idle_clients(system.imaps if tls else system.imap, sizes.idle, tls)
        time.sleep(3)
        grown = system.memory() - before
        for client in clients + warm:
            client.close()
        row = f"memory of {sizes.idle:,} idle IMAP connections in one account{' over TLS' if tls else ''}"
        rows[row] = f"{grown / (1 << 20):,.1f} MiB ({grown / sizes.idle / 1024:,.1f} KiB each)"
    return rows


MEASURES = {"delivery": measure_delivery, "calls": measure_calls, "logins": measure_logins, "reading": measure_reading,
            "memory": measure_memory}
# A mailbox program has no SMTP; a transfer agent neither IMAP nor POP3.
APPLY = {"Postfix": {"delivery", "calls"}, "Dovecot": set(MEASURES), "Posthorn": set(MEASURES)}


def measure(kind, base, sizes, only):
    base.mkdir()
    base.chmod(0o711)
    system = kind(base)
    rows = {}
    try:
        for name, function in MEASURES.items():
            if name not in APPLY[system.name] or (only and name not in only):
                continue
            print(f"{system.name}: {name}", flush=True)
            try:
                if name != "calls":
                    system.start()
                rows |= function(system, sizes)
            except Missing as why:
                print(f"  left out: {why}")
            finally:
                system.stop()
        return system.version(), rows
    finally:
        if system.process:
            with contextlib.suppress(OSError):
                os.killpg(system.process.pid, signal.SIGKILL)


def sync_time(folder):
    """The median of a few fsyncs, in milliseconds."""
    file = folder / "probe"
    times = []
    with open(file, "wb", buffering=0) as probe:
        for _ in range(21):
            probe.write(b"x" * OCTETS)
            began = time.perf_counter()
            os.fsync(probe.fileno())
            times.append(time.perf_counter() - began)
    file.unlink()
    return sorted(times)[10] * 1000


def machine(folder):
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True).stdout.strip()
    return (f"{os.cpu_count()} processors ({model}), Linux {platform.release()}; the mail is on {kind}")


def table(results):
    names = list(results)
    rows = list(dict.fromkeys(row for _, found in results.values() for row in found))
    lines = ["| | " + " | ".join(version for version, _ in results.values()) + " |", "|---|" + "---:|" * len(names)]
    lines += [f"| {row} | " + " | ".join(results[name][1].get(row, "–") for name in names) + " |" for row in rows]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the numbers: to see that all of it works")
    parser.add_argument("--folder", type=pathlib.Path, help="where the mail is kept (default: /var/tmp, a real disk)")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="these measures alone")
    parser.add_argument("--system", action="append", choices=list(APPLY), help="these systems alone")
    given = parser.parse_args()
    sizes = Sizes(given.quick)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000) if hard != resource.RLIM_INFINITY else 20000, hard))
    global LOAD
    LOAD = load_program()
    results = {}
    with tempfile.TemporaryDirectory(prefix="posthorn-bench-", dir=given.folder or "/var/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o711)
        print(machine(folder))
        for kind in (Posthorn, Dovecot, Postfix):
            if given.system and kind.name not in given.system:
                continue
            try:
                results[kind.name] = measure(kind, folder / kind.name.lower(), sizes, given.only)
            except Missing as why:
                print(f"{kind.name} takes no part: {why}")
        told = machine(folder)
    print(f"\n{told}. Messages of {OCTETS} octets; delivery to Dovecot is by LMTP; Dovecot's passwords are in plain,\n"
          f"Posthorn's argon2id at its minimum.\n\n{table(results)}")
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
