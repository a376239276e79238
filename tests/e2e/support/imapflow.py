"""The npm package imapflow, told what to do by its driver in clients/imapflow."""

import base64
import json
import pathlib
import queue
import subprocess
import threading
import time

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "clients/imapflow"


class CallFailed(Exception):
    """A method of imapflow threw; `error` is what it said."""

    def __init__(self, call, error):
        super().__init__(f"{call}: {error}")
        self.error = error


def octets(value):
    """What imapflow handed over as a Buffer."""
    return base64.b64decode(value["base64"])


class Driver:
    """One Node process; `client` makes connections in it."""

    def __init__(self, node):
        self.process = subprocess.Popen([node, str(FOLDER / "driver.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.numbers = 0
        self.events = []
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def take(self, seconds):
        """Waits for a line; a result is returned, an event kept."""
        line = self._lines.get(timeout=seconds)
        assert line is not None, "the driver ended"
        if "id" in line:
            return line
        self.events.append(line)
        return None

    def call(self, client, call, arguments, seconds=30):
        self.numbers += 1
        self.process.stdin.write(json.dumps({"id": self.numbers, "client": client, "call": call, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        while (line := self.take(seconds)) is None:
            pass
        assert line["id"] == self.numbers, line
        if "error" in line:
            raise CallFailed(call, line["error"])
        return line["result"]

    def client(self, server, account, **options):
        """A connected and authenticated Client; `options` are those of imapflow's constructor."""
        return Client(self, server, account, options)


class Client:
    """A connection of imapflow: its methods under their own names, with arguments and results of JSON."""

    def __init__(self, driver, server, account, options):
        self.driver = driver
        driver.numbers += 1
        self.name = f"client{driver.numbers}"
        secure = options.get("secure", False)
        driver.call(self.name, "new", [{
            "host": "127.0.0.1", "port": server.ports["imaps" if secure else "imap"], "secure": False, "doSTARTTLS": False,
            "tls": {"rejectUnauthorized": False}, "auth": {"user": account[0], "pass": account[1]},
            # IDLE when a test says so.
            "autoIdleDelay": 250_000} | options])
        self.mark = len(driver.events)
        self.connect()

    def __getattr__(self, call):
        return lambda *arguments: self.driver.call(self.name, call, list(arguments))

    def events(self, kind):
        """The values of all events of this kind since the last `start_over`."""
        return [event["value"] for event in self.driver.events[self.mark:]
                if event["client"] == self.name and event["event"] == kind]

    def lines(self, start=""):
        """The dialogue's lines that begin so, such as "C: " or "S: * VANISHED"; tags are left out."""
        found = []
        for line in self.events("line"):
            side, _, rest = line.partition(" ")
            first, _, tail = rest.partition(" ")
            line = line if first in ("*", "+") else f"{side} {tail}"
            if line.startswith(start):
                found.append(line)
        return found

    def start_over(self):
        """Forgets what happened so far."""
        self.mark = len(self.driver.events)

    def wait(self, kind, count=1, seconds=10):
        """The events of this kind, once there are so many."""
        self._until(lambda: len(self.events(kind)) >= count, kind, seconds)
        return self.events(kind)

    def start_idle(self):
        """IDLE, with the server's continuation seen; what happened before is forgotten."""
        self.start_over()
        self.idle()
        self._until(lambda: self.lines("S: +"), "the continuation of IDLE", 10)

    def _until(self, condition, what, seconds):
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"no {what} within {seconds} s: {self.driver.events[self.mark:][-20:]}"
            try:
                self.driver.take(left)
            except queue.Empty:
                pass

    def check(self):
        """No command was answered NO or BAD, and imapflow complained of nothing."""
        refused = [line for line in self.lines("S: ") if line.startswith(("S: NO", "S: BAD"))]
        assert not refused and not self.events("warn") + self.events("error"), (refused, self.events("warn"), self.events("error"))
