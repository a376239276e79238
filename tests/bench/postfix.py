"""Debian's Postfix as a private instance: SMTP into its queue, and from there by virtual(8) into a Maildir."""

import os
import shutil
import subprocess

from support.server import DOMAIN, free_port, hand_over
from system import BOB, Missing, System


class Postfix(System):
    key, name = "postfix", "Postfix"
    line_end = b"\n"

    def __init__(self, base):
        super().__init__(base)
        if not os.path.exists("/usr/sbin/postfix"):
            raise Missing("postfix is not installed (apt install postfix)")
        if os.geteuid() != 0:
            raise Missing("it is started by root only")
        self.smtp = free_port()
        config = base / "config"
        for place in ("config", "queue", "data", "vmail"):
            (base / place).mkdir()
        hand_over(base / "vmail")
        shutil.chown(base / "data", "postfix")
        (config / "virtual").write_text(f"{BOB} bob/Maildir/\n")
        (config / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = texthash:{config}/virtual
virtual_mailbox_base = {base}/vmail
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_mailbox_limit = 0
virtual_destination_concurrency_limit = 20
initial_destination_concurrency = 20
alias_maps =
local_recipient_maps =
maillog_file = {base}/postfix.log
maillog_file_prefixes = {base}
default_process_limit = 100
""")
        (config / "master.cf").write_text(f"""
127.0.0.1:{self.smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")
        subprocess.run(["postfix", "-c", config, "set-permissions"], capture_output=True)
        made = subprocess.run(["postfix", "-c", config, "check"], capture_output=True, text=True)
        if made.returncode != 0:
            raise Missing(f"its private instance cannot be made: {made.stderr.strip()[-300:]}")

    def start(self, strace=()):
        self.spawn("/usr/lib/postfix/sbin/master", "-c", self.base / "config", "-d", strace=strace,
                   env=dict(os.environ, MAIL_CONFIG=str(self.base / "config")))
        self.wait(self.smtp)

    def stop(self):
        if self.process:
            subprocess.run(["postfix", "-c", str(self.base / "config"), "stop"], capture_output=True)
            self.process.wait(60)
            self.process = None

    def maildir(self, user, mailbox="INBOX"):
        return self.base / "vmail/bob/Maildir"

    def version(self):
        done = subprocess.run(["/usr/sbin/postconf", "-h", "mail_version"], capture_output=True, text=True)
        return "Postfix " + done.stdout.strip()
