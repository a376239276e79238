"""The client's side of COMPRESS=DEFLATE (RFC 4978)."""

import zlib


class Deflated:
    """A socket with a raw DEFLATE stream each way."""

    def __init__(self, inner):
        self.inner = inner
        self.out = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.into = zlib.decompressobj(-15)
        self.received = 0

    def sendall(self, data):
        self.inner.sendall(self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH))

    def recv(self, _size):
        while True:
            data = self.inner.recv(1 << 16)
            if not data:
                return b""
            self.received += len(data)
            text = self.into.decompress(data)
            if text or self.into.eof:
                return text

    def __getattr__(self, name):
        return getattr(self.inner, name)


def compress(client):
    client.command("COMPRESS DEFLATE")
    assert client.buffer == b""
    client.socket = Deflated(client.socket)
