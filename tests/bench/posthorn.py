"""Posthorn: the binary under test."""

import contextlib
import os
import signal

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

    def version(self):
        return self.server.command("--version", config=False).stdout.strip()
