"""The power-cut simulator itself: programs that sync as they should always pass it, and one that forgets a sync fails."""

import pathlib
import random
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from support import recording
from support.power_cut import Disk
from support.recording import Recording

CUTS = 120

# Each prints "NUMBER SEQUENCE" once NUMBER is promised, SEQUENCE read as a client of the server reads it.
PRELUDE = """
import mmap, os, sqlite3, struct, sys
log = mmap.mmap(os.open(os.environ["POSTHORN_RECORD_LOG"], os.O_RDWR), 4096)
root = os.environ["POSTHORN_RECORD_ROOT"]
def promise(number):
    print(number, struct.unpack_from("=Q", log, 24)[0], flush=True)
def sync_folder(path):
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)
"""

DATABASE = PRELUDE + """
database = sqlite3.connect(root + "/db", isolation_level=None)
database.execute("PRAGMA journal_mode={journal}")
database.execute("PRAGMA synchronous={synchronous}")
database.execute("PRAGMA wal_autocheckpoint=8")
database.execute("CREATE TABLE item (number INTEGER PRIMARY KEY, filler BLOB)")
for number in range(40):
    database.execute("INSERT INTO item VALUES (?, zeroblob(1500))", (number,))
    promise(number)
"""

FILES = PRELUDE + """
os.mkdir(root + "/tmp"); os.mkdir(root + "/new"); sync_folder(root)
for number in range(40):
    file = os.open(f"{{root}}/tmp/{{number}}", os.O_CREAT | os.O_WRONLY)
    for part in range(3):
        os.write(file, b"%04d" % number * 300)
    {sync_file}
    os.close(file)
    {publish}
    {sync_folder}
    promise(number)
"""
RENAME = 'os.rename(f"{root}/tmp/{number}", f"{root}/new/{number}")'
LINK = 'os.link(f"{root}/tmp/{number}", f"{root}/new/{number}"); os.unlink(f"{root}/tmp/{number}")'


def database(journal="WAL", synchronous="FULL"):
    return DATABASE.format(journal=journal, synchronous=synchronous)


def files(sync_file="os.fsync(file)", publish=RENAME, sync_folder='sync_folder(root + "/new")'):
    return FILES.format(sync_file=sync_file, publish=publish, sync_folder=sync_folder)


def database_holds(state, promised):
    connection = sqlite3.connect(state / "db")
    try:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return False
        found = {number for number, in connection.execute("SELECT number FROM item")} if promised else promised
        return promised <= found
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def files_hold(state, promised):
    return all((state / f"new/{number}").is_file() and
               (state / f"new/{number}").read_bytes() == b"%04d" % number * 900 for number in promised)


def losses(base, program, holds):
    """How many of the cuts lose a promise, after a check that the recording missed nothing."""
    root = base / "root"
    root.mkdir()
    record = Recording(base, root)
    disk = Disk(root)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=record.environment,
                          capture_output=True, text=True, check=True, timeout=60)
    promises = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    operations = list(record.operations())
    assert len(promises) == 40 and len(operations) > 80
    chance = random.Random(1)
    cuts = sorted(chance.choices(range(len(operations) + 1), k=CUTS))
    lost = 0
    for number, cut in enumerate(cuts):
        while disk.operations < cut:
            disk.follow(operations[disk.operations])
        state = base / f"state{number}"
        disk.state(chance, state)
        lost += not holds(state, {item for item, sequence in promises if sequence <= cut})
    while disk.operations < len(operations):
        disk.follow(operations[disk.operations])
    disk.whole(base / "whole")
    assert contents(base / "whole") == contents(root)
    return lost


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in pathlib.Path(root).rglob("*")
            if path.is_file() and not path.name.endswith("-shm")}


@pytest.fixture(autouse=True)
def library():
    if recording.library() is None:
        pytest.skip("librecord_io.so is not built")


@pytest.mark.parametrize("program, holds", [
    (database(), database_holds),
    (database(journal="DELETE", synchronous="EXTRA"), database_holds),
    (database(journal="TRUNCATE"), database_holds),
    (files(), files_hold),
    (files(publish=LINK), files_hold),
], ids=["sqlite-wal", "sqlite-delete", "sqlite-truncate", "rename", "link"])
def test_a_program_that_syncs_loses_nothing(base_folder, program, holds):
    assert losses(base_folder, program, holds) == 0


@pytest.mark.parametrize("program, holds", [
    (database(synchronous="NORMAL"), database_holds),
    (database(synchronous="OFF"), database_holds),
    (database(journal="DELETE", synchronous="FULL"), database_holds),  # needs EXTRA, says SQLite's documentation
    (files(sync_file="pass"), files_hold),
    (files(sync_folder="pass"), files_hold),
    (files(sync_folder='sync_folder(root)'), files_hold),
    (files(publish=LINK, sync_folder='sync_folder(root + "/tmp")'), files_hold),
], ids=["sqlite-normal", "sqlite-off", "sqlite-delete-full", "no-file-sync", "no-folder-sync", "wrong-folder-sync",
        "link-and-wrong-folder-sync"])
def test_a_program_that_forgets_a_sync_is_caught(base_folder, program, holds):
    assert losses(base_folder, program, holds) > 0
