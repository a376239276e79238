"""Mailboxes full of mail, made by writing the Maildir's files, as another program would."""

import base64
import os
import random
import subprocess
import sys

import syscalls
from support.server import hand_over, run_user
from system import POOL, READER

# READER's large mailboxes.
TEN, HUNDRED = "Ten", "Hundred"
BEGAN = 1_772_000_000
# One message of each has it in its text.
RARE = "zanzibar"


def letter(number, octets, word="time"):
    """A letter of exactly so many octets (1,100 and more): a large one has an attachment, a middling one HTML beside the text."""
    parts = [f"Return-Path: <list-{number % 7}@elsewhere.test>\r\n"
             f"Received: from mx{number % 5}.elsewhere.test (mx{number % 5}.elsewhere.test [192.0.2.{number % 250}])\r\n"
             f"\tby mail.example.test with ESMTPS id {number:08x}\r\n"
             "\tfor <reader@example.test>; Sat, 07 Mar 2026 10:20:30 +0100\r\n"
             f"From: \"Ann {number % 97} Example\" <ann{number % 97}@elsewhere.test>\r\n"
             "To: Reader Example <reader@example.test>, \"C. D.\" <cd@example.test>\r\nCc: Team <team@example.test>\r\n"
             f"Subject: {'Re: ' if number % 3 else ''}The benchmark's subject {number // 4}, =?utf-8?Q?m=C3=BCndlich?=\r\n"
             f"Date: Sat, 07 Mar 2026 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0100\r\n"
             f"Message-ID: <{number}.bench@elsewhere.test>\r\n"]
    if number % 4:
        parts.append(f"In-Reply-To: <{number - 1}.bench@elsewhere.test>\r\nReferences: "
                     + "\r\n ".join(f"<{number - back}.bench@elsewhere.test>" for back in range(number % 4, 0, -1)) + "\r\n")
    parts.append("MIME-Version: 1.0\r\n")
    text = f"The quick brown fox jumps over the lazy dog, {word} and again and again.\r\n"
    plain = "Content-Type: text/plain; charset=utf-8\r\n"
    if octets > 50_000:
        # Of 57 octets base64 makes 78 with the line's end.
        file = base64.encodebytes(random.Random(number).randbytes((octets - 2000) * 57 // 78)).replace(b"\n", b"\r\n").decode()
        parts += ['Content-Type: multipart/mixed; boundary="=_1"\r\n\r\n', f"--=_1\r\n{plain}\r\n", text, "--=_1\r\n",
                  'Content-Type: application/pdf; name="report.pdf"\r\nContent-Disposition: attachment; filename="report.pdf"\r\n'
                  "Content-Transfer-Encoding: base64\r\n\r\n", file, "--=_1--\r\n"]
    elif octets > 5_000:
        parts += ['Content-Type: multipart/alternative; boundary="=_1"\r\n\r\n', f"--=_1\r\n{plain}\r\n", text * 9, "--=_1\r\n",
                  "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>", text * 9,
                  "--=_1--\r\n"]
    else:
        parts += [plain, "\r\n"]
    made = "".join(parts).encode()
    # Filled up by the text, or by what follows the last boundary.
    missing = octets - len(made)
    lines = text.encode() * (missing // len(text) + 1)
    return made + lines[:max(missing - 2, 0)] + b"\r\n"


def mixed_size(number):
    """10.9 KB on the average, as in mailboxes of people: mostly short letters, most octets in the attachments."""
    return 67_000 if number % 10 == 9 else 8_000 if number % 10 > 5 else 3_000


def fill(system, user, mailbox, count, size, different=sys.maxsize):
    """Once a system: the mailbox with `count` letters, of size(number) octets, on disk but not yet looked at.

    Beyond so many `different` letters the files are links: on some disks 100,000 files take minutes to write and to remove.
    """
    if (user, mailbox) in system.filled:
        return False
    system.filled.add((user, mailbox))
    system.ask(user, f"CREATE {mailbox}" if mailbox != "INBOX" else "NOOP", f"STATUS {mailbox} (MESSAGES)")
    folder = system.maildir(user, mailbox) / "cur"
    if not folder.is_dir():
        for part in ("cur", "new", "tmp"):
            (folder.parent / part).mkdir(parents=True, exist_ok=True)
        hand_over(folder.parent)
    owner = os.stat(folder)
    written = []
    for number in range(count):
        is_rare = number == count // 2
        if is_rare:
            wire = letter(number, size(number), RARE)
        else:
            wire = letter(number, size(number)) if number < different else written[number % different][0]
        stored = wire if system.line_end == b"\r\n" else wire.replace(b"\r\n", b"\n")
        name = folder / f"{BEGAN + number}.M{number}P1.bench,S={len(stored)},W={len(wire)}:2,{'S' if number % 3 else ''}"
        if number >= different and not is_rare:
            os.link(written[number % different][1], name)
            continue
        with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as file:
            file.write(stored)
            if run_user():
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        if different < count:
            written.append((wire, name))
    subprocess.run(["sync", "-f", folder], check=True)
    return True


def settle(system, user, mailbox):
    """Lets it take the files in; what it does of itself after the reply is over then. The seconds of the first SELECT."""
    first, _ = system.ask(user, f"SELECT {mailbox}", "NOOP", "PAUSE 3000")
    subprocess.run(["sync", "-f", system.base], check=True)
    return first["seconds"]


def ten(system, sizes):
    if fill(system, READER, TEN, sizes.ten, mixed_size):
        settle(system, READER, TEN)


def under_strace(system, sizes, what):
    """(user, log): a user with a small mailbox TEN, and the calls that the system makes from now on, started anew for that."""
    syscalls.need()
    user = POOL[-1]
    if fill(system, user, TEN, sizes.counted, lambda number: sizes.octets):
        settle(system, user, TEN)
    system.stop()
    log = syscalls.Log(system.base / f"calls of {what}")
    system.start(log.arguments())
    return user, log


def hundred(system, sizes):
    """The seconds that the first SELECT took, if it is made now."""
    if fill(system, READER, HUNDRED, sizes.hundred, lambda number: 1200, different=256):
        return settle(system, READER, HUNDRED)
    return None


def inboxes(system):
    """A small INBOX for READER and POOL."""
    for user in (READER, *POOL):
        if fill(system, user, "INBOX", 100, lambda number: 4096):
            system.ask(user, "SELECT INBOX")
