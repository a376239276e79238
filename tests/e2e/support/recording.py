"""Reads what tests/support/record_io.cpp wrote down."""

import enum
import mmap
import os
import pathlib
import struct
from dataclasses import dataclass

from support.server import ROOT, binary

HEADER = struct.Struct("=QQQQQ")
RECORD = struct.Struct("=IHHIIIIqQ")
MAGIC = 0x44524f4345524850
LOG_BYTES = 4 << 30  # sparse: only what is written takes space


class Kind(enum.IntEnum):
    OPEN = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    SYNC_ALL = 5
    RENAME = 6
    LINK = 7
    UNLINK = 8
    MKDIR = 9
    RMDIR = 10
    MAP = 11


@dataclass
class Operation:
    kind: Kind
    file: int
    path: str
    path2: str
    position: int
    payload: bytes


def library():
    """The preload library: $POSTHORN_RECORD_IO, or the one built beside the binary."""
    chosen = os.environ.get("POSTHORN_RECORD_IO")
    candidates = [chosen] if chosen else [binary().parent / "tests/support/librecord_io.so",
                                          ROOT / "build/release/tests/support/librecord_io.so"]
    return next((pathlib.Path(path).resolve() for path in candidates if pathlib.Path(path).exists()), None)


class Recording:
    """A log in `folder` of what happens under `root`; `environment` makes a program write it."""

    def __init__(self, folder, root):
        self.path = pathlib.Path(folder) / "record"
        with open(self.path, "wb") as file:
            file.truncate(LOG_BYTES)
            self._map = mmap.mmap(os.open(self.path, os.O_RDWR), LOG_BYTES)
        self.path.chmod(0o666)
        self.root = os.path.realpath(root)
        self.environment = {"LD_PRELOAD": str(library()), "POSTHORN_RECORD_ROOT": self.root,
                            "POSTHORN_RECORD_LOG": str(self.path)}

    def now(self):
        """How many operations are done: those that a promise made by now may rest on."""
        return struct.unpack_from("=Q", self._map, 24)[0]

    def operations(self):
        """Every Operation, in order; with a view on its payload rather than a copy."""
        magic, _capacity, used, count, overflow = HEADER.unpack_from(self._map, 0)
        assert magic == MAGIC, "nothing was recorded: was the library loaded?"
        assert not overflow, "the log overflowed"
        at, done = HEADER.size, 0
        while at < used and done < count:
            size, kind, _, file, path_size, path2_size, _, position, payload_size = RECORD.unpack_from(self._map, at)
            start = at + RECORD.size
            path = self._map[start:start + path_size].decode(errors="surrogateescape")
            start += path_size
            path2 = self._map[start:start + path2_size].decode(errors="surrogateescape")
            start += path2_size
            yield Operation(Kind(kind), file, path, path2, position, self._map[start:start + payload_size])
            at += size
            done += 1
