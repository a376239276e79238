"""Thunderbird on a screen of its own, with one account set up, told by Marionette what to do."""

import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import time

from support.marionette import Marionette, MarionetteError
from support.server import ROOT, free_port

PLAIN, TLS = 0, 3
PASSWORD_AS_IT_IS = 3

# Nothing that asks, and nothing that looks for updates: HTTP goes to a port of loopback where nobody is.
QUIET = {
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mail.inappnotifications.enabled": False,
    "mail.biff.show_alert": False,
    "mail.biff.play_sound": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "app.update.disabledForTesting": True,
    "extensions.update.enabled": False,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}

# What every script finds: the window's parts, and a way to wait.
PRELUDE = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const incoming = MailServices.accounts.accounts[0].incomingServer;
const mainWindow = Services.wm.getMostRecentWindow("mail:3pane");
const pane = mainWindow.document.getElementById("tabmail").currentAbout3Pane;
const sleep = milliseconds => new Promise(resolve => mainWindow.setTimeout(resolve, milliseconds));
const nameOf = each => {
  const last = each.URI.split("/").pop();
  return /^[ -%'-~]*$/.test(last) ? last : each.localizedName;
};
// The name on the server in UTF-8; Thunderbird has its own for mailboxes of special use.
const pathOf = each => (each.parent.isServer ? "" : pathOf(each.parent) + "/") + nameOf(each);
const folder = name => incoming.rootFolder.descendants.find(each => pathOf(each) == name);
const headers = name => [...folder(name).messages];
const header = (name, subject) => headers(name).find(each => each.mime2DecodedSubject == subject);
const until = async (what, condition) => {
  for (let tries = 0; tries < 400; tries++) {
    const value = await condition();
    if (value) return value;
    await sleep(50);
  }
  throw new Error(`waited in vain: ${what}`);
};
const open = async name => {
  pane.displayFolder(folder(name).URI);
  await until(`view of ${name}`, () => pane.gDBView?.msgFolder?.URI == folder(name).URI);
};
const select = async (name, subject) => {
  await open(name);
  const row = await until(`row of ${subject}`, () => {
    const found = header(name, subject);
    const index = found ? pane.gDBView.findIndexOfMsgHdr(found, true) : -1;
    return index >= 0 && index < 0xffffffff ? index + 1 : 0;
  });
  pane.threadTree.selectedIndex = row - 1;
  return header(name, subject);
};
const letter = () => pane.messageBrowser.contentWindow.getMessagePaneBrowser().contentDocument;
"""


def preferences(server, account, secure):
    address = account[0]
    socket_type = TLS if secure else PLAIN
    imap, smtp = "mail.server.server1.", "mail.smtpserver.smtp1."
    return QUIET | {
        "mail.accountmanager.accounts": "account1",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.account.lastKey": 1,
        "mail.account.account1.identities": "id1",
        "mail.account.account1.server": "server1",
        "mail.identity.id1.fullName": "Tester",
        "mail.identity.id1.useremail": address,
        "mail.identity.id1.smtpServer": "smtp1",
        "mail.identity.id1.valid": True,
        "mail.identity.id1.compose_html": False,
        imap + "type": "imap",
        imap + "name": address,
        imap + "hostname": "127.0.0.1",
        imap + "port": server.ports["imaps" if secure else "imap"],
        imap + "socketType": socket_type,
        imap + "userName": address,
        imap + "authMethod": PASSWORD_AS_IT_IS,
        # When the password is known.
        imap + "login_at_startup": False,
        imap + "check_new_mail": False,
        "mail.smtpservers": "smtp1",
        "mail.smtp.defaultserver": "smtp1",
        smtp + "hostname": "127.0.0.1",
        smtp + "port": server.ports["submissions" if secure else "submission"],
        smtp + "try_ssl": socket_type,
        smtp + "username": address,
        smtp + "authMethod": PASSWORD_AS_IT_IS,
    }


class Thunderbird:
    """One profile; `start` and `stop` may follow each other. `folder` is where all of it lives."""

    def __init__(self, path, server, account, folder, secure=True, settings=None):
        self.path, self.server, self.account, self.folder = path, server, account, folder
        self.profile = folder / "profile"
        self.profile.mkdir()
        self.settings = preferences(server, account, secure) | (settings or {})
        self.starts = 0
        self.process = self.marionette = None

    def start(self, screen):
        """Comes up on the X server `screen`, logs in and has read the list of mailboxes."""
        self.starts += 1
        port = free_port()
        lines = (self.settings | {"marionette.port": port}).items()
        (self.profile / "user.js").write_text("".join(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in lines))
        environment = dict(os.environ, HOME=str(self.folder), DISPLAY=screen, LC_ALL="C.UTF-8", TZ="UTC",
                           MOZ_LOG="IMAP:4,sync", MOZ_LOG_FILE=str(self.folder / f"imap{self.starts}"))
        with open(self.folder / f"out{self.starts}", "wb") as out:
            self.process = subprocess.Popen(
                [self.path, "--profile", str(self.profile), "--no-remote", "--marionette", "--remote-allow-system-access"],
                env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.marionette = Marionette(port, alive=lambda: self.process.poll() is None)
        self.marionette.run("""
            for (let tries = 0; tries < 200; tries++) {
              const found = Services.wm.getMostRecentWindow("mail:3pane");
              if (found?.document.getElementById("tabmail")?.currentAbout3Pane?.folderTree?.rowCount) return;
              await new Promise(resolve => ChromeUtils.idleDispatch(resolve, { timeout: 100 }));
            }
            throw new Error("the main window has not come up");
        """)
        if self.starts == 1:
            self._trust_and_remember()
        self.run("""
            incoming.performExpand(mainWindow.msgWindow);
            await until("the mailboxes", () => folder("Trash") && folder("INBOX"));
        """)
        return self

    def _trust_and_remember(self):
        """The server's certificate, which nobody signed, and the passwords."""
        certificate = ssl.PEM_cert_to_DER_cert(pathlib.Path(self.server.certificate).read_text())
        self.run("""
            const [certificate, ports, password] = given;
            const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
            const overrides = Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService);
            for (const port of ports) {
              overrides.rememberValidityOverride("127.0.0.1", port, {}, database.constructX509FromBase64(certificate), false);
            }
            for (const origin of ["imap://127.0.0.1", "smtp://127.0.0.1"]) {
              const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
              login.init(origin, null, origin, incoming.username, password, "", "");
              await Services.logins.addLoginAsync(login);
            }
            incoming.password = password;
            MailServices.outgoingServer.defaultServer.password = password;
        """, base64.b64encode(certificate).decode(), [self.server.ports["imaps"], self.server.ports["submissions"]], self.account[1])

    def run(self, script, *arguments):
        """What the script returns; see PRELUDE for what it has."""
        try:
            return self.marionette.run(PRELUDE + script, *arguments)
        except MarionetteError as error:
            with contextlib.suppress(AssertionError):  # not where a dialogue is open
                self.see("thunderbird-failure")
            said = "\n".join(line[:200] for line in self.dialogue()[-400:] if re.search(r" > | < ([*+)]|\d+ )", line))
            raise MarionetteError(f"{error}\nthe last of the dialogue:\n{said}") from None

    def see(self, name):
        """Writes the window as build/screenshots/NAME.png."""
        place = ROOT / "build/screenshots"
        place.mkdir(parents=True, exist_ok=True)
        picture = self.marionette.screenshot()
        assert picture.startswith(b"\x89PNG") and len(picture) > 10_000
        (place / f"{name}.png").write_bytes(picture)

    def dialogue(self):
        """The lines of all connections since the start, such as "S-INBOX > 7 noop" and "S-INBOX < 7 OK ..."."""
        found = []
        for path in sorted(self.folder.glob(f"imap{self.starts}*moz_log")):
            for where, side, line in re.findall(r"([^: ]*):(SendData|CreateNewLineFromSocket): (.*)", path.read_text(errors="replace")):
                found.append(f"{where} {'>' if side == 'SendData' else '<'} {line}")
        return found

    def refused(self):
        """What the server answered NO or BAD to."""
        return [line for line in self.dialogue() if re.search(r" < \d+ (NO|BAD) ", line)]

    def wait_idle(self, name="INBOX", seconds=30):
        """Until its connection to the mailbox has had nothing else to do for a second."""
        deadline, last, since = time.monotonic() + seconds, None, 0
        while True:
            lines = [line for line in self.dialogue() if line.startswith(f"S-{name} ")]
            if lines and lines[-1].endswith("< + idling"):
                if last == len(lines) and time.monotonic() > since + 1:
                    return
                if last != len(lines):
                    last, since = len(lines), time.monotonic()
            assert time.monotonic() < deadline, "\n".join(lines[-30:])
            time.sleep(0.1)

    def stop(self):
        """Asks it to quit, and ends what of it is left."""
        if self.process is None:
            return
        if self.marionette:
            with contextlib.suppress(OSError, AssertionError):
                self.marionette.command("Marionette:Quit", {"flags": ["eForceQuit"]})
            self.marionette.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = self.marionette = None


@contextlib.contextmanager
def x_server(path):
    """An X server without a display, and its name for DISPLAY."""
    read, write = os.pipe()
    process = subprocess.Popen([path, "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
                               pass_fds=[write], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        assert number, "the X server did not start"
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()
