"""What all measured systems have in common: a process in a folder of its own, which is started, looked at and stopped."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import load
from support.server import DOMAIN

PASSWORD = "benchmark"
# Gets the deliveries.
BOB = f"bob@{DOMAIN}"
# Has the large mailboxes.
READER = f"reader@{DOMAIN}"
# For loads that are not all in one account.
POOL = [f"user{number}@{DOMAIN}" for number in range(20)]
ACCOUNTS = [BOB, READER, *POOL]


class Missing(Exception):
    """Why a system, or a measure, takes no part."""


class System:
    """A mail server of its own in a folder. Ports are None where it doesn't offer the protocol."""

    key = name = ""
    smtp = lmtp = imap = imaps = pop3 = None
    # How its own deliveries end lines in the Maildir.
    line_end = b"\r\n"

    def __init__(self, base):
        self.base = base
        self.process = None
        self.filled = set()

    # To be made by each

    def start(self, strace=()):
        """Starts it, under strace with such arguments if there are any, and waits until it answers."""
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def maildir(self, user, mailbox="INBOX"):
        raise NotImplementedError

    def version(self):
        raise NotImplementedError

    # Its process

    def spawn(self, *line, strace=(), **more):
        prefix = ["strace", "-f", *strace] if strace else []
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

    def restart(self):
        self.stop()
        self.start()

    def kill(self):
        """Ends it where stopping may not work any more."""
        if self.process:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def memory(self):
        """Private octets of all its processes."""
        return sum(private(process) for process in family(self.process.pid))

    def cpu_seconds(self):
        """What all its processes have used, those that ended included."""
        return sum(cpu_seconds(process) for process in family(self.process.pid))

    # Its mail

    @property
    def mail_in(self):
        """(port, protocol) by which it takes deliveries."""
        return (self.smtp, "smtp") if self.smtp else (self.lmtp, "lmtp")

    def ask(self, user, *commands):
        """What `load imap` tells of each command, all in one session."""
        return load.run("imap", self.imap, user, PASSWORD, *commands)

    def search_documents(self, user):
        """How many messages the account's search index has; None where there is no such thing."""
        return None

    @contextlib.contextmanager
    def without_search_index(self):
        """Started anew without search indexes until the block ends, where it has such."""
        self.restart()
        yield

    def inbox_count(self):
        """Messages that have reached BOB's mailbox, by the files of the Maildir."""
        root = self.maildir(BOB)
        return sum(len(os.listdir(root / part)) for part in ("new", "cur") if (root / part).is_dir())


def family(root):
    """The process and all that descend from it."""
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


def cpu_seconds(process):
    with contextlib.suppress(OSError):
        # utime, stime, and those of children that it has waited for
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]
        return sum(map(int, fields)) / os.sysconf("SC_CLK_TCK")
    return 0
