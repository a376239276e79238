"""A small client of Marionette, the remote control that Mozilla's programs have.

What is said are messages `LENGTH:JSON`: [0, id, command, parameters] to it, [1, id, error, result] back.
"""

import base64
import json
import socket
import time


class MarionetteError(AssertionError):
    """A command failed; a script's exception with its JavaScript stack."""


class Marionette:
    def __init__(self, port, seconds=60, alive=lambda: True):
        """Connects once the program listens, for which it has so many seconds as long as it is `alive`."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
                break
            except OSError:
                assert alive() and time.monotonic() < deadline, "nobody listens for Marionette"
                time.sleep(0.2)
        self.buffer = b""
        self.number = 0
        hello = self._receive()
        assert hello["marionetteProtocol"] == 3, hello
        self.command("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})
        self.command("WebDriver:SetTimeouts", {"script": 60_000})
        # Scripts are the program's own, not those of a page.
        self.command("Marionette:SetContext", {"value": "chrome"})

    def close(self):
        self.socket.close()

    def _receive(self):
        while b":" not in self.buffer:
            self._fill()
        length, _, self.buffer = self.buffer.partition(b":")
        while len(self.buffer) < int(length):
            self._fill()
        text, self.buffer = self.buffer[:int(length)], self.buffer[int(length):]
        return json.loads(text)

    def _fill(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("Marionette closed the connection")
        self.buffer += data

    def command(self, name, parameters=None):
        self.number += 1
        text = json.dumps([0, self.number, name, parameters or {}]).encode()
        self.socket.sendall(b"%d:%b" % (len(text), text))
        while True:
            kind, number, error, result = self._receive()
            if (kind, number) == (1, self.number):
                break
        if error:
            raise MarionetteError(f"{name}: {error['error']}: {error['message']}\n{error.get('stacktrace', '')}")
        return result.get("value") if isinstance(result, dict) and set(result) == {"value"} else result

    def run(self, script, *arguments):
        """What the JavaScript `script` returns; it is the body of an asynchronous function with `arguments`."""
        wrapped = ("const resolve = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);"
                   "(async (...given) => {" + script + "})(...given).then("
                   "value => resolve({ value: value ?? null }), error => resolve({ error: `${error}\\n${error?.stack}` }));")
        result = self.command("WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(arguments), "sandbox": "system",
                                                                "newSandbox": False})
        if result is None:
            raise MarionetteError("a dialogue opened")
        if "error" in result:
            raise MarionetteError(result["error"])
        return result["value"]

    def screenshot(self):
        """The window as a PNG."""
        return base64.b64decode(self.command("WebDriver:TakeScreenshot", {"full": True, "hash": False}))
