"""Certificates of the tests' own."""

import subprocess

from support.server import HOSTNAME, hand_over


def self_signed(folder, name, *hostnames, days=30):
    """(certificate, key) files of a fresh self-signed certificate for `hostnames`, which ends in so many days."""
    hostnames = hostnames or (HOSTNAME,)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", str(max(days, 1)), "-subj", f"/CN={hostnames[0]}",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in hostnames)],
                   check=True, capture_output=True, timeout=30)
    if days < 1:  # which only another command of OpenSSL 3.0 makes
        subprocess.run(["openssl", "x509", "-in", certificate, "-signkey", key, "-days", str(days), "-out", certificate],
                       check=True, capture_output=True, timeout=30)
    for path in (certificate, key):
        hand_over(path)
    return certificate, key
