"""Posthorn: the binary under test."""

import contextlib
import os
import signal
import sqlite3

from support.server import Server, binary
from system import ACCOUNTS, PASSWORD, System, family


class Posthorn(System):
    key, name = "posthorn", "Posthorn"

    def __init__(self, base):
        super().__init__(base)
        self.server = Server(base, {"log": {"level": "info"}, "limits": {"connections": 12000}})
        for account in ACCOUNTS:
            self.server.add_account(account, PASSWORD)
        ports = self.server.ports
        self.smtp, self.imap, self.imaps, self.pop3 = (ports[name] for name in ("smtp", "imap", "imaps", "pop3"))

    def start(self, strace=()):
        self.spawn(binary(), "serve", "--config", self.server.config_file, strace=strace)
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

    def maildir(self, user, mailbox="INBOX"):
        return self.server.maildir(user, mailbox)

    def search_documents(self, user):
        path = self.server.account_folder(user) / "search.sqlite"
        if not path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FROM document").fetchone()[0]

    def search_index_size(self, user):
        folder = self.server.account_folder(user)
        return sum(path.stat().st_size for path in folder.glob("search.sqlite*") if not path.name.endswith("-shm"))

    def mail_size(self, user):
        """Octets of all messages, each counted as often as it is there."""
        return sum(path.stat().st_size for path in self.maildir(user).glob("**/*,S=*"))

    @contextlib.contextmanager
    def without_search_index(self):
        self.stop()
        self.server.write_config({"search": {"index": False}})
        self.start()
        yield
        self.stop()
        self.server.write_config({"search": {"index": True}})
        self.start()

    def version(self):
        return self.server.command("--version", config=False).stdout.strip()
