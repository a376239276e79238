"""The client's side of a synchronisation: Maildirs on disk."""

import itertools
import os
import re
import time

_numbers = itertools.count(1)


class LocalMail:
    """A tree of Maildirs; a mailbox's folder is its name below `root`, or what `names` has for it."""

    def __init__(self, root):
        self.root = root
        self.names = {}
        root.mkdir(exist_ok=True)

    def folder(self, mailbox):
        return self.root / self.names.get(mailbox, mailbox)

    def mailboxes(self):
        known = {here: there for there, here in self.names.items()}
        found = (str(path.parent.relative_to(self.root)) for path in self.root.rglob("cur"))
        return sorted(known.get(name, name) for name in found)

    def create(self, mailbox):
        for part in ("cur", "new", "tmp"):
            (self.folder(mailbox) / part).mkdir(parents=True)

    def files(self, mailbox="INBOX"):
        return [path for part in ("new", "cur") for path in (self.folder(mailbox) / part).iterdir()]

    def tokens(self, mailbox="INBOX"):
        """{token: flags} of the messages; the flags are Maildir's letters."""
        found = {}
        for path in self.files(mailbox):
            token = re.search(rb"This is ([^.]*)\.", path.read_bytes())[1].decode()
            assert token not in found, f"{token} is in {mailbox} twice"
            found[token] = path.name.partition(":2,")[2]
        return found

    def add(self, text, mailbox="INBOX", flags=""):
        name = f"1700000000.{next(_numbers)}.laptop" + (f":2,{flags}" if flags else "")
        path = self.folder(mailbox) / ("cur" if flags else "new") / name
        path.write_bytes(text.replace(b"\r\n", b"\n"))

    def find(self, token, mailbox="INBOX"):
        path, = (path for path in self.files(mailbox) if f"This is {token}.".encode() in path.read_bytes())
        return path

    def flag(self, token, flags, mailbox="INBOX"):
        """Gives a message these flags and no others."""
        path = self.find(token, mailbox)
        path.rename(self.folder(mailbox) / "cur" / (path.name.partition(":2,")[0] + ":2," + flags))

    def remove(self, token, mailbox="INBOX"):
        self.find(token, mailbox).unlink()

    def backdate(self):
        """Makes the folders look unchanged for a while: some clients wait for that."""
        past = time.time() - 10
        for part in ("cur", "new"):
            for path in self.root.rglob(part):
                os.utime(path, (past, past))

    def snapshot(self):
        """What a run that has nothing to do leaves as it is."""
        return sorted((str(path.relative_to(self.root)), path.read_bytes()) for part in ("new", "cur")
                      for path in self.root.rglob(f"{part}/*"))
