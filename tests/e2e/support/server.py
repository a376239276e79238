"""A posthorn of the test's own: data directory, configuration, process, accounts."""

import contextlib
import functools
import grp
import itertools
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROTOCOLS = ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps")
DOMAIN = "example.test"
HOSTNAME = "mail.example.test"
LOOPBACK = ["127.0.0.0/8", "::1/128"]
READY_SECONDS = 20
STOP_SECONDS = 30

# Any of these on stderr is a finding, whatever else the test saw.
SANITIZER = re.compile(r"(Address|Leak|UndefinedBehavior|Memory|Thread)Sanitizer|: runtime error: |terminate called")


def binary():
    """The program under test: $POSTHORN_BINARY, or the release build."""
    return pathlib.Path(os.environ.get("POSTHORN_BINARY", ROOT / "build/release/posthorn")).resolve()


@functools.cache
def is_sanitized():
    """Whether the binary was built with AddressSanitizer, and so needs more of everything."""
    return b"__asan_init" in binary().read_bytes()


@contextlib.contextmanager
def folder(prefix="posthorn-"):
    """A temporary folder that an unprivileged server may enter, in memory where that has room."""
    made = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=fast_folder()))
    made.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def fast_folder():
    chosen = os.environ.get("POSTHORN_TEST_DIR")
    if chosen:
        return chosen
    with contextlib.suppress(OSError):
        if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 2 << 30:
            return "/dev/shm"
    return tempfile.gettempdir()


def run_user():
    """(user, group) that a server started by root drops to; None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("nobody")
    return user.pw_name, grp.getgrgid(user.pw_gid).gr_name


def hand_over(path):
    """Makes everything under `path` the property of the user that the server runs as."""
    if run_user() is None:
        return
    user = pwd.getpwnam(run_user()[0])
    os.chown(path, user.pw_uid, user.pw_gid)
    for where, folders, files in os.walk(path):
        for name in folders + files:
            os.chown(os.path.join(where, name), user.pw_uid, user.pw_gid, follow_symlinks=False)


_ports = itertools.cycle(random.Random(os.getpid() ^ time.time_ns()).sample(range(15000, 32000), 17000))


def free_port():
    """A port nobody listens on, below the range from which the system takes ports for clients."""
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def toml(settings):
    """Tables of plain values as TOML; JSON's strings, numbers and arrays are TOML's too."""
    lines = []
    for table, keys in settings.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]
        lines.append("")
    return "\n".join(lines)


def merged(base, changes):
    result = {table: dict(keys) for table, keys in base.items()}
    for table, keys in (changes or {}).items():
        result.setdefault(table, {}).update(keys)
    return result


class CommandFailed(AssertionError):
    """A command of the binary ended with another status than the test asked for."""


class Server:
    """One data directory and the server on it.

    The configuration is the tests' own: loopback ports that were free, the cheapest password hashes, no limits on
    loopback unless `config` says otherwise. `config` is {table: {key: value}}; a value of None leaves a key out.
    """

    def __init__(self, base, config=None, protocols=PROTOCOLS, environment=None):
        self.base = pathlib.Path(base)
        self.site = self.base / "site"
        self.config_file = self.base / "posthorn.toml"
        self.log_file = self.base / "log"
        self.environment = dict(os.environ, **(environment or {}))
        self.environment.setdefault("ASAN_OPTIONS", "detect_leaks=1:halt_on_error=1")
        self.environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        self.process = None
        self.told_to_end = False
        self.accounts = {}
        self._numbers = itertools.count(1)
        self._seen = 0
        if not self.site.exists():
            self.command("init", str(self.site), "--domain", DOMAIN, "--hostname", HOSTNAME, config=False)
        written = next(iter(sorted(self.site.glob("*.toml"))))
        self.initial = tomllib.loads(written.read_text())
        self.data = (self.site / self.initial["server"]["data"]).resolve()
        self.certificate = (self.site / self.initial["tls"]["certificate"]).resolve()
        self.key = (self.site / self.initial["tls"]["key"]).resolve()
        self.ports = {name: free_port() for name in protocols}
        self.settings = merged(self._defaults(), config)
        self.write_config()
        hand_over(self.base)

    def _defaults(self):
        server = {"hostname": HOSTNAME, "data": str(self.data)}
        if run_user():
            server["user"], server["group"] = run_user()
        listen = {name: [f"127.0.0.1:{self.ports[name]}"] if name in self.ports else [] for name in PROTOCOLS}
        return {
            "server": server,
            "listen": listen,
            "tls": {"certificate": str(self.certificate), "key": str(self.key)},
            "auth": {"hash_ops": 1, "hash_memory_kib": 8, "scram_iterations": 4096},
            "limits": {"trusted": LOOPBACK},
            "log": {"level": "debug"},
        }

    # Configuration and commands

    def write_config(self, changes=None):
        self.settings = merged(self.settings, changes)
        self.config_file.write_text(toml(self.settings))
        hand_over(self.config_file)

    def command(self, *arguments, stdin="", config=True, status=0, timeout=60):
        """Runs `posthorn ARGUMENTS --config FILE`; the CompletedProcess. A `status` of None takes any."""
        line = [str(binary()), *arguments] + (["--config", str(self.config_file)] if config else [])
        done = subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=timeout,
                              env=self.environment, cwd=self.base)
        if SANITIZER.search(done.stderr) or (status is not None and done.returncode != status):
            raise CommandFailed(f"{' '.join(line)}: status {done.returncode}, wanted {status}\n"
                                f"{done.stdout}\n{done.stderr}")
        return done

    def add_account(self, address=None, password=None):
        """(address, password) of a new account; a fresh one without arguments."""
        address = address or f"user{next(self._numbers)}@{DOMAIN}"
        password = password or f"secret of {address.partition('@')[0]}"
        self.command("account", "add", address, "--password-stdin", stdin=password + "\n")
        self.accounts[address] = password
        return address, password

    # The process

    def start(self, wait=True):
        assert self.process is None or self.process.poll() is not None, "already running"
        with open(self.log_file, "ab") as log:
            self._seen = log.tell()
            self.told_to_end = False
            self.process = subprocess.Popen([str(binary()), "serve", "--config", str(self.config_file)], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, env=self.environment, cwd=self.base,
                                            start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        """By the log where it tells, or else by an answer of each port."""
        if self.settings.get("log", {}).get("level") in (None, "info", "debug", "trace"):
            self._wait_until(lambda: "server.ready" in self.log())
        else:
            for port in self.ports.values():
                self._wait_until(lambda port=port: answers(port))

    def _wait_until(self, condition):
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log()}"
            assert time.monotonic() < deadline, f"not ready within {READY_SECONDS} s:\n{self.log()}"
            time.sleep(0.005)

    def send_signal(self, number):
        self.told_to_end |= number in (signal.SIGTERM, signal.SIGINT)
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends the server as an administrator does, unless it was told so already, and checks that it ended well."""
        if self.process is None:
            return
        if self.process.poll() is None and not self.told_to_end:
            self.send_signal(number)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {STOP_SECONDS} s:\n{self.log()[-4000:]}") from None
        self.process = None
        self.check_log()
        assert status == 0, f"ended with status {status}:\n{self.log()[-4000:]}"

    def kill(self):
        """kill -9: nothing gets a chance to tidy up."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    # What it left

    def log(self):
        """What the server wrote since its last start."""
        if not self.log_file.exists():
            return ""
        with open(self.log_file, "rb") as file:
            file.seek(self._seen)
            return file.read().decode(errors="replace")

    def wait_log(self, pattern, seconds=10):
        """The match of a line that has been written, or is within `seconds`."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.log())):
            assert time.monotonic() < deadline, f"no {pattern!r} in the log:\n{self.log()[-4000:]}"
            time.sleep(0.02)
        return found

    def check_log(self):
        log = self.log()
        found = SANITIZER.search(log)
        assert not found, f"the server's log has a finding:\n{log[max(0, found.start() - 500):][:6000]}"

    def account_folder(self, address):
        user, _, domain = address.partition("@")
        return self.data / "mail" / domain / user

    def maildir(self, address, mailbox="INBOX"):
        root = self.account_folder(address) / "Maildir"
        return root if mailbox == "INBOX" else root / ("." + mailbox.replace("/", "."))

    def index(self, address):
        return self.account_folder(address) / "index.sqlite"

    # Clients' side

    def connect(self, protocol, timeout=20, source=None):
        source = (source, 0) if source else None
        return socket.create_connection(("127.0.0.1", self.ports[protocol]), timeout=timeout, source_address=source)

    def tls_context(self, certificate=None):
        """Trusts the server's own certificate; it names HOSTNAME, not the address that tests connect to."""
        context = ssl.create_default_context(cafile=str(certificate or self.certificate))
        context.check_hostname = False
        return context

    def memory_kib(self):
        """Private memory of the process, in KiB; 0 with AddressSanitizer, which keeps what was freed for a while."""
        if is_sanitized():
            return 0
        rollup = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return sum(int(size) for size in re.findall(r"^Private_\w+: +(\d+) kB", rollup, re.M))


def answers(port):
    """True when a server listens there and has said something, or waits for a TLS handshake."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.3) as client:
            return client.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def running(config=None, accounts=(), environment=None, protocols=PROTOCOLS):
    """A started server that is stopped, checked and removed at the end of the block."""
    with folder() as base:
        server = Server(base, config, protocols, environment)
        try:
            for account in accounts:
                server.add_account(account)
            server.start()
            yield server
            server.stop()
        finally:
            server.kill()
