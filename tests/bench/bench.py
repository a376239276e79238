"""Measures Posthorn beside Dovecot and Postfix, in one run, on loopback with the same clients and the same files' disk.

    ./dev bench [--quick] [--folder FOLDER] [--only NAME]... [--system NAME]...

Dovecot and Postfix are Debian's, as private instances with settings of dovecot.py and postfix.py; what is not installed,
or can only be started by root, is left out and named. The table at the end is Markdown; a goal stands where there is one.
"""

import argparse
import contextlib
import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import rows_delivery  # noqa: E402
import rows_live  # noqa: E402
import rows_read  # noqa: E402
import rows_search  # noqa: E402
import rows_write  # noqa: E402
from dovecot import Dovecot, DovecotAsInstalled  # noqa: E402
from mailboxes import HUNDRED  # noqa: E402
from postfix import Postfix  # noqa: E402
from posthorn import Posthorn  # noqa: E402
from rows_read import fetching, sorting  # noqa: E402
from rows_write import writing  # noqa: E402
from sizes import Sizes  # noqa: E402
from system import Missing  # noqa: E402
from table import Rows, table  # noqa: E402

# Each takes a started system, the sizes and the rows to add to. Reading comes first: it finds the mailboxes as they were made.
MEASURES = {
    "select": rows_read.select,
    "flags": fetching("FLAGS UID", "3 ms"),
    "envelope": fetching("ENVELOPE", "20 ms"),
    "bodystructure": fetching("BODYSTRUCTURE", "8 ms"),
    "headers": fetching("Thunderbird's header fields", "15 ms"),
    "flags-100k": fetching("FLAGS UID", "20 ms", mailbox=HUNDRED),
    "sort-date": sorting("SORT (DATE)", "10 ms"),
    "sort-subject": sorting("SORT (SUBJECT)", "10 ms"),
    "thread": sorting("THREAD REFERENCES", "10 ms"),
    "bodies": rows_read.bodies,
    "search": rows_search.searching,
    "search-reading": rows_search.searching_by_reading,
    "search-index": rows_search.search_index_costs,
    "read-calls": rows_read.read_calls,
    "session-memory": rows_live.session_memory,
    "beside": rows_live.beside,
    "store": writing("STORE 1:* +FLAGS"),
    "copy": writing("COPY 1:*"),
    "move": writing("MOVE 1:*"),
    "expunge": writing("EXPUNGE"),
    "append": rows_write.append,
    "write-calls": rows_write.write_calls,
    "push": rows_live.push,
    "idle": rows_live.idle,
    "mix": rows_live.mix,
    "logins": rows_delivery.logins,
    "delivery": rows_delivery.delivery,
    "delivery-calls": rows_delivery.delivery_calls,
    "pop3": rows_read.pop3,
}
# A mailbox program has no SMTP; a transfer agent neither IMAP nor POP3.
SYSTEMS = {
    Posthorn: set(MEASURES),
    Dovecot: set(MEASURES) - {"search-index"},
    DovecotAsInstalled: {"store", "copy", "move", "expunge", "append", "mix", "delivery"},
    Postfix: {"delivery", "delivery-calls"},
}
USUAL = (Posthorn, Dovecot, Postfix)


def measure(kind, base, sizes, only):
    """(version, rows, what failed) of one system."""
    base.mkdir()
    base.chmod(0o711)
    system = kind(base)
    rows, failed = Rows(), []
    try:
        for name, function in MEASURES.items():
            if name not in SYSTEMS[kind] or (only and name not in only):
                continue
            print(f"{system.name}: {name}", flush=True)
            began = time.monotonic()
            try:
                if not system.process:
                    system.start()
                function(system, sizes, rows)
            except Missing as why:
                print(f"  left out: {why}")
            except (RuntimeError, OSError, subprocess.SubprocessError) as why:
                # The rest is worth having.
                print(f"  failed: {why}")
                failed.append(f"{system.name}: {name}")
                system.kill()
            print(f"  {time.monotonic() - began:.0f} s", flush=True)
        system.stop()
        return system.version(), rows, failed
    finally:
        system.kill()


def machine(folder):
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    kind = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "--target", folder], capture_output=True, text=True).stdout.strip()
    return (f"{os.cpu_count()} processors ({model}), Linux {platform.release()}, load {os.getloadavg()[0]:.1f} before; "
            f"the mail is on {kind}")


def own_block_groups(folder):
    """Asks ext4 to keep what comes into the folder's folders far apart.

    Without a journal, it passes every inode of a block group that was freed in the last minutes whenever a file is made there:
    a millisecond a file, of which whoever is measured later, or after another run, would have more.
    """
    with contextlib.suppress(OSError):
        subprocess.run(["chattr", "+T", folder], capture_output=True, check=False)


def main():
    keys = {kind.key: kind for kind in SYSTEMS}
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the numbers: to see that all of it works")
    parser.add_argument("--folder", type=pathlib.Path, help="where the mail is kept (default: /var/tmp, a real disk)")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="these measures alone")
    usual = ", ".join(kind.key for kind in USUAL)
    parser.add_argument("--system", action="append", choices=list(keys), help=f"these systems alone (default: {usual})")
    given = parser.parse_args()
    # 10,000 connections at each end.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000 if hard == resource.RLIM_INFINITY else min(hard, 20000), hard))
    results, failed = [], []
    began = time.monotonic()
    place = given.folder or "/var/tmp"
    with tempfile.TemporaryDirectory(prefix="posthorn-bench-", dir=place, ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o711)
        own_block_groups(folder)
        told = machine(folder)
        print(told)
        for kind in [keys[key] for key in given.system] if given.system else USUAL:
            try:
                version, rows, without = measure(kind, folder / kind.key, Sizes(given.quick), given.only)
            except Missing as why:
                print(f"{kind.name} takes no part: {why}")
                continue
            failed += without
            if rows.values:
                results.append((version, rows))
        # Before the folder is removed, which may take as long as some measures.
        print(f"\n{told}. {time.monotonic() - began:.0f} s in all.\nDelivery to Dovecot is by LMTP; Dovecot's passwords are in "
              f"plain, Posthorn's argon2id at its minimum.\n\n{table(results)}", flush=True)
    for each in failed:
        print(f"failed: {each}", file=sys.stderr)
    return 0 if results and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
