"""System calls and syncs, counted by strace."""

import collections
import re
import shutil
import time

from system import Missing

SYNCS = ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync", "msync")


def need():
    if not shutil.which("strace"):
        raise Missing("strace is not installed")


def counting(file):
    """Arguments that have strace write one table of calls at the end."""
    return ["-c", "-U", "name,calls", "-o", str(file)]


def counted(file):
    """{call: number} of such a table."""
    calls = collections.Counter()
    for line in file.read_text().splitlines():
        fields = line.split()
        # The columns' order is a matter of strace's version.
        if len(fields) == 2 and any(field.isdigit() for field in fields):
            name, number = fields if fields[1].isdigit() else reversed(fields)
            calls[name] = int(number)
    calls.pop("total", None)
    return calls


class Log:
    """A traced system whose calls are looked at piece by piece while it runs."""

    def __init__(self, file):
        self.file = file
        self.at = 0

    def arguments(self):
        return ["-o", str(self.file), "-s", "0"]

    def taken(self, after):
        """The calls since the last time and in the next `after` seconds, as a part of the work follows the reply; and how many
        messages' files they opened."""
        time.sleep(after)
        with open(self.file, "rb") as log:
            log.seek(self.at)
            text = log.read()
        self.at += len(text)
        calls = collections.Counter(call.decode() for call in re.findall(rb"^\d+ +(\w+)\(", text, re.M))
        return calls, len(re.findall(rb'^\d+ +open\w*\([^"]*"[^"]*/(?:cur|new)/[^/"]+"(?!.* = -1 )', text, re.M))


def summary(calls, per):
    """(calls, syncs) for one of `per`."""
    return sum(calls.values()) / per, sum(calls[name] for name in SYNCS) / per
