"""The load generator of the build that the measured binary belongs to."""

import contextlib
import functools
import json
import subprocess

from support.server import binary


@functools.cache
def program():
    build = binary().parent
    subprocess.run(["ninja", "-C", str(build), "tests/bench/load/load"], check=True, capture_output=True)
    return str(build / "tests/bench/load/load")


def run(*arguments):
    """What `load ARGUMENTS` tells."""
    done = subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"load {arguments[0]}: {done.stderr.strip()[-600:]}")
    return json.loads(done.stdout)


@contextlib.contextmanager
def holding(*arguments):
    """The same of a command that holds what it has opened until the block ends."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([program(), *map(str, arguments)], **pipes, text=True) as process:
        told = process.stdout.readline()
        if not told:
            raise RuntimeError(f"load {arguments[0]}: {process.stderr.read().strip()[-600:]}")
        yield json.loads(told)
        process.stdin.close()


def rate(result):
    return result["count"] / result["seconds"]
