"""The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

import base64
import hashlib
import hmac
import secrets


def _mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class ScramClient:
    """`binding` is (type, octets) for SCRAM-SHA-256-PLUS; `flag` is what is said without one, "n" or "y"."""

    def __init__(self, user, password, binding=None, flag="n"):
        self.password = password.encode()
        header = f"p={binding[0]},," if binding else f"{flag},,"
        self.channel = header.encode() + (binding[1] if binding else b"")
        self.nonce = secrets.token_hex(12)
        self.bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self.nonce}".encode()
        self.first = header.encode() + self.bare

    def final(self, server_first):
        """The answer to the server's first message."""
        fields = dict(part.split("=", 1) for part in server_first.decode().split(","))
        assert fields["r"].startswith(self.nonce) and len(fields["r"]) > len(self.nonce) + 15
        self.salt, self.iterations = base64.b64decode(fields["s"]), int(fields["i"])
        salted = hashlib.pbkdf2_hmac("sha256", self.password, self.salt, self.iterations)
        without = b"c=" + base64.b64encode(self.channel) + b",r=" + fields["r"].encode()
        message = self.bare + b"," + server_first + b"," + without
        key = _mac(salted, b"Client Key")
        proof = bytes(a ^ b for a, b in zip(key, _mac(hashlib.sha256(key).digest(), message)))
        self.signature = b"v=" + base64.b64encode(_mac(_mac(salted, b"Server Key"), message))
        return without + b",p=" + base64.b64encode(proof)
