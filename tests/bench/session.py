"""An IMAP session that stays open between steps of a measure."""

import socket

from system import PASSWORD


class Session:
    def __init__(self, port, user):
        self.socket = socket.create_connection(("127.0.0.1", port), 300)
        self.file = self.socket.makefile("rb", 1 << 16)
        self.file.readline()
        self.ask(f'LOGIN "{user}" "{PASSWORD}"')

    def ask(self, *commands):
        for command in commands:
            self.socket.sendall(f"a {command}\r\n".encode())
            while not (line := self.file.readline()).startswith(b"a "):
                if not line:
                    raise RuntimeError(f"closed in {command}")
            if not line.startswith(b"a OK"):
                raise RuntimeError(f"{command}: {line!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()
