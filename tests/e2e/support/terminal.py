"""Programs that want a terminal, and what they showed on it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-B]|[=>78M])")


def run_in_terminal(line, seconds=40, environment=None, cwd=None):
    """Runs a program in a terminal of 160 columns until it ends; what it showed, without the escape sequences.

    Raises AssertionError with the screen when it ends otherwise than with status 0, or not within `seconds`.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    process = subprocess.Popen([str(part) for part in line], stdin=slave, stdout=slave, stderr=slave, cwd=cwd,
                               start_new_session=True, env=dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8", **(environment or {})))
    os.close(slave)
    shown, deadline = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 0.2)[0]:
                if process.poll() is not None:
                    break
                continue
            try:
                data = os.read(master, 1 << 16)
            except OSError:  # the last that had the terminal open has closed it
                break
            if not data:
                break
            shown += data
        text = ESCAPES.sub(b" ", shown).decode(errors="replace")
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(max(0.1, deadline - time.monotonic()))
            assert status == 0, f"{line} ended with status {status}:\n{text[-3000:]}"
            return text
        raise AssertionError(f"{line} did not end within {seconds} s:\n{text[-3000:]}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
