"""Certificates of the tests' own."""

import subprocess

from support.server import HOSTNAME, hand_over


def self_signed(folder, name, *hostnames):
    """(certificate, key) files of a fresh self-signed certificate for `hostnames`."""
    hostnames = hostnames or (HOSTNAME,)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "30", "-subj", f"/CN={hostnames[0]}",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in hostnames)],
                   check=True, capture_output=True, timeout=30)
    for path in (certificate, key):
        hand_over(path)
    return certificate, key
