"""Debian's Dovecot as a private instance: delivery by LMTP, its own way in; IMAP and POP3."""

import os
import shutil
import signal
import subprocess

from support.server import free_port, hand_over
from system import ACCOUNTS, PASSWORD, Missing, System


class Dovecot(System):
    key, name = "dovecot", "Dovecot"
    line_end = b"\n"
    # As much is on disk at its OK as at Posthorn's.
    fsync = "always"

    def __init__(self, base):
        super().__init__(base)
        if not shutil.which("dovecot", path="/usr/sbin:/usr/bin"):
            raise Missing("dovecot is not installed (apt install dovecot-imapd dovecot-pop3d dovecot-lmtpd)")
        if os.geteuid() != 0:
            raise Missing("its private instance is started by root only")
        self.lmtp, self.imap, self.imaps, self.pop3 = (free_port() for _ in range(4))
        certificate, key = base / "certificate.pem", base / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "3", "-subj", "/CN=mail.example.test"],
                       check=True, capture_output=True)
        users = [f"{user}:{{PLAIN}}{PASSWORD}:65534:65534::{base}/home/{user}::\n" for user in ACCOUNTS]
        (base / "users").write_text("".join(users))
        for user in ACCOUNTS:
            (base / "home" / user).mkdir(parents=True)
        hand_over(base / "home")
        (base / "dovecot.conf").write_text(f"""
base_dir = {base}/run
state_dir = {base}/state
instance_name = posthorn-bench
log_path = {base}/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 0
first_valid_uid = 1
first_valid_gid = 1
default_client_limit = 4000
default_process_limit = 1500
mail_max_userip_connections = 5000
mail_location = maildir:~/Maildir
mail_fsync = {self.fsync}
passdb {{
  driver = passwd-file
  args = {base}/users
}}
userdb {{
  driver = passwd-file
  args = {base}/users
}}
service imap-login {{
  service_count = 0
  client_limit = 2000
  process_min_avail = 2
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = {self.imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {self.pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap {{
  process_limit = 1500
}}
service anvil {{
  client_limit = 6000
}}
service auth {{
  client_limit = 8000
}}
service stats {{
  client_limit = 6000
}}
service lmtp {{
  process_min_avail = 2
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.lmtp}
  }}
}}
namespace inbox {{
  inbox = yes
}}
""")

    def start(self, strace=()):
        self.spawn("/usr/sbin/dovecot", "-F", "-c", self.base / "dovecot.conf", strace=strace)
        self.wait(self.imap, self.lmtp)

    def stop(self):
        if self.process:
            # As `doveadm stop` does, which then waits for two seconds more; under strace, the master is a child.
            os.kill(int((self.base / "run/master.pid").read_text()), signal.SIGTERM)
            self.process.wait(60)
            self.process = None

    def maildir(self, user, mailbox="INBOX"):
        root = self.base / "home" / user / "Maildir"
        return root if mailbox == "INBOX" else root / f".{mailbox}"

    def version(self):
        done = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True)
        return "Dovecot " + done.stdout.split()[0]


class DovecotAsInstalled(Dovecot):
    """With Debian's mail_fsync: letters are synced, flags and expunges are not."""

    key, name = "dovecot-optimized", "Dovecot, mail_fsync = optimized"
    fsync = "optimized"

    def version(self):
        return super().version() + ", mail_fsync = optimized"
